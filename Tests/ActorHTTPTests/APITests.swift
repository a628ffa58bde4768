import ActorCore
import ActorRuntime
import ActorTesting
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import ActorHTTP

@Suite("/api/v1")
struct APITests {
    static let admin = House.adminToken
    static let rows: [Row] = [
        Row(
            name: "actors", path: "/api/v1/actors", token: House.bobToken, status: 200,
            has: [
                #""name":"hello""#, #""run":"builtin/echo""#, #""waiting":0"#, #""quarantined":[{"folder":"#,
                #""line":3"#, #""next":null"#,
            ]),
        Row(name: "one actor", path: "/api/v1/actors/hello", token: admin, status: 200, has: [#""id":"R4Xo""#]),
        Row(name: "one actor by id", path: "/api/v1/actors/R4Xo", token: admin, status: 200),
        Row(
            name: "no actor", path: "/api/v1/actors/nobody", token: admin, status: 404,
            has: [
                #""type":"urn:reactord:problem:not-found""#, #""title":"Not found""#, #""status":404"#,
                #""detail":"Actor with identifier 'nobody' not found""#,
            ], answers: ["Content-Type": "application/problem+json"]),
        Row(
            name: "machine", path: "/api/v1/fsm", token: admin, status: 200,
            has: [
                #""initial":"CREATED""#, #"{"name":"run","from":["CREATED","RUNNING"],"to":"RUNNING"}"#,
                #"{"name":"resource","from":["CREATED","RUNNING"],"to":null}"#,
            ]),
        Row(name: "jobs", path: "/api/v1/jobs", token: admin, status: 200, has: [#"{"jobs":[],"next":null}"#]),
        Row(
            name: "bad status", path: "/api/v1/jobs?status=DONE", token: admin, status: 400,
            has: ["status must be one of CREATED"]),
        Row(name: "bad limit", path: "/api/v1/jobs?limit=0", token: admin, status: 400, has: [#""place":"limit""#]),
        Row(name: "no job", path: "/api/v1/jobs/1071", token: admin, status: 404),
        Row(name: "no execution", path: "/api/v1/executions/R4Xo", token: admin, status: 404),
        Row(name: "bad cursor", path: "/api/v1/executions?before=x", token: admin, status: 400),
        Row(
            name: "earlier machine", path: "/api/v1/fsm?machine=v1", token: admin, status: 200,
            has: [#""machine":"v1_seed_era""#, #""RETIRED":{"run":null"#], lacks: ["INDEXING", "RESET"]),
        Row(
            name: "no such machine", path: "/api/v1/fsm?machine=v3", token: admin, status: 400,
            has: [#""place":"machine""#, "v2_head, v2_0_0, v1_seed_era"]),
        Row(
            name: "machine drawn", path: "/api/v1/fsm.svg", token: admin, status: 200,
            has: ["<svg xmlns=", #"data-from="RUNNING" data-to="FINISHED""#, "</svg>"],
            answers: ["Content-Type": "image/svg+xml"]),
        Row(
            name: "bad form", path: "/api/v1/jobs?form=3", token: admin, status: 400, has: [#""place":"form""#]),
        Row(
            name: "event without a name", method: .post,
            path: "/api/v1/jobs/a7833f39-b676-54c4-8347-be141a5ba105/events", token: admin, body: "{}", status: 400,
            has: [#""place":"/event""#]),
        Row(
            name: "event of no job", method: .post, path: "/api/v1/jobs/meep/events", token: admin,
            body: #"{"event":"run"}"#, status: 400, has: ["meep is no UUID of a job"]),
        Row(
            name: "renewal with what it does not take", method: .post,
            path: "/api/v1/jobs/a7833f39-b676-54c4-8347-be141a5ba105/token", token: admin, body: #"{"days":3}"#,
            status: 400, has: [#""place":"/days""#]),
        Row(
            name: "admin token for others", method: .post, path: "/api/v1/admin-token", token: House.bobToken,
            status: 403),
        Row(
            name: "no pipeline", method: .post, path: "/api/v1/jobs", token: admin, body: "{}", status: 400,
            has: [#""place":"/pipeline_uuid""#]),
        Row(
            name: "unknown field", method: .post, path: "/api/v1/jobs", token: admin,
            body: #"{"pipeline_uuid":"x","image":"evil"}"#, status: 400, has: [#""place":"/image""#]),
        Row(
            name: "duplicate key", method: .post, path: "/api/v1/jobs", token: admin,
            body: #"{"data":1,"data":2}"#, status: 400, has: [#""place":"byte 10""#]),
        Row(name: "no letter", method: .post, path: "/api/v1/dead-letters/7/replay", token: admin, status: 404),
        Row(name: "no number", method: .delete, path: "/api/v1/dead-letters/x", token: admin, status: 404),
        Row(
            name: "all letters", method: .post, path: "/api/v1/dead-letters/replay", token: admin, status: 202,
            has: [#"{"replayed":[],"next":null}"#]),
        Row(name: "no letter to read", path: "/api/v1/dead-letters/7", token: admin, status: 404),
        Row(name: "letters of nobody", path: "/api/v1/dead-letters?actor=nobody", token: admin, status: 404),
        Row(name: "letters before x", path: "/api/v1/dead-letters?before=x", token: admin, status: 400),
        Row(
            name: "letters after x", method: .post, path: "/api/v1/dead-letters/replay?after=x", token: admin,
            status: 400),
        Row(name: "uploads", path: "/api/v1/uploads", token: admin, status: 200, has: [#"{"uploads":[]"#]),
        Row(name: "pipelines", path: "/api/v1/pipelines", token: admin, status: 200, has: [#"{"pipelines":[]"#]),
        Row(
            name: "wrong method", method: .delete, path: "/api/v1/pipelines", token: admin, status: 405,
            answers: ["Allow": "GET, POST, HEAD"]),
        Row(name: "no path", path: "/api/v1/nothing", token: admin, status: 404),
    ]

    @Test("answers", arguments: rows)
    func answer(_ row: Row) async throws { try await House().expect(row) }

    @Test("nonces are made by admins, and the audit names who")
    func nonces() async throws {
        let house = House()
        try await house.expect(
            Row(
                name: "create", method: .post, path: "/api/v1/actors/hello/nonces", token: Self.admin,
                body: #"{"level":"READ","max_uses":3}"#, status: 201,
                has: [#""level":"READ""#, #""remaining_uses":3"#, #""actor_id":"R4Xo""#]))
        try await house.expect(
            Row(
                name: "list", path: "/api/v1/actors/hello/nonces", token: Self.admin, status: 200, has: ["DEV-DEVELOP_"]
            ))
        try await house.expect(
            Row(
                name: "list for others", path: "/api/v1/actors/hello/nonces", token: House.bobToken, status: 200,
                lacks: ["DEV-DEVELOP_"]))
        try await house.expect(
            Row(
                name: "audit", path: "/api/v1/audit", token: Self.admin, status: 200,
                has: [#""who":"admin","action":"nonce.create","target":"R4Xo","outcome":"ok""#]))
    }

    @Test("a job's token and callback are for its owner and admins")
    func secrets() async throws {
        let house = House()
        let job = try await house.addJob(owner: "ann")
        for (token, sees) in [(House.annToken, true), (Self.admin, true), (House.bobToken, false)] {
            for path in ["/api/v1/jobs", "/api/v1/jobs/\(job)", "/api/v1/jobs?history=true"] {
                let answer = try await house.test { client in
                    try await Row(name: path, path: path, token: token, status: 200).send(client)
                }
                #expect(answer.text.contains("token-of-the-job") == sees, "\(token) \(path)")
                #expect(answer.text.contains("x-nonce=") == sees)
                #expect(answer.text.contains("\"archive_folder\":\"/archive/products/x\""))
                #expect(answer.text.contains("\"history\"") == !path.hasSuffix("jobs"))
            }
        }
        try await house.expect(
            Row(
                name: "history", path: "/api/v1/jobs/\(job)/history", token: House.bobToken, status: 200,
                has: [#"{"history":[{"CREATE":{"date":"2023-"#, #""data":null}}]"#, #""refused":[]"#]))
        for query in ["?status=CREATED", "?status=running", "?session=s", "?session=t"] {
            let found = query == "?status=CREATED" || query == "?session=s"
            try await house.expect(
                Row(
                    name: query, path: "/api/v1/jobs\(query)", token: House.bobToken, status: 200,
                    has: found ? [job] : [#""jobs":[]"#]))
        }
    }

    @Test("a new job is made by its keeper, and answered with what the keeper said")
    func create() async throws {
        let house = House()
        try await house.running {
            try await house.expect(
                Row(
                    name: "create", method: .post, path: "/api/v1/jobs", token: House.annToken,
                    body: #"{"pipeline_uuid":"1061","data":{"a":1}}"#, status: 201,
                    has: [#""uuid":"1071""#, #""sent":{"pipeline_uuid":"1061","data":{"a":1}}"#]))
            try await house.expect(
                Row(
                    name: "refused", method: .post, path: "/api/v1/jobs", token: House.annToken,
                    body: #"{"pipeline_uuid":"refuse"}"#, status: 409,
                    has: ["No pipeline exists with UUID refuse", "urn:reactord:problem:refused-transition"]))
            try await house.expect(
                Row(
                    name: "its sender sees the result", path: "/api/v1/executions", token: House.annToken, status: 200,
                    has: ["secret-token-of-the-job", #""outcome":"succeeded""#]))
            try await house.expect(
                Row(
                    name: "strangers do not", path: "/api/v1/executions", token: House.bobToken, status: 200,
                    has: [#""result":null"#], lacks: ["secret-token-of-the-job"]))
            let id = try #require(
                try await house.store.executions(of: House.strictID, before: nil, limit: 9).last?.id.rawValue)
            try await house.expect(
                Row(
                    name: "one", path: "/api/v1/executions/\(id)", token: House.bobToken, status: 200,
                    has: [#""attempt_list":[{"number":1"#], lacks: ["secret-token-of-the-job"]))
            for query in ["", "?follow=true"] {
                try await house.expect(
                    Row(
                        name: "log", path: "/api/v1/executions/\(id)/logs\(query)", token: House.bobToken, status: 200,
                        has: ["echo"], answers: ["Content-Type": "text/plain; charset=utf-8"]))
            }
            try await house.expect(
                Row(
                    name: "too late to cancel", method: .delete, path: "/api/v1/executions/\(id)", token: Self.admin,
                    status: 200, has: [#"{"cancelled":false}"#]))
            try await house.expect(Row(name: "ready", path: "/readyz", status: 200))
        }
    }

    @Test("executions come in pages")
    func pages() async throws {
        let house = House()
        let send = Row(
            name: "send", method: .post, path: "/actors/v2/hello/messages", token: Self.admin,
            type: "application/json", body: "[1]", status: 200)
        for _ in 0..<3 { try await house.expect(send) }
        let first = try await house.test { client in
            try await Row(name: "1", path: "/api/v1/executions?actor=hello&limit=2", token: Self.admin, status: 200)
                .send(client)
        }.json
        #expect(first["executions"]?.array?.count == 2)
        let cursor = try #require(first["next"]?.string)
        let second = try await house.test { client in
            try await Row(
                name: "2", path: "/api/v1/executions?actor=hello&limit=2&before=\(cursor)", token: Self.admin,
                status: 200
            ).send(client)
        }.json
        #expect(second["executions"]?.array?.count == 1)
        #expect(second["next"] == .null)
    }

    @Test("the event stream tells what was committed and ends with the bus")
    func events() async throws {
        let house = House()
        let responder = house.front.router().buildResponder()
        func listen(_ query: String) async throws -> Response {
            let request = Request(
                head: HTTPRequest(
                    method: .get, scheme: "http", authority: "localhost", path: "/api/v1/events\(query)",
                    headerFields: [.authorization: "Bearer \(House.bobToken)"]),
                body: RequestBody(buffer: ByteBuffer()))
            return try await responder.respond(to: request, context: TestChannel.context())
        }
        // It has subscribed when it answers; the body is written afterwards.
        let answer = try await listen("")
        let (same, others) = (try await listen("?actor=hello"), try await listen("?actor=door"))
        let chosen = try await listen("?type=reactord.message.accepted,job.moved")
        #expect(try await listen("?actor=nobody").status == .notFound)
        #expect(try await listen("?type=message.acepted").status == .badRequest)
        #expect(answer.headers[.contentType] == "text/event-stream; charset=utf-8")
        try await house.expect(
            Row(
                name: "send", method: .post, path: "/actors/v2/hello/messages", token: Self.admin,
                type: "application/json", body: "[1]", status: 200))
        house.system.events.close()
        func text(of answer: Response) async throws -> String {
            let collector = Collector()
            try await answer.body.write(collector)
            return collector.text
        }
        let told = try await text(of: answer)
        #expect(try await text(of: same) == told)
        #expect(try await text(of: chosen) == told)
        #expect(try await text(of: others) == ": connected\n\n")
        #expect(told.hasPrefix(": connected\n\nid: "))
        #expect(told.contains("event: message.accepted\ndata: {\"actor_id\":\"R4Xo\",\"execution_id\":\""))
    }
}

extension House {
    /// The runtime at work while `body` runs.
    func running(_ body: @escaping () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await system.run() }
            while !system.isReady { await Task.yield() }
            try await body()
            group.cancelAll()
        }
    }

    func addJob(owner: String) async throws -> String {
        let now = clock.now()
        let uuid = "1074d3c3-2b1c-5e42-820d-b822aa4b3990"
        let receipt = try await system.send(
            MessageDraft(actor: House.helloID, body: Array("[1]".utf8), sender: owner))
        let envelope = try #require(try await store.waiting(for: House.helloID).first)
        var effects = Effects()
        effects.jobs = [
            .create(
                JobRecord(
                    uuid: JobID(uuid), pipeline: PipelineID("1061"), path: "/products/x", data: ["upload": "u"],
                    actor: nil, execution: receipt.execution, session: "s", owner: owner,
                    key: JobKey(token: "token-of-the-job", salt: "salt"),
                    created: now, updated: now),
                JobHistoryEntry(name: "create", date: now, data: .null))
        ]
        try await store.begin(envelope, attempt: 1, at: now)
        try await store.commit(effects, of: envelope, at: now)
        return uuid
    }
}
