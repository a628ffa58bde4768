import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// `/api/v1/uploads`: what has landed, and the way to land more over HTTP.
struct UploadRoutes {
    /// Under which the ingest keeps its documents, and those that find an upload by its content.
    private static let documentKind = "upload"
    private static let contentKind = "upload-content"
    /// The actor whose nonces open the way in, and no other.
    private static let ingest = "ingest"

    let front: HTTPFront

    func add(to table: RouteTable) {
        table.on(Paths.uploads, [.get: list])
        table.on(Paths.jobSets, [.get: jobSets])
        table.on("\(Paths.uploads)/:id", [.get: read, .put: putWhole])
        table.on("\(Paths.uploads)/:id/done", [.get: offset, .post: markDone, .put: put])
        table.on("\(Paths.uploads)/:id/**", [.get: offset, .put: put])
    }

    // MARK: What has landed

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        guard caller.nonce == nil else { throw Nonce.tooLow }
        let items = request.formItems
        if let digest = items.first("sha256") { return try await find(digest.lowercased()) }
        let limit = try request.number("limit", default: 100, in: 1...1000)
        let cursor = items.first("cursor")
        let state = items.first("state")
        let query = DocumentQuery(
            kind: Self.documentKind, limit: limit + 1, after: cursor, createdFrom: try moment(items, "since"),
            createdBefore: try moment(items, "before"), state: state)
        let documents = try await front.system.store.documents(query)
        var uploads = documents.prefix(limit).map(UploadPayload.init)
        if cursor == nil, items.first("since") == nil, items.first("before") == nil {
            let taken = Set(uploads.map(\.id))
            uploads = standing(state, limit: limit, taken: taken) + uploads
        }
        let next = documents.count > limit ? documents[limit - 1].id : nil
        return .page(Page(items: uploads, next: next), plural: "uploads")
    }

    /// Whether this content was uploaded before.
    private func find(_ digest: String) async throws -> Response {
        guard Hexadecimal.bytes(digest)?.count == 32 else {
            throw ActorError(.invalidInput, "sha256 must be 64 hexadecimal digits")
        }
        let store = front.system.store
        guard let known = try await store.document(Self.contentKind, digest)?.body["upload"]?.string,
            let document = try await store.document(Self.documentKind, known)
        else { return .page(Page(items: [UploadPayload]()), plural: "uploads") }
        return .page(Page(items: [UploadPayload(document)]), plural: "uploads")
    }

    private func moment(_ items: FormItems, _ name: String) throws(ActorError) -> Timestamp? {
        guard let text = items.first(name) else { return nil }
        guard let moment = Timestamp(iso8601: text.utf8.count == 10 ? "\(text)T00:00:00Z" : text) else {
            throw ActorError(.invalidInput, "\(name) must be a day or a moment like 2026-11-21T10:00:00Z")
        }
        return moment
    }

    /// What lies in the inbox and has not been taken yet.
    private func standing(_ state: String?, limit: Int, taken: Set<String>) -> [UploadPayload] {
        front.settings.inboxStanding().filter { standing in
            (state == nil || standing.state.rawValue == state)
                && !(standing.isAnnounced && taken.contains(standing.entry.name))
        }.prefix(limit).map { UploadPayload(id: $0.entry.name, body: Self.body(of: $0)) }
    }

    private static func body(of standing: InboxStanding) -> JSONValue {
        [
            "upload": .string(standing.entry.name), "state": .string(standing.state.rawValue),
            "received": .string(standing.since.iso8601), "bytes": .int(standing.entry.bytes),
            "file_count": JSONValue(standing.entry.files), "note": .string(standing.note), "jobs": [],
        ]
    }

    /// The document of an upload; before there is one, what of it has arrived.
    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        guard caller.nonce == nil else { throw Nonce.tooLow }
        let id = context.word()
        if NameRules.isUploadName(id), let there = try await front.inbox.offset(of: .init(upload: id, path: [])) {
            return partial(id, there, length: nil, status: .ok)
        }
        if let document = try await front.system.store.document(Self.documentKind, id) {
            return .json(UploadPayload(document).json)
        }
        guard let standing = front.settings.inboxStanding().first(where: { $0.entry.name == id }) else {
            throw ActorError(.notFound, "there is no upload \(id.prefix(64))")
        }
        return .json(UploadPayload(id: id, body: Self.body(of: standing)).json)
    }

    /// The sets of job files: which commit runs, and what is wrong with them.
    @Sendable private func jobSets(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let documents = try await front.system.store.documents("job-set", limit: 1000)
        let sets = documents.sorted { $0.id < $1.id }.map(\.body)
        return .json(["job_sets": .array(sets), "next": .null])
    }

    // MARK: The way in

    /// A file of an upload that is a folder: how much of it has arrived.
    @Sendable private func offset(_ request: Request, _ context: HTTPContext) async throws -> Response {
        _ = try sender(context)
        let place = InboxFolder.Place(upload: try uploadName(context), path: try filePath(request))
        guard let there = try await front.inbox.offset(of: place) else {
            throw ActorError(.notFound, "nothing of \(place.shown) is being received")
        }
        return partial(place.shown, there, length: nil, status: .ok)
    }

    /// An upload that is a single file: it is complete when its last byte is here.
    @Sendable private func putWhole(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let force = request.formItems.first("force") == "true"
        let place = InboxFolder.Place(upload: try uploadName(context), path: [])
        return try await take(request, context, place, marker: force ? "force\n" : "")
    }

    @Sendable private func put(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let place = InboxFolder.Place(upload: try uploadName(context), path: try filePath(request))
        return try await take(request, context, place, marker: nil)
    }

    private func take(
        _ request: Request, _ context: HTTPContext, _ place: InboxFolder.Place, marker: String?
    ) async throws -> Response {
        let caller = try sender(context)
        let limits = front.system.limits
        let front = self.front
        let order = InboxWriter.Order(
            place: place, claimant: .init(caller), isSpent: isSpent(caller),
            range: try UploadRange(request.headers[.contentRange]), digests: try UploadDigests(request.headers),
            contentLength: request.headers[.contentLength].flatMap { Int64($0) }, limit: limits.maxUploadBytes,
            quota: limits.maxInboxBytes, marker: marker, isOpen: request.formItems.first("open") == "true",
            permit: {
                // One use of a nonce is one file, however many requests bring it.
                guard let nonce = caller.nonce else { return }
                guard try await front.system.store.useNonce(nonce.id, at: front.system.now()) else {
                    throw Nonce.usedUp
                }
            })
        do {
            switch try await front.inbox.take(request, order) {
            case .partial(let offset, let length):
                return partial(place.shown, offset, length: length, status: .accepted)
            case .stored(let stored):
                try await front.audited(caller, "upload.put", place.upload) {}
                return .json(stored.json, status: .created)
            }
        } catch {
            // Pieces are not written down one by one; what is refused is.
            try? await front.audited(caller, "upload.put", place.upload) { () async throws -> Void in throw error }
            throw error
        }
    }

    private func partial(
        _ path: String, _ offset: Int64, length: Int64?, status: HTTPResponse.Status
    ) -> Response {
        var response = Response.json(
            [
                "id": .string(path.split(separator: "/").first.map(String.init) ?? path), "path": .string(path),
                "state": "receiving", "offset": .int(offset),
                "length": length.map { .int($0) } ?? .null,
            ], status: status)
        response.headers.append(contentsOf: UploadStanding.headers(offset: offset, length: length))
        return response
    }

    @Sendable private func markDone(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try sender(context)
        let name = try uploadName(context)
        let force = request.formItems.first("force") == "true"
        try await front.audited(caller, "upload.done", name) {
            try await front.inbox.markDone(name, force: force, by: .init(caller), isSpent(caller))
        }
        return .json(["name": .string(name), "status": "done"], status: .accepted)
    }

    /// Tells of the nonce with a key whether it is gone, used up or opens the ingest no more.
    private func isSpent(_ caller: Caller) -> InboxWriter.IsSpent {
        let front = self.front
        return { key in
            let store = front.system.store
            // The inbox is one for all.
            for tenant in Set(front.settings.tenants + [caller.principal.tenant]) {
                let ingest = try? front.system.resolve(Self.ingest, tenant: tenant)
                var nonces = try await store.nonces(ofAlias: Self.ingest, tenant: tenant)
                if let ingest { nonces += try await store.nonces(of: ingest.id) }
                let nonce = nonces.first { InboxFolder.Claimant.key(of: $0) == key }
                guard let nonce else { continue }
                let isBacked = ingest.map { front.isBacked(nonce, on: $0) } ?? true
                return nonce.isExhausted || nonce.level < .execute || !isBacked
            }
            return true
        }
    }

    /// Uploading is sending: everybody who may send to the ingest may do it, by a nonce of the ingest too.
    private func sender(_ context: HTTPContext) throws(ActorError) -> Caller {
        let caller = try context.requireCaller()
        if let nonce = caller.nonce {
            let ingest = try? front.system.resolve(Self.ingest, tenant: nonce.tenant)
            guard nonce.alias == Self.ingest || (nonce.alias == nil && nonce.actor == ingest?.id),
                ingest.map({ front.isBacked(nonce, on: $0) }) ?? true
            else { throw Nonce.missing }
            guard nonce.level >= .execute else { throw Nonce.tooLow }
            return caller
        }
        guard !caller.principal.roles.isDisjoint(with: [.admin, .privileged, .user]) else {
            throw ActorError(.forbidden, "limited users may not upload")
        }
        return caller
    }

    /// Below /api/v1/uploads/{name}: decoded segment by segment, so that an encoded slash is no separator.
    private func filePath(_ request: Request) throws(ActorError) -> [String] {
        let path = request.uri.path.split(separator: "/").dropFirst(4)
            .map { FormItems.decoded(percent: String($0)) }
        guard path.allSatisfy({ !$0.contains("/") }), NameRules.isUploadPath(path.joined(separator: "/")) else {
            throw ActorError(
                .invalidInput,
                "the path of an uploaded file has at most 16 parts of letters, digits and ._-+=@, with no leading dot")
        }
        return path
    }

    /// A name that reads like a marker, or like something unfinished, would be taken for one.
    private func uploadName(_ context: HTTPContext) throws(ActorError) -> String {
        let name = context.word()
        let lower = name.lowercased()
        guard NameRules.isUploadName(name), ![".done", ".part", ".tmp"].contains(where: lower.hasSuffix) else {
            throw ActorError(
                .invalidInput,
                "the name of an upload has letters, digits and ._-+=@, with no leading dot, and does not end in .done, "
                    + ".part or .tmp")
        }
        return name
    }
}
