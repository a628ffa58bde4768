import ActorCore
import ActorDaemon
import Foundation
import Testing

/// `reactord job identify` against everything that was published of ids and paths.
@Suite struct JobIdentifyTests {
    private static func rows(_ file: String, _ section: String) -> [JSONValue] {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let path = tests.appending(path: "ReactorsTests/Fixtures/\(file).json")
        guard let data = try? Data(contentsOf: path), let json = try? JSONReader.read(Array(data)) else {
            Issue.record("the fixture \(file).json cannot be read")
            return []
        }
        return json[section]?.array ?? []
    }

    private func identify(
        _ input: JSONValue, _ callback: JobIdentify.Callback = JobIdentify.Callback()
    ) throws -> JSONValue {
        try JobIdentify.run(input, callback: callback, configFile: nil)
    }

    @Test(arguments: rows("job-identity", "archive_path_v1"))
    func firstPath(row: JSONValue) throws {
        var input = row["input"] ?? [:]
        // Without a session a name is made up; its place is known.
        let isNamed = input["session"] != nil
        input = input.setting("time", row["utcnow"] ?? .null)
        let path = try #require(try identify(input)["path"]?.string)
        let expected = try #require(row["output"]?.string)
        if isNamed {
            #expect(path == expected)
        } else {
            let made = path.split(separator: "/").last ?? ""
            #expect(path.dropLast(made.count) == expected.dropLast(expected.split(separator: "/").last?.count ?? 0))
            #expect(made.hasSuffix("-20180913T162843Z") && made.split(separator: "-").count == 3)
        }
    }

    @Test(arguments: rows("pipelinejobs", "archive_path_v2"))
    func secondPath(row: JSONValue) throws {
        let input: JSONValue = [
            "pipeline_uuid": row["pipeline_uuid"] ?? .null, "child_of": row["child_of"] ?? .null,
            "data": row["data_at_init"] ?? .null, "instanced": row["instanced"] ?? false,
            "session": row["session"] ?? .null, "time": row["utcnow"] ?? .null,
        ]
        #expect(try identify(input)["path"] == row["output"])
    }

    @Test(arguments: rows("pipelinejobs", "job_uuid_v2"))
    func secondUUID(row: JSONValue) throws {
        let answer = try identify([
            "pipeline_uuid": row["pipeline_uuid"] ?? .null, "child_of": row["child_of"] ?? .null,
            "data": row["data"] ?? .null,
        ])
        #expect(answer["uuid"] == row["uuid"] && answer["identity"] == row["preimage"])
    }

    @Test(arguments: rows("job-identity", "job_uuid_v1"))
    func firstUUID(row: JSONValue) throws {
        let answer = try identify([
            "pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391", "actor_id": row["actor_id"] ?? .null,
            "data": row["data"] ?? .null,
        ])
        #expect(answer["uuid"] == row["uuid"] && answer["identity"] == row["canonical"])
    }

    @Test(arguments: rows("job-identity", "pipeline_uuid_v1"))
    func firstPipeline(row: JSONValue) throws {
        #expect(try identify(["components": row["components"] ?? .null])["pipeline_uuid"] == row["uuid"])
    }

    @Test(arguments: rows("pipelinejobs", "pipeline_uuid_v2"))
    func secondPipeline(row: JSONValue) throws {
        let answer = try identify([
            "components": row["components"] ?? .null, "pipeline_id": row["pipeline_id"] ?? .null, "generation": 2,
        ])
        #expect(answer["pipeline_uuid"] == row["uuid"])
    }

    @Test func callbacks() throws {
        let options = JobIdentify.Callback(
            apiServer: "https://api.sd2e.org", manager: "G56vjoAVzGkkq", nonce: "SD2E_XqsfKLFd3nrN",
            token: "940a5adc78720505")
        let first = try identify(
            ["pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391", "data": ["a": 1]], options)
        let uuid = try #require(first["uuid"]?.string)
        #expect(
            first["callback"]?.string == "https://api.sd2e.org/actors/v2/G56vjoAVzGkkq/messages"
                + "?x-nonce=SD2E_XqsfKLFd3nrN&token=940a5adc78720505&uuid=\(uuid)")
        let second = try identify(
            ["pipeline_uuid": "106c46ff-8186-5756-a934-071f4497b58d", "session": "firm-boar"], options)
        #expect(second["callback"]?.string?.hasSuffix("&session=firm-boar") == true)
        let plain = try identify(["pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391"])
        #expect(plain["callback"]?.string?.contains("x-nonce=${NONCE}&token=${TOKEN}&uuid=") == true)
    }

    @Test(
        arguments: [
            (["pipeline_uuid": "meep"], "pipeline_uuid: meep is not a valid UUID5"),
            (["pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391", "image": "x"], "not known of a job: image"),
            (
                ["pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391", "actor_id": "meep-meep-meep"],
                "actor_id: must be an id of the actors API"
            ),
            (["pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391", "time": "noon"], "time: must be a moment"),
            (["data": [:]], "pipeline_uuid: must be the UUID of a pipeline"),
        ] as [(JSONValue, String)])
    func wrongInput(input: JSONValue, problem: String) {
        let error = #expect(throws: ActorError.self) { try identify(input) }
        #expect(
            error?.code == .invalidInput && error?.message.hasPrefix(problem) == true, "\(String(describing: error))")
    }
}
