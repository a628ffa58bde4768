import ActorTesting
import Foundation
import Reactors
import Testing

/// The compatible way of putting variables in, against the program that it is compatible with.
@Suite struct EnvsubstOracleTests {
    private static let program = "/usr/bin/envsubst"

    /// `scripts/setup --tests` installs it (Debian's gettext-base).
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: program), "apt-get install gettext-base"))
    func whatEnvsubstDoes() throws {
        let seed = UInt64.random(in: 0..<UInt64.max)
        print("envsubst: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let parts = [
            "$", "{", "}", "${", "$$", "UUID", "HOME", "uuid", "_", "X9", "9", " ", ":-x", "(", ")", "\\", "\"", "'",
            "é", "\t", "-", "${UUID}", "$UUID", "$HOME/x", "${NONE}", "\n",
        ]
        let text = (0..<3000).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
        let variables = ["HOME": "/root", "X9": "nine", "_": "low"]
        let ours = JobTemplate(mode: .envsubst, variables: variables).render(Array(text.utf8), uuid: "2020-e")
        let theirs = try Self.envsubst(text, variables.merging(["UUID": "2020-e"]) { first, _ in first })
        #expect(String(decoding: ours, as: UTF8.self) == theirs)
    }

    private static func envsubst(_ text: String, _ variables: [String: String]) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "envsubst-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (input, output) = (folder.appending(path: "in"), folder.appending(path: "out"))
        try Data(text.utf8).write(to: input)
        try Data().write(to: output)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.environment = variables
        process.standardInput = try FileHandle(forReadingFrom: input)
        process.standardOutput = try FileHandle(forWritingTo: output)
        try process.run()
        process.waitUntilExit()
        return String(decoding: try Data(contentsOf: output), as: UTF8.self)
    }
}
