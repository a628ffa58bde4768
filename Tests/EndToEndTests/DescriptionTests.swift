import ActorCore
import Foundation
import Testing

/// `/openapi.json` of the real daemon, by tools of others: it is well-formed, and what it says is true.
@Suite("the description, checked by others", .serialized)
struct DescriptionTests {
    private static let missing: Comment =
        "schemathesis and openapi-spec-validator are missing: scripts/setup --tests installs them"

    private func daemon(_ fieldCase: String) throws -> RunningDaemon {
        let daemon = try RunningDaemon()
        try daemon.write(
            """
            server: {case: \(fieldCase)}
            \(PeerImages.configuration(in: daemon.folder))
            """, to: "config.yml")
        try PeerImages.write(to: daemon)
        return daemon
    }

    @Test(
        "a validator of the standard finds no fault in it", .enabled(if: PythonTools.hasCheckers, missing),
        arguments: ["camel", "snake"])
    func wellFormed(fieldCase: String) async throws {
        let python = try #require(PythonTools.program("python3", in: PythonTools.checkers))
        try await withDaemon(daemon(fieldCase)) { daemon in
            try await daemon.start()
            let answer = try await daemon.request("GET", "/openapi.json")
            #expect(answer.status == 200)
            try daemon.write(answer.text, to: "openapi.json")
            let run = try await PythonTools.run(
                python, ["-m", "openapi_spec_validator", "openapi.json"], in: daemon.folder)
            #expect(run.code == 0, "\(run.output.suffix(3000))")
        }
    }

    /// Requests made up from the description, good and bad ones, against everything but what streams without an end.
    /// The soak makes up many more.
    @Test(
        "made-up requests meet no server error, and answers are what is described",
        .enabled(if: PythonTools.hasCheckers, missing))
    func holds() async throws {
        let tool = try #require(PythonTools.program("schemathesis", in: PythonTools.checkers))
        let isSoak = ProcessInfo.processInfo.environment["REACTORD_SOAK"] != nil
        try await withDaemon(daemon("camel")) { daemon in
            try await daemon.start()
            try await furnish(daemon)
            // It makes up more work than there is beside it: the other tests come first.
            let run = try await PythonTools.run(
                "/usr/bin/nice",
                [
                    "-n", "19", tool, "run", "\(daemon.base)/openapi.json", "--header",
                    "Authorization: Bearer \(daemon.token)",
                    "--checks",
                    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
                    // Kept out: what streams for ever, which no timeout tells from a fault; and the third of three
                    // prefixes, which has the same handlers.
                    "--exclude-path", "/api/v1/events", "--exclude-path-regex", "^/actors(?!/v2)",
                    "--phases", isSoak ? "coverage,fuzzing" : "fuzzing", "--max-examples", isSoak ? "100" : "2",
                    "--request-timeout", "20", "--seed", "1", "--no-color", "--suppress-health-check", "all",
                ],
                in: daemon.folder,
                environment: [
                    "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
                    "PYTHONPATH": "\(RunningDaemon.root)/Tests/EndToEndTests/Fixtures",
                    "PYTHONDONTWRITEBYTECODE": "1",
                ])
            #expect(run.code == 0, "\(run.output.suffix(12_000))")
            let health = try await daemon.request("GET", "/healthz")
            #expect(health.status == 200)
        }
    }

    /// Something to be found, and its names for the made-up requests; what deletes is given other names.
    private func furnish(_ daemon: RunningDaemon) async throws {
        let made = try await daemon.post(
            "/actors/v2", ["image": "abacosamples/wc", "name": "furniture", "stateless": false])
        let id = try #require(made.json["result"]?["id"]?.string)
        let aliased = try await daemon.request(
            "POST", "/actors/v2/aliases?alias=furniture&actor_id=\(id)", type: nil)
        #expect(aliased.status == 200, "\(aliased.text)")
        let config = try await daemon.post(
            "/actors/v2/configs", ["name": "furniture", "value": "v", "actors": "furniture"])
        #expect(config.status == 200, "\(config.text)")
        let execution = try await daemon.send("furniture", ["a": 1])
        let nonce = try await daemon.post("/actors/v2/furniture/nonces", ["level": "READ"])
        let workers = try await daemon.get("/actors/v2/furniture/workers")
        let names: [(String, String?)] = [
            ("id", "furniture"), ("alias", "furniture"), ("config", "furniture"), ("execution", execution),
            ("nonce", nonce.json["result"]?["id"]?.string), ("worker", workers["result"]?.array?.first?["id"]?.string),
        ]
        var text = "[parameters]\n"
        for (name, value) in names {
            let known = try #require(value, "\(name)")
            text += "\"path.\(name)\" = \"\(known)\"\n"
        }
        // They would wait for executions of actors that nobody runs.
        text += "\"query._abaco_synchronous\" = \"false\"\n\"query.follow\" = \"false\"\n"
        for prefix in ["/actors/v2", "/v3/actors"] {
            for path in [
                "/{id}", "/aliases/{alias}", "/configs/{config}", "/{id}/nonces/{nonce}", "/{id}/workers/{worker}",
            ] {
                let last = try #require(path.split(separator: "{").last?.dropLast())
                text += "[[operations]]\ninclude-name = \"DELETE \(prefix)\(path)\"\n"
                text += "parameters = {\"path.\(last)\" = \"gone\"}\n"
            }
        }
        try daemon.write(text, to: "schemathesis.toml")
    }
}
