import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// `/api/v1/uploads`: what has landed, and the way to land more over HTTP.
struct UploadRoutes {
    /// Under which the ingest keeps its documents.
    private static let documentKind = "upload"

    let front: HTTPFront

    func add(to table: RouteTable) {
        table.on(Paths.uploads, [.get: list])
        table.on("\(Paths.uploads)/:id", [.get: read])
        table.on("\(Paths.uploads)/:id/done", [.post: markDone, .put: put])
        table.on("\(Paths.uploads)/:id/**", [.put: put])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let limit = try request.number("limit", default: 100, in: 1...1000)
        let documents = try await front.system.store.documents(Self.documentKind, limit: limit)
        return .page(Page(items: documents.map(UploadPayload.init)), plural: "uploads")
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let id = context.word()
        guard let document = try await front.system.store.document(Self.documentKind, id) else {
            throw ActorError(.notFound, "there is no upload \(id.prefix(64))")
        }
        return .json(UploadPayload(document).json)
    }

    @Sendable private func put(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try sender(context)
        let name = try uploadName(context)
        // Below /api/v1/uploads/{name}: decoded segment by segment, so that an encoded slash is no separator.
        let path = request.uri.path.split(separator: "/").dropFirst(4)
            .map { FormItems.decoded(percent: String($0)) }
        guard path.allSatisfy({ !$0.contains("/") }), NameRules.isUploadPath(path.joined(separator: "/")) else {
            throw ActorError(
                .invalidInput,
                "the path of an uploaded file has at most 16 parts of letters, digits and ._-+=@, with no leading dot")
        }
        let stored = try await front.audited(caller, "upload.put", name) {
            try await front.inbox.store(
                request, upload: name, path: path.joined(separator: "/"), limit: front.system.limits.maxUploadBytes)
        }
        return .json(stored.json, status: .created)
    }

    @Sendable private func markDone(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try sender(context)
        let name = try uploadName(context)
        try await front.audited(caller, "upload.done", name) { try await front.inbox.markDone(name) }
        return .json(["name": .string(name), "status": "done"], status: .accepted)
    }

    /// Uploading is sending: everybody who may send may do it.
    private func sender(_ context: HTTPContext) throws(ActorError) -> Caller {
        let caller = try context.requireCaller()
        guard !caller.principal.roles.isDisjoint(with: [.admin, .privileged, .user]) else {
            throw ActorError(.forbidden, "limited users may not upload")
        }
        return caller
    }

    /// A name that reads like a marker would be taken for one.
    private func uploadName(_ context: HTTPContext) throws(ActorError) -> String {
        let name = context.word()
        guard NameRules.isUploadName(name), !name.lowercased().hasSuffix(".done") else {
            throw ActorError(
                .invalidInput,
                "the name of an upload has letters, digits and ._-+=@, with no leading dot, and does not end in .done")
        }
        return name
    }
}
