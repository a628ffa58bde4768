import ActorCore
import ActorRuntime
import ActorTesting
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import ActorHTTP

@Suite("what clients of the old service read in answers")
struct OldClientTests {
    private static let actors = "/actors/v2/R4Xo"

    private func get(_ house: House, _ path: String) async throws -> JSONValue {
        let row = Row(name: path, path: path, token: House.annToken, status: 200)
        let answer = try await house.test { try await row.send($0) }
        row.check(answer, sourceLocation: #_sourceLocation)
        return answer.json["result"] ?? .null
    }

    private func names(_ document: JSONValue) -> [String] { document.object?.map(\.name) ?? [] }

    private func send(_ house: House, from sender: String = "bob") async throws -> ExecutionID {
        try await house.system.send(MessageDraft(actor: House.helloID, body: Array("{}".utf8), sender: sender))
            .execution
    }

    @Test("an execution that ended without a code says so, and one that waits has none")
    func exitCode() async throws {
        for isCamel in [false, true] {
            let house = House(camelCase: isCamel)
            let id = try await send(house)
            let path = "\(Self.actors)/executions/\(id)"
            let name = isCamel ? "exitCode" : "exit_code"
            let waiting = try await get(house, path)
            #expect(isCamel ? !names(waiting).contains(name) : waiting[name]?.isNull == true)
            #expect(try await house.system.cancel(id))
            let ended = try await get(house, path)
            #expect(ended[name] == "undetermined")
            #expect(ended[isCamel ? "finalState" : "final_state"]?["ExitCode"] == "undetermined")
            #expect(try await get(house, "/v3/actors/R4Xo/executions/\(id)")["exit_code"] == "undetermined")
        }
    }

    @Test("the third generation's own fields")
    func thirdGeneration() async throws {
        let house = House()
        let make = Row(
            name: "make", method: .post, path: "/v3/actors", token: House.annToken, type: "application/json",
            body: #"{"image":"lab/any","run_as_executor":true}"#, status: 200, has: [#""run_as_executor":true"#])
        let made = try await house.test { try await make.send($0) }
        make.check(made, sourceLocation: #_sourceLocation)
        let id = try #require(made.json["result"]?["id"]?.string)
        #expect(try await get(house, "/v3/actors/\(id)")["run_as_executor"] == true)
        #expect(!names(try await get(house, "/actors/v2/\(id)")).contains("run_as_executor"))
        let execution = try await send(house)
        let third = try await get(house, "/v3/actors/R4Xo/executions/\(execution)")
        #expect(third["executor_uid"]?.isNull == true && third["executor_gid"]?.isNull == true)
        let second = try await get(house, "\(Self.actors)/executions/\(execution)")
        #expect(!names(second).contains("executor_uid"))
    }

    @Test("who executed: a user, a built-in actor, or the event of a link")
    func executor() async throws {
        let house = House()
        let linking = try await house.makeActor()
        for (sender, executor) in [
            ("bob", "bob"), ("actor:\(linking)", "Abaco Event"), ("actor:\(House.strictID)", "actor:\(House.strictID)"),
        ] {
            let id = try await send(house, from: sender)
            #expect(try await get(house, "\(Self.actors)/executions/\(id)")["executor"] == .string(executor))
        }
        let found = try await get(house, "\(Self.actors)/executions?executor=Abaco%20Event")
        #expect(found["search"]?.array?.count == 1)
    }

    @Test("of an execution that nobody knows there is no result")
    func unknownResult() async throws {
        let row = Row(
            name: "unknown", path: "\(Self.actors)/executions/xyWxv5zqvkZ6y/results", token: House.annToken,
            status: 200, answers: ["Content-Type": "application/octet-stream"])
        let answer = try await House().test { try await row.send($0) }
        row.check(answer, sourceLocation: #_sourceLocation)
        #expect(answer.text.isEmpty)
    }

    /// - Parameter change: what somebody else does while the body is on its way.
    private func put(
        _ house: House, _ path: String, _ body: String, after change: @escaping @Sendable () async throws -> Void
    ) async throws -> HTTPResponse.Status {
        let responder = house.front.router().buildResponder()
        let request = Request(
            head: HTTPRequest(
                method: .put, scheme: "http", authority: "localhost", path: path,
                headerFields: [.authorization: "Bearer \(House.adminToken)", .contentType: "application/json"]),
            body: RequestBody(asyncSequence: LateBody(text: body, before: change)))
        let answer = try await responder.respond(to: request, context: TestChannel.context())
        return answer.status
    }

    @Test("who changes what somebody deletes meanwhile is told that it is gone")
    func goneMeanwhile() async throws {
        let house = House()
        let (system, store) = (house.system, house.store)
        let alias = Alias(
            tenant: House.tenant, name: "doe", actor: House.helloID, owner: "admin", created: house.clock.now())
        try await system.create(alias)
        let moved = try await put(house, "/actors/v2/aliases/doe", #"{"actorId": "R4Xo"}"#) {
            _ = try await system.removeAlias("doe", tenant: House.tenant)
        }
        #expect(moved == .notFound)
        let config = SharedConfig(
            tenant: House.tenant, name: "c", value: "1", isSecret: false, actors: "R4Xo", created: house.clock.now(),
            updated: house.clock.now())
        try await store.create(config, owner: "admin")
        let replaced = try await put(house, "/actors/v2/configs/c", #"{"value": "2", "actors": "R4Xo"}"#) {
            _ = try await store.removeConfig("c", tenant: House.tenant)
        }
        #expect(replaced == .notFound)
        let outcomes = try await store.audits(limit: 10).map(\.outcome)
        #expect(outcomes.count { $0 == ActorError.Code.notFound.rawValue } == 2)
    }
}

/// A body that comes when something else has happened.
private struct LateBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let text: String
    let before: @Sendable () async throws -> Void

    func makeAsyncIterator() -> Iterator { Iterator(body: self) }

    struct Iterator: AsyncIteratorProtocol {
        var body: LateBody?

        mutating func next() async throws -> ByteBuffer? {
            guard let late = body else { return nil }
            body = nil
            try await late.before()
            return ByteBuffer(string: late.text)
        }
    }
}

@Suite("what the door adds to a message")
struct MessageDoorTests {
    private func draft(
        _ caller: Caller, query: String = "", type: String? = "application/json",
        run: RunSpec = .builtin("pipeline-jobs")
    ) throws -> MessageDraft {
        let now = Timestamp(milliseconds: 1_700_000_000_000)
        var spec = ActorSpec(
            id: House.strictID, tenant: House.tenant, name: "jobs", run: run, owner: "ann", created: now, updated: now)
        spec.settings = ["callback_maps": ["pbs": [:]]]
        let fields = MessageFields(contentType: ContentType(type), options: [:])
        return try MessageDoor(limits: Limits(), now: now)
            .draft(fields, query: FormItems(query), body: Array(#"{"a":1}"#.utf8), for: spec, from: caller).draft
    }

    private func caller(_ roles: Set<Role>, nonce: NonceID? = nil) -> Caller {
        Caller(principal: Principal(username: "root", tenant: House.tenant, roles: roles, nonce: nonce))
    }

    private static let byAdmin = EnvironmentEntry(JobAuthority.senderRole, "admin")

    @Test("the manager of jobs is told of an admin by the admin's own token alone")
    func admins() throws {
        #expect(try draft(caller([.admin])).environment == [Self.byAdmin])
        #expect(try draft(caller([.user])).environment.isEmpty)
        // Those of executions are users'.
        #expect(try draft(caller([.admin], nonce: NonceID("n"))).environment.isEmpty)
        #expect(try draft(caller([.admin]), run: .command(["true"])).environment.isEmpty)
        let forged = "\(JobAuthority.senderRole)=admin&\(JobAuthority.variable)=admin"
        #expect(try draft(caller([.user]), query: forged).environment.isEmpty)
    }

    @Test("JSON that does not call itself so is told as text")
    func contentType() throws {
        let told = try draft(caller([.user]), query: "_abaco_Content_Type=theirs", type: "text/plain")
        #expect(told.kind == .json && told.environment == [EnvironmentEntry(MessageKind.variable, "str")])
        #expect(try draft(caller([.user])).environment.isEmpty)
    }

    @Test("a callback that is to be read by a table which is not there is refused")
    func tables() throws {
        for map in ["argo", "pbs"] {
            #expect(throws: Never.self) { try draft(caller([.user]), query: "uuid=U&status=Error&map=\(map)") }
        }
        for map in ["agro", ""] {
            let refusal = #expect(throws: ActorError.self) {
                try draft(caller([.user]), query: "uuid=U&status=Error&map=\(map)")
            }
            #expect(refusal?.message.contains("argo") == true && refusal?.details.first?.place == "map")
        }
        // Elsewhere it is a parameter like any other.
        #expect(throws: Never.self) { try draft(caller([.user]), query: "uuid=U&map=x", run: .command(["true"])) }
    }
}
