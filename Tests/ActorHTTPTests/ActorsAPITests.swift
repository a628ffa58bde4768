import ActorCore
import ActorRuntime
import ActorTesting
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import ActorHTTP

@Suite("the actors API")
struct ActorsAPITests {
    static let admin = House.adminToken
    static let rows: [Row] = [
        Row(
            name: "slashes are merged", method: .post, path: "/v3//actors/R4Xo///messages", token: admin,
            type: "application/json", body: #"{"a":1}"#, status: 200, has: [#""msg":{"a":1}"#]),
        Row(name: "a slash at the end", path: "/actors/v2/", token: admin, status: 200, has: ["retrieved"]),
        Row(name: "the plain prefix", path: "/actors/hello", token: admin, status: 200, has: [#""name":"hello""#]),
        Row(name: "HEAD", method: .head, path: "/actors/v2/hello", token: admin, status: 200),
        Row(
            name: "no such alias", path: "/actors/v2/nobody", token: admin, status: 404,
            has: ["Actor with identifier 'nobody' not found"]),
        Row(
            name: "no such id, admin", path: "/actors/v2/xyWxv5zqvkZ6y", token: admin, status: 404,
            has: ["No actor found with identifier: xyWxv5zqvkZ6y."]),
        Row(
            name: "no such id, admin, its mailbox", path: "/v3/actors/xyWxv5zqvkZ6y/messages", token: admin,
            status: 404, has: ["No actor found with id: xyWxv5zqvkZ6y."]),
        Row(
            name: "no such id, admin, its executions", path: "/actors/xyWxv5zqvkZ6y/executions", token: admin,
            status: 404, has: ["No actor found with id: xyWxv5zqvkZ6y."]),
        Row(
            name: "no such id, user", path: "/actors/v2/xyWxv5zqvkZ6y", token: House.bobToken, status: 400,
            has: ["Actor DEV-DEVELOP_xyWxv5zqvkZ6y does not exist"]),
        Row(
            name: "wrong method", method: .put, path: "/actors/v2/hello/messages", token: admin, status: 405,
            has: [
                "Invalid request: the API endpoint does not exist or the provided HTTP method is not allowed.",
                #""result":null"#,
            ], answers: ["Allow": "GET, POST, DELETE, HEAD, OPTIONS"]),
        Row(
            name: "no such endpoint", path: "/actors/v2/hello/nothing/here", token: admin, status: 404,
            has: ["the API endpoint does not exist"]),
        Row(
            name: "any origin may read", path: "/v3/actors", token: admin, status: 200,
            answers: ["Access-Control-Allow-Origin": "*", "Content-Type": "application/json"]),
        Row(
            name: "OPTIONS needs no token", method: .options, path: "/actors/v2/hello/messages", status: 200,
            answers: ["Allow": "GET, POST, DELETE, HEAD, OPTIONS", "Access-Control-Allow-Origin": "*"]),
        Row(
            name: "a preflight", method: .options, path: "/actors/v2/hello/messages",
            headers: [
                "Origin": "http://example.com", "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "x-foo",
            ], status: 200,
            answers: [
                "Access-Control-Allow-Origin": "http://example.com", "Access-Control-Allow-Headers": "x-foo",
                "Access-Control-Allow-Methods": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
            ]),
        Row(name: "count", path: "/v3/actors/hello/messages", token: admin, status: 200, has: [#""messages":0"#]),
        Row(
            name: "deep JSON", method: .post, path: "/actors/v2/hello/messages", token: admin,
            type: "application/json", body: String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
            status: 400, has: ["byte 64", "nested deeper than 64"]),
        Row(
            name: "duplicate keys", method: .post, path: "/actors/v2/hello/messages", token: admin,
            type: "application/json", body: #"{"a":1,"a":2}"#, status: 400, has: ["byte 7", "duplicate key"]),
        Row(
            name: "schema violation", method: .post, path: "/actors/v2/pipeline-jobs-manager/messages", token: admin,
            type: "application/json", body: #"{"a":1}"#, status: 400, has: ["/greeting: must be a string"]),
        Row(
            name: "schema satisfied", method: .post, path: "/actors/v2/pipeline-jobs-manager/messages", token: admin,
            type: "application/json", body: #"{"greeting":"hi"}"#, status: 200),
        Row(
            name: "packed bodies are refused", method: .post, path: "/actors/v2/hello/messages", token: admin,
            type: "application/json", headers: ["Content-Encoding": "gzip"], body: "x", status: 415),
        Row(
            name: "state of a stateless actor", method: .post, path: "/actors/v2/pipeline-jobs-manager/state",
            token: admin, type: "application/json", body: #"{"a":1}"#, status: 404, has: ["actor is stateless."]),
        Row(
            name: "replacing what a folder declares", method: .put, path: "/actors/v2/hello", token: admin,
            type: "application/json", body: #"{"image":"x","stateless":false}"#, status: 409,
            has: ["is declared by a folder", "actor.yml"]),
        Row(
            name: "deleting what a folder declares", method: .delete, path: "/actors/v2/hello", token: admin,
            status: 409, has: ["is declared by a folder"]),
        Row(
            name: "a variable that chooses the program", method: .post, path: "/actors/v2/hello/messages?PATH=/evil",
            token: admin, type: "application/json", body: #"{"a":1}"#, status: 400,
            has: ["the environment variable PATH may not be set by a message"]),
        Row(
            name: "a variable that its actor.yml sets", method: .post,
            path: "/actors/v2/hello/messages?GREETING=theirs", token: admin, type: "application/json",
            body: #"{"greeting":"x"}"#, status: 400,
            has: ["the environment variable GREETING may not be set by a message: the actor.yml of hello sets it"]),
        Row(
            name: "an actor that would choose it", method: .post, path: "/v3/actors", token: admin,
            type: "application/json", body: #"{"image":"lab/any","default_environment":{"PATH":"/evil"}}"#,
            status: 400, has: ["PATH may not be set"]),
        Row(
            name: "a schedule that means something else", method: .post, path: "/v3/actors", token: admin,
            type: "application/json", body: ##"{"image":"lab/any","cron_schedule":"*/90 * * * *"}"##,
            status: 400, has: ["means minute 0 alone, not every 90 minutes"]),
        Row(
            name: "an alias that a folder has", method: .post, path: "/v3/actors/aliases", token: admin,
            type: "application/json", body: #"{"alias":"hello","actor_id":"R4Xo"}"#, status: 400,
            has: ["Alias hello already exists."]),
        Row(
            name: "accounts are kept by the daemon", method: .post, path: "/v3/actors/hello/executions", token: admin,
            type: "application/json", body: #"{"runtime":1,"cpu":2,"io":3}"#, status: 400,
            has: ["Required field executor missing."]),
        Row(
            name: "a tag that is none", method: .post, path: "/actors/v2/hello/state", token: admin,
            type: "application/json", headers: ["If-Match": "3"], body: #"{"a":1}"#, status: 400,
            has: ["If-Match takes the ETag"]),
        Row(
            name: "falsy state", method: .post, path: "/actors/v2/hello/state", token: admin,
            type: "application/json", body: "{}", status: 400, has: ["state must be JSON serializable"]),
        Row(
            name: "state by form", method: .post, path: "/actors/v2/hello/state", token: admin,
            type: "application/x-www-form-urlencoded", body: "a=1", status: 400, has: ["must be JSON serializable"]),
        Row(
            name: "missing execution", path: "/actors/v2/hello/executions/R4Xo", token: admin, status: 400,
            has: ["No executions found with actor id of R4Xo and execution id of R4Xo."]),
        Row(
            name: "missing nonce", path: "/actors/v2/hello/nonces/DEV-DEVELOP_x", token: admin, status: 400,
            has: ["Nonce not found."]),
        Row(
            name: "nonce level", method: .post, path: "/actors/v2/hello/nonces", token: admin,
            type: "application/json", body: #"{"level":"ALL"}"#, status: 400, has: ["must be one of"]),
        Row(
            name: "nonce uses", method: .post, path: "/actors/v2/hello/nonces", token: admin,
            type: "application/x-www-form-urlencoded", body: "max_uses=0", status: 400,
            has: ["positive integer or -1"]),
    ]

    @Test("answers", arguments: rows)
    func answer(_ row: Row) async throws { try await House().expect(row) }

    private static let actorKeys = [
        "_links", "create_time", "cron_next_ex", "cron_on", "cron_schedule", "default_environment", "description",
        "gid", "hints", "id", "image", "last_update_time", "link", "log_ex", "max_cpus", "max_workers", "mem_limit",
        "mounts", "name", "owner", "privileged", "queue", "revision", "state", "stateless", "status",
        "status_message", "tasdir", "token", "type", "uid", "use_container_uid", "webhook",
    ]

    @Test("an actor has the recorded keys, in snake and in camel case")
    func actorKeys() async throws {
        let read = Row(name: "actor", path: "/actors/v2/hello", token: Self.admin, status: 200)
        let snake = try await House().test { try await read.send($0) }.json["result"]
        #expect(snake?.object?.map(\.name) == Self.actorKeys)
        #expect(snake?["_links"]?["self"]?.string == "http://lab.example:8000/actors/v2/R4Xo")
        #expect(snake?["_links"]?["owner"]?.string == "http://lab.example:8000/profiles/v2/ann")
        let camel = try await House(camelCase: true).test { try await read.send($0) }.json["result"]
        #expect(camel?["lastUpdateTime"] != nil)
        #expect(camel?["defaultEnvironment"] == ["GREETING": "hello"])
        #expect(camel?.object?.contains { $0.value.isNull } == false, "camelCase drops nulls")
        let third = Row(name: "actor", path: "/v3/actors/hello", token: Self.admin, status: 200)
        let always = try await House(camelCase: true).test { try await third.send($0) }.json["result"]
        #expect(always?.object?.map(\.name) == Self.actorKeys + ["run_as_executor"])
        #expect(always?["_links"]?["self"]?.string == "http://lab.example:8000/v3/actors/R4Xo")
    }

    @Test("a schedule is shown in the words of old clients")
    func schedule() async throws {
        let house = House()
        var spec = try #require(house.system.spec(House.helloID))
        spec.schedule = try Schedule("2078-09-6 20 + 3 months")
        house.system.install([spec], quarantined: [])
        let read = Row(
            name: "actor", path: "/actors/v2/hello", token: Self.admin, status: 200,
            has: [#""cron_on":true"#, #""cron_schedule":"2078-09-6 20 + 3 months""#, #""cron_next_ex":null"#])
        try await house.expect(read)
        let start = try #require(Timestamp.utc(year: 2078, month: 9, day: 6, hour: 20))
        try await house.store.setSchedule(
            ScheduleRecord(schedule: "2078-09-6 20 + 3 months", anchor: start, next: start), of: House.helloID)
        try await house.expect(
            Row(
                name: "planned", path: "/actors/v2/hello", token: Self.admin, status: 200,
                has: [#""cron_next_ex":"2078-09-6 20""#]))
    }

    @Test("an actor that has a schedule which is refused by now can be changed all the same")
    func oldSchedule() async throws {
        let house = House()
        var definition = ActorDefinition(image: "lab/any")
        definition.cronSchedule = "*/90 * * * *"
        definition.cronOn = true
        let made = try await house.system.make(definition, owner: "ann", tenant: House.tenant)
        #expect(made.schedule?.text == "*/90 * * * *")
        try await house.expect(
            Row(
                name: "changed", method: .put, path: "/v3/actors/\(made.id)", token: Self.admin,
                type: "application/json",
                body: #"{"image":"lab/other","cron_schedule":"*/90 * * * *","cron_on":true}"#, status: 200,
                has: [#""cron_on":true"#]))
    }

    @Test("a message is stored as it came, with its query as environment, and can be looked up")
    func message() async throws {
        let house = House()
        let body = "{ \"a\" : 1.50, \"b\": null }"
        let send = Row(
            name: "send", method: .post, path: "/actors/v2/hello/messages?uuid=U&token=T", token: House.bobToken,
            type: "application/json", body: body, status: 200)
        let answer = try await house.test { try await send.send($0) }.json
        let id = try #require(answer["result"]?["execution_id"]?.string)
        #expect(answer["message"] == "The request was successful")
        #expect(answer["status"] == "success")
        #expect(answer["version"] == "dev")
        let links = answer["result"]?["_links"]
        #expect(links?["self"]?.string == "http://lab.example:8000/actors/v2/R4Xo/executions/\(id)")
        #expect(links?["messages"]?.string == "http://lab.example:8000/actors/v2/R4Xo/messages")
        let stored = try #require(try await house.store.waiting(for: House.helloID).first)
        #expect(stored.message.body == Array(body.utf8))
        #expect(stored.message.sender == "bob")
        #expect(stored.parameter("uuid") == "U")
        #expect(stored.parameter("_abaco_username") == nil)
        let look = Row(
            name: "look", path: "/actors/v2/hello/executions/\(id)", token: House.bobToken, status: 200,
            has: [#""status":"SUBMITTED""#, #""worker_id":null"#, #""start_time":"None""#])
        try await house.expect(look)
        try await house.expect(
            Row(
                name: "list", path: "/actors/v2/R4Xo/executions", token: House.bobToken, status: 200,
                has: [id, #""total_executions":1"#]))
        try await house.expect(
            Row(
                name: "force quit what waits", method: .delete, path: "/actors/v2/R4Xo/executions/\(id)",
                token: House.annToken, status: 400,
                has: [
                    "Cannot force quit an execution not in RUNNING status. "
                        + "Execution was found in status: SUBMITTED"
                ]))
        #expect(try await house.store.waiting(for: House.helloID).count == 1, "its message stays")
        try await house.expect(
            Row(
                name: "withdraw", method: .delete, path: "/api/v1/executions/\(id)", token: House.annToken,
                status: 200, has: [#""cancelled":true"#]))
        try await house.expect(
            Row(
                name: "force quit what has ended", method: .delete, path: "/actors/v2/R4Xo/executions/\(id)",
                token: House.annToken, status: 400, has: ["Execution was found in status: COMPLETE"]))
    }

    @Test("an idempotency key answers like the first time, and refuses another body")
    func idempotency() async throws {
        let house = House()
        var send = Row(
            name: "send", method: .post, path: "/actors/v2/hello/messages", token: Self.admin,
            type: "application/json", headers: ["Idempotency-Key": "k1"], body: "[1]", status: 200)
        let first = try await house.test { [send] in try await send.send($0) }.json["result"]?["execution_id"]
        let second = try await house.test { [send] in try await send.send($0) }.json["result"]?["execution_id"]
        #expect(first != nil && first == second)
        send.body = "[2]"
        send.status = 422
        try await house.expect(send)
        send.headers = ["Idempotency-Key": String(repeating: "k", count: 256)]
        send.status = 400
        try await house.expect(send)
    }

    @Test("a key that a sender guesses is none of the house's own")
    func guessedKey() async throws {
        let house = House()
        let send = Row(
            name: "send", method: .post, path: "/actors/v2/hello/messages", token: Self.admin,
            type: "application/json", headers: ["Idempotency-Key": "cron:60000"], body: "[1]", status: 200)
        try await house.expect(send)
        let due = MessageDraft(
            actor: House.helloID, body: Array("due".utf8), kind: .text, sender: "cron",
            idempotency: IdempotencyKey(key: "cron:60000"))
        let first = try await house.system.send(due)
        let second = try await house.system.send(due)
        #expect(!first.repeated && second.repeated)
    }

    @Test("what the query says is part of what a key stands for, but for what lets it in")
    func keyOfQuery() async throws {
        let house = House()
        func send(_ query: String, status: Int) -> Row {
            Row(
                name: query, method: .post, path: "/actors/v2/hello/messages?\(query)", token: Self.admin,
                headers: ["Idempotency-Key": "k"], status: status)
        }
        let first = send("message=A&PLATE=1", status: 200)
        for row in [first, first, send("message=A&PLATE=1&x-nonce=unused", status: 200)] { try await house.expect(row) }
        #expect(try await house.store.waiting(for: House.helloID).count == 1)
        try await house.expect(send("message=B&PLATE=1", status: 422))
        try await house.expect(send("message=A&PLATE=2", status: 422))
    }

    @Test("a full mailbox is 429 with a time to come back")
    func full() async throws {
        let house = House { $0.maxMailbox = 1 }
        var send = Row(
            name: "send", method: .post, path: "/actors/v2/hello/messages", token: Self.admin,
            type: "application/json", body: "[1]", status: 200)
        try await house.expect(send)
        send.status = 429
        send.answers = ["Retry-After": "5"]
        try await house.expect(send)
    }

    @Test("state goes round")
    func state() async throws {
        let house = House()
        try await house.expect(
            Row(
                name: "set", method: .post, path: "/actors/v2/hello/state", token: House.annToken,
                type: "application/json", body: #"{"n":[1,"x"]}"#, status: 200,
                has: [#""state":{"n":[1,"x"]}"#, "State updated successfully."]))
        try await house.expect(
            Row(
                name: "get", path: "/actors/v2/hello/state", token: House.bobToken, status: 200,
                has: [#""result":{"state":{"n":[1,"x"]}}"#]))
        #expect(try await house.store.audits(limit: 10).first?.action == "state.replace")
    }

    @Test("who writes a state with If-Match overwrites nothing unseen")
    func stateRevisions() async throws {
        let house = House()
        let path = "/actors/v2/hello/state"
        try await house.expect(
            Row(name: "none yet", path: path, token: House.annToken, status: 200, answers: ["ETag": "\"0\""]))
        var write = Row(
            name: "first", method: .post, path: path, token: House.annToken, type: "application/json",
            headers: ["If-Match": "\"0\""], body: #"{"n":1}"#, status: 200, answers: ["ETag": "\"1\""])
        try await house.expect(write)
        write.status = 412
        write.answers = [:]
        write.has = ["the state has changed: it is at revision 1, not 0"]
        try await house.expect(write)
        write.headers = ["If-Match": "*"]
        write.status = 200
        write.has = []
        try await house.expect(write)
        try await house.expect(
            Row(
                name: "read", path: path, token: House.annToken, status: 200, has: [#""state":{"n":1}"#],
                answers: ["ETag": "\"2\""]))
    }

    @Test("an actor that is made has a schema of its own, which is checked at the door")
    func schema() async throws {
        let house = House()
        let make = Row(
            name: "make", method: .post, path: "/v3/actors", token: House.bobToken, type: "application/json",
            body: #"{"image":"lab/any","message_schema":{"type":"object"}}"#, status: 200,
            has: [#""message_schema":{"type":"object"}"#])
        let made = try await house.test { try await make.send($0) }
        make.check(made, sourceLocation: #_sourceLocation)
        let id = try #require(made.json["result"]?["id"]?.string)
        let path = "/v3/actors/\(id)/messages"
        try await house.expect(
            Row(
                name: "no match", method: .post, path: path, token: House.bobToken, type: "application/json",
                body: #"{"a":1}"#, status: 400, has: ["/greeting: must be a string"]))
        try await house.expect(
            Row(
                name: "a match", method: .post, path: path, token: House.bobToken, type: "application/json",
                body: #"{"greeting":"hi"}"#, status: 200))
        try await house.expect(
            Row(
                name: "a stranger of the same tenant", path: "/v3/actors/\(id)", token: House.annToken, status: 400,
                has: ["Not authorized -- you do not have access to this actor."]))
    }

    @Test("what a limited user has made stays a limited user's, whoever changes it")
    func limitedOwner() async throws {
        let house = House()
        func send(_ method: HTTPRequest.Method, _ path: String, _ token: String) async throws -> ActorDefinition? {
            let row = Row(
                name: path, method: method, path: path, token: token, type: "application/json",
                body: #"{"image":"lab/any"}"#, status: 200)
            let answer = try await house.test { try await row.send($0) }
            row.check(answer, sourceLocation: #_sourceLocation)
            let id = try #require(answer.json["result"]?["id"]?.string)
            return house.system.spec(ActorID(id))?.definition
        }
        #expect(try await send(.post, "/v3/actors", House.bobToken)?.isOfLimitedUser == false)
        let made = try #require(try await send(.post, "/v3/actors", "lim-token"))
        #expect(made.isOfLimitedUser)
        #expect(ActorDefinition(json: made.json)?.isOfLimitedUser == true, "and after a restart")
        let id = try #require(house.system.statuses(tenant: nil).first { $0.spec.owner == "lim" }?.spec.id)
        #expect(try await send(.put, "/v3/actors/\(id)", Self.admin)?.isOfLimitedUser == true)
    }

    @Test("a nonce is made, opens what it should, and is shown to nobody else")
    func nonces() async throws {
        let house = House(camelCase: true)
        let create = Row(
            name: "create", method: .post, path: "/actors/v2/R4Xo/nonces", token: House.annToken,
            type: "application/json", body: #"{"level":"EXECUTE","maxUses":2,"description":"d"}"#, status: 200)
        let made = try await house.test { try await create.send($0) }.json["result"]
        let id = try #require(made?["id"]?.string)
        #expect(id.hasPrefix("DEV-DEVELOP_") && id.count > 30)
        #expect(made?["remainingUses"] == 2 && made?["lastUseTime"] == "None" && made?["roles"] == ["user"])
        try await house.expect(
            Row(
                name: "use", method: .post, path: "/actors/v2/R4Xo/messages?x-nonce=\(id)", type: "application/json",
                body: "[1]", status: 200))
        try await house.expect(
            Row(
                name: "others do not see it", path: "/actors/v2/R4Xo/nonces", token: House.bobToken, status: 200,
                lacks: [id]))
        try await house.expect(
            Row(
                name: "its holder sees no other", path: "/actors/v2/R4Xo/nonces?x-nonce=\(id)", status: 200, has: [id]))
        try await house.expect(
            Row(
                name: "delete", method: .delete, path: "/actors/v2/R4Xo/nonces/\(id)", token: House.annToken,
                status: 200, has: ["Actor nonce deleted successfully."]))
        #expect(try await house.store.nonce(NonceID(id)) == nil)
        #expect(try await house.store.audits(limit: 10).allSatisfy { !$0.target.contains(id) })
    }
}
