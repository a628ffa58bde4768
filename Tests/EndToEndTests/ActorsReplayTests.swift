import ActorCore
import Foundation
import Testing

/// Requests that were recorded with the real service are made to the real daemon, on a stage that is set for each: the
/// same status, the same keys, the same types, the same texts, in both cases.
@Suite("the actors API as it was recorded", .serialized)
struct ActorsReplayTests {
    private static let server = "https://dev.tenants.aloedev.tacc.cloud"

    struct Recording {
        let request: JSONValue
        let reply: JSONValue

        static func all(_ file: String) throws -> [Recording] {
            let path = "\(RunningDaemon.root)/Tests/EndToEndTests/Vectors/\(file)"
            return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
                let pair = try JSONReader.read(Array(line.utf8))
                return Recording(request: try #require(pair["req"]), reply: try #require(pair["rsp"]))
            }
        }
    }

    @Test(arguments: ["snake", "camel"])
    func replay(fieldCase: String) async throws {
        let gateway = try GatewayFixture()
        let daemon = try RunningDaemon(shipped: [])
        let configuration = """
            server: {case: \(fieldCase)}
            tenants: {DEV-DEVELOP: {api_server: "\(Self.server)"}}
            \(GatewayFixture.configuration)
            \(PeerImages.configuration(in: daemon.folder))
            """
        try daemon.write(configuration, to: "config.yml")
        try daemon.write(gateway.publicKey, to: "gateway.pem")
        try PeerImages.write(to: daemon)
        let recordings = try Recording.all("actors_api_\(fieldCase).jsonl")
        #expect(recordings.count == 42)
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let stage = Stage(daemon: daemon, gateway: gateway, isCamel: fieldCase == "camel", recordings: recordings)
            for (index, recording) in recordings.enumerated() {
                try await stage.prepare(index)
                try await check(recording, index, stage)
            }
        }
    }

    private func check(_ recording: Recording, _ index: Int, _ stage: Stage) async throws {
        let method = try #require(recording.request["method"]?.string)
        let path = stage.translated(try #require(recording.request["path"]?.string))
        let user: GatewayFixture.User =
            recording.request["auth"]?["X-JWT-ASSERTION-DEV-DEVELOP"] == "jwt-abaco_admin" ? .admin : .privileged
        let body = recording.request["body"].map { $0.string ?? JSONWriter.string($0) } ?? ""
        var headers = [try stage.gateway.header(user)]
        if method == "OPTIONS" {
            headers += [
                (name: "Origin", value: "http://example.com"), (name: "Access-Control-Request-Method", value: "GET"),
                (name: "Access-Control-Request-Headers", value: "X-Requested-With"),
            ]
        }
        let answer = try await stage.daemon.request(
            method, path, body: Array(stage.translated(body).utf8), type: recording.request["content_type"]?.string,
            headers: headers, authorised: false)
        let name = "#\(index) \(method) \(path)"
        #expect(answer.status == recording.reply["status"]?.int, "\(name): \(answer.text.prefix(500))")
        for header in recording.reply["headers"]?.array ?? [] {
            guard let field = header.array?[0].string?.lowercased(), let value = header.array?[1].string else {
                continue
            }
            let found = answer.headers.first { $0.name.lowercased() == field }?.value
            switch field {
            case "allow":
                #expect(Self.words(found ?? "") == Self.words(value), "\(name): \(field)")
            case "access-control-allow-origin" where method != "OPTIONS": #expect(found == "*", "\(name)")
            default: #expect(found == value, "\(name): \(field)")
            }
        }
        let expected = recording.reply["body"] ?? .null
        if let length = expected["binary_len"]?.int {
            #expect(answer.body.count == length, "\(name)")
        } else if expected.object != nil {
            let found = answer.json
            let text = stage.translated(expected["message"]?.string ?? "")
            #expect(found["message"]?.string == text, "\(name)")
            #expect(found["status"] == expected["status"], "\(name)")
            compare(found["result"] ?? .null, expected["result"] ?? .null, "\(name) result")
        }
        try stage.remember(index, answer.json)
    }

    private static func words(_ text: String) -> Set<String> {
        Set(text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
    }

    /// The same keys and types, all the way down.
    private func compare(_ found: JSONValue, _ expected: JSONValue, _ place: String) {
        switch (found, expected) {
        case (.object(let members), .object(let wanted)):
            let (names, wantedNames) = (Set(members.map(\.name)), Set(wanted.map(\.name)))
            #expect(names == wantedNames, "\(place)")
            for member in wanted {
                guard let value = found[member.name] else { continue }
                compare(value, member.value, "\(place).\(member.name)")
            }
        case (.array(let items), .array(let wanted)):
            // What hosts mount is not what we mount; lists of things have things of one kind.
            guard !place.hasSuffix(".mounts"), let first = wanted.first else { return }
            guard let item = items.first else {
                Issue.record("\(place) is empty")
                return
            }
            compare(item, first, "\(place)[0]")
        case (.null, .null), (.bool, .bool), (.string, .string), (.int, .int), (.double, .double), (.int, .double),
            (.double, .int):
            break
        default:
            let (ours, theirs) = (JSONWriter.string(found).prefix(200), JSONWriter.string(expected).prefix(200))
            Issue.record("\(place) is \(ours), recorded was \(theirs)")
        }
    }
}

/// Sets the scene that each recorded request was made in, and knows which of our ids stand for the recorded ones.
private final class Stage {
    let daemon: RunningDaemon
    let gateway: GatewayFixture
    private let isCamel: Bool
    private let recordings: [ActorsReplayTests.Recording]
    private var ours: [String: String] = [:]

    init(
        daemon: RunningDaemon, gateway: GatewayFixture, isCamel: Bool, recordings: [ActorsReplayTests.Recording]
    ) {
        self.daemon = daemon
        self.gateway = gateway
        self.isCamel = isCamel
        self.recordings = recordings
    }

    func translated(_ text: String) -> String {
        ours.reduce(text) { $0.replacingOccurrences(of: $1.key, with: $1.value) }
    }

    private func name(_ snake: String) -> String {
        guard isCamel else { return snake }
        let words = snake.split(separator: "_")
        return String(words[0]) + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// Part of the path of a recorded request: `/actors/ID/executions/ID`.
    private func part(_ index: Int, of recording: Int) throws -> String {
        let path = try #require(recordings[recording].request["path"]?.string)
        return String(path.split(separator: "/")[index])
    }

    /// A field of a recorded form, or of a recorded JSON body.
    private func field(_ snake: String, of recording: Int) throws -> String {
        let body = try #require(recordings[recording].request["body"]?.string)
        if let json = try? JSONReader.read(Array(body.utf8)) { return try #require(json[name(snake)]?.string) }
        let pair = try #require(body.split(separator: "&").first { $0.hasPrefix(name(snake) + "=") })
        return try #require(String(pair.split(separator: "=")[1]).removingPercentEncoding)
    }

    @discardableResult
    private func call(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        let answer = try await daemon.request(
            method, path, body: body.map { JSONWriter.bytes($0) } ?? [], headers: [try gateway.header(.admin)],
            authorised: false)
        guard answer.status == 200 else {
            throw RunningDaemon.Failure(description: "\(method) \(path): \(answer.status) \(answer.text)")
        }
        return answer.json["result"] ?? .null
    }

    /// Makes the actor that stands for a recorded one, once.
    private func actor(_ recorded: String, _ body: JSONValue) async throws {
        guard ours[recorded] == nil else { return }
        ours[recorded] = try #require(try await call("POST", "/actors", body)["id"]?.string)
    }

    /// Sends a message; the execution stands for a recorded one when it has come to `status`.
    private func execution(
        _ recorded: String, of actor: String, saying text: String = "go", until status: String
    ) async throws {
        let path = "/actors/\(translated(actor))"
        let sent = try await call("POST", "\(path)/messages", ["message": .string(text)])
        let id = try #require(sent[name("execution_id")]?.string)
        ours[recorded] = id
        try await until("\(path)/executions/\(id)", status)
    }

    private func until(_ path: String, _ status: String) async throws {
        for _ in 0..<2000 {
            if try await call("GET", path)["status"]?.string == status { return }
            try await Task.sleep(for: .milliseconds(15))
        }
        throw RunningDaemon.Failure(description: "\(path) did not become \(status)")
    }

    /// Which request needs what.
    func prepare(_ index: Int) async throws {
        let printer: JSONValue = ["image": "jstubbs/abaco_test", "name": "another", "stateless": false]
        switch index {
        case 0: try await actor(part(1, of: 0), printer.setting("name", "abaco_test_suite_cron"))
        case 1: try await actor(part(1, of: 7), printer.setting("name", "abaco_test_suite"))
        case 3:
            let basic = translated(try part(1, of: 7))
            let config: JSONValue = ["name": "another_config", "value": "my value", "actors": .string(basic)]
            try await call("POST", "/actors/configs", config.setting(name("is_secret"), true))
        case 5:
            let both = try field("actors", of: 5).split(separator: ",").map(String.init)
            try await actor(both[1], printer)
        case 14: try await until(translated(path(of: 14)), "COMPLETE")
        case 15:
            try await actor(part(1, of: 15), ["image": "abacosamples/py3_func", "name": "another"])
            try await execution(part(3, of: 15), of: part(1, of: 15), saying: "five5", until: "COMPLETE")
        case 16:
            try await actor(part(1, of: 16), ["image": "abacosamples/sleep_loop"])
            try await execution(part(3, of: 16), of: part(1, of: 16), until: "RUNNING")
        case 18: try await actor(part(1, of: 18), ["image": "abacosamples/wc"])
        case 19: try await actor(field("actor_id", of: 19), printer)
        case 22:
            // The privileged user may change the alias, not its actor.
            let levels = try await call("GET", "/actors/aliases/jane/permissions")
            #expect(levels["testshareuser"] == "UPDATE")
        case 26: try await call("POST", "/actors/aliases/jane/nonces", [:])
        case 27, 28: try await alias(part(2, of: index))
        case 31: try await call("POST", "/\(path(of: 31).dropFirst())", [:])
        case 33: try await call("POST", "\(translated(path(of: 33)))", ["num": 1])
        case 37:
            try await call("POST", translated(path(of: 37)), ["user": "testshareuser", "level": "UPDATE"])
        case 41:
            let other = try field("link", of: 41)
            try await actor(part(1, of: 41), ["image": "jstubbs/abaco_test", "name": "abaco_test_suite_create_link"])
            let link = JSONValue.string(translated(try part(1, of: 41)))
            try await actor(other, printer.setting("link", link))
        default: break
        }
    }

    private func path(of index: Int) -> String { recordings[index].request["path"]?.string ?? "" }

    private func alias(_ alias: String) async throws {
        let actor = JSONValue.string(translated(try field("actor_id", of: 19)))
        try await call(
            "POST", "/actors/aliases",
            JSONValue.object([.init("alias", .string(alias)), .init(name("actor_id"), actor)]))
    }

    /// Ids that an answer tells and later requests use.
    func remember(_ index: Int, _ answer: JSONValue) throws {
        switch index {
        case 13: ours[try part(3, of: 14)] = answer["result"]?[name("execution_id")]?.string
        case 33: ours[try part(3, of: 36)] = answer["result"]?.array?.first?["id"]?.string
        default: break
        }
    }
}
