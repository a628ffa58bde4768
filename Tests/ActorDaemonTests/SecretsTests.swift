import ActorCore
import ActorDaemon
import Foundation
import Testing

@Suite("secrets")
struct SecretsTests {
    @Test("a flat object; other values become text, null is nothing")
    func file() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            "secrets.json", "{\"A\": \"x\", \"N\": 5, \"B\": true, \"O\": {\"k\":1}, \"Z\": null}")
        let secrets = try SecretsFile.load(path)
        #expect(secrets["A"] == "x")
        #expect(secrets["N"] == "5")
        #expect(secrets["B"] == "true")
        #expect(secrets["O"] == "{\"k\":1}")
        #expect(secrets["Z"] == nil)
        #expect(secrets.warnings.isEmpty)
    }

    @Test("a missing file is empty, a wide mode is a warning")
    func modes() throws {
        let folder = try TemporaryFolder()
        #expect(try SecretsFile.load(folder.path + "/none.json").values.isEmpty)
        let path = try folder.write("secrets.json", "{}", mode: 0o640)
        #expect(try SecretsFile.load(path).warnings.first?.reason.contains("0640") == true)
    }

    @Test(
        "errors name the line and never a value",
        arguments: ["{\n\"A\": \"canary\",\n}", "[\"canary\"]", "{\"A\": canary}"])
    func broken(text: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("secrets.json", text)
        let error = try #require(throws: ActorError.self) { try SecretsFile.load(path) }
        #expect(!error.description.contains("canary"))
        #expect(error.details.first?.place.hasPrefix(path + ":") == true)
    }

    @Test("the example holds every secret of the settings, and none that works")
    func example() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        #expect(try SecretsFile.load(root + "/secrets.example.json").values.isEmpty)
        let settings = try SettingsLoader.load(
            file: root + "/config.yml", environment: [:], secretsFile: "/nonexistent")
        #expect(settings.notYetActive.isEmpty)
        #expect(settings.executors.process.images.first?.command == ["python3"])
    }

    @Test("a token is kept as its digest only")
    func tokens() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/tokens.json"
        let first = try TokenRegister.create(user: "alice", in: path)
        let second = try TokenRegister.create(user: "bob", in: path)
        #expect(first.hasPrefix("rx_") && first.count == 67 && first != second)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(!text.contains(first) && !text.contains(second))
        #expect(text.contains(TokenRegister.digest(of: first)) && text.contains(TokenRegister.digest(of: second)))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        #expect(throws: ActorError.self) { try TokenRegister.create(user: "a b", in: path) }
    }

    @Test("a pipe is no file")
    func pipe() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        #expect(throws: ActorError.self) { try BoundedFile.read(path, limit: 10) }
    }
}

@Suite("scrubber")
struct ScrubberTests {
    static let secret = "p+ss/w0rd &\"x\""

    @Test(
        "strikes a secret out in every form",
        arguments: [
            secret, Data(secret.utf8).base64EncodedString(), Data("user:\(secret)".utf8).base64EncodedString(),
            Data("ab\(secret)cd".utf8).base64EncodedString(), "p%2Bss%2Fw0rd%20%26%22x%22",
            "p%2bss%2fw0rd%20%26%22x%22",
            "p%2Bss%2Fw0rd+%26%22x%22", JSONWriter.string(.string(secret)),
            Data(secret.utf8).base64EncodedString().replacingOccurrences(of: "+", with: "-"),
        ])
    func forms(text: String) {
        let scrubbed = SecretScrubber([Self.secret]).scrub("before \(text) after")
        #expect(scrubbed.contains(SecretScrubber.mark))
        #expect(scrubbed.hasPrefix("before ") && scrubbed.hasSuffix(" after"))
        #expect(!scrubbed.contains("w0rd"))
    }

    @Test("short values and other text stay")
    func rest() {
        let scrubber = SecretScrubber(["abcd", "", "long secret"])
        #expect(scrubber.scrub("abcd and a long story, ünïcode ✓") == "abcd and a long story, ünïcode ✓")
        #expect(scrubber.scrub("a long secret") == "a *****")
        #expect(SecretScrubber([]).scrub("x") == "x")
    }

    @Test(
        "the end of a text that may become a secret is held back, and nothing else",
        arguments: [
            ("see hunter2-and", 11), ("see hunter2-and-mor", 15), ("see hunter2-and-more", 0), ("see hunter3", 0),
            ("h", 1), ("", 0), ("hunter2-and-more and hun", 3),
        ])
    func unfinished(text: String, expected: Int) {
        let scrubber = SecretScrubber(["hunter2-and-more"])
        #expect(scrubber.unfinished(Array(text.utf8)) == expected)
        #expect(SecretScrubber([]).unfinished(Array(text.utf8)) == 0)
    }

    @Test("the longer of two secrets goes first")
    func overlap() {
        #expect(SecretScrubber(["secret", "secret-and-more"]).scrub("secret-and-more secret") == "***** *****")
    }
}
