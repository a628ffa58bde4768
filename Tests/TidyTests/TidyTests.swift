import Foundation
import Testing

/// The repository checks itself: the limits and borders that CONTRIBUTING.md names, as tests.
@Suite struct TidyTests {
    struct Source: Sendable {
        let path: String
        let text: String
        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
        var name: String { path.split(separator: "/").last.map(String.init) ?? "" }
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static func files(_ folder: String, _ suffix: String) -> [Source] {
        let walker = FileManager.default.enumerator(atPath: "\(root)/\(folder)")
        var found: [Source] = []
        while let path = walker?.nextObject() as? String {
            guard path.hasSuffix(suffix),
                let text = try? String(contentsOfFile: "\(root)/\(folder)/\(path)", encoding: .utf8)
            else { continue }
            found.append(Source(path: "\(folder)/\(path)", text: text))
        }
        return found.sorted { $0.path < $1.path }
    }

    static let sources = files("Sources", ".swift")
    static let tests = files("Tests", ".swift")

    @Test func thereIsSomethingToCheck() { #expect(Self.sources.count > 100) }

    @Test func filesAreShort() {
        for file in Self.sources {
            let limit = file.name.hasSuffix("Machine.swift") ? 600 : 400
            #expect(file.lines.count <= limit, "\(file.path) has \(file.lines.count) lines, at most \(limit)")
        }
    }

    @Test func linesAreShort() {
        for file in Self.sources + Self.tests {
            for (index, line) in file.lines.enumerated() where line.count > 120 {
                Issue.record("\(file.path):\(index + 1) has \(line.count) columns, at most 120")
            }
        }
    }

    @Test func functionsAreShort() {
        for file in Self.sources {
            var start: (line: Int, indent: Int)?
            for (index, line) in file.lines.enumerated() {
                let indent = line.prefix { $0 == " " }.count
                let opens = line.hasSuffix("{") || line.hasSuffix("(")
                let isStart = opens && (line.contains("func ") || line.contains(" init("))
                if isStart, !line.trimmingCharacters(in: .whitespaces).hasPrefix("//"), start == nil {
                    start = (index, indent)
                }
                if let open = start, indent == open.indent, line.hasSuffix("}"), index >= open.line {
                    #expect(
                        index - open.line < 70, "\(file.path):\(open.line + 1) is \(index - open.line + 1) lines long")
                    start = nil
                }
            }
        }
    }

    /// Who may import Foundation: nobody in the core, the shell and the transport; Essentials elsewhere.
    @Test func foundationStaysWhereItBelongs() {
        let none = ["ActorCore", "ActorRuntime", "ActorTesting", "HTTPTransport", "ActorSchemas"]
        let full = ["ActorStore", "ActorDaemon"]
        for file in Self.sources {
            for line in file.lines where line.contains("import Foundation") {
                #expect(!none.contains(file.target), "\(file.path) may not import Foundation")
                if !full.contains(file.target) {
                    #expect(line.contains("import FoundationEssentials"), "\(file.path): only FoundationEssentials")
                }
            }
        }
    }

    /// Reasons for what is forbidden elsewhere, by file name.
    static let allowed: [String: [String: String]] = [
        "Task {": [:],
        "Task.detached": [
            "ContainerExecutor.swift": "stops what a cancelled task has started, and is awaited by it at once"
        ],
        "@unchecked Sendable": [
            "HotStatements.swift": "used on the queue of the write connection only",
            "LogSync.swift": "the C behind its pointer says which thread may call what, and locks the rest",
            "RunningWork.swift": "a task's handle, forgotten under the lock before the task ends",
            "Transfer.swift": "owned by the transfer thread from submit to end",
            "TransferThread.swift": "its multi handle is touched by its own thread only",
            "ValijsonCompiler.swift": "the compiled C++ schema never changes",
        ],
        "nonisolated(unsafe)": [:],
        "try!": [:],
        "fatalError(": [:],
        "print(": [:],
    ]

    @Test(arguments: allowed.keys.sorted()) func forbiddenWordsHaveAReason(word: String) {
        for file in Self.sources where Self.allowed[word]?[file.name] == nil {
            for (index, line) in file.lines.enumerated() {
                let code = line.trimmingCharacters(in: .whitespaces)
                guard !code.hasPrefix("//"), let range = code.range(of: word) else { continue }
                let before = code[..<range.lowerBound].last
                let isWord = before.map { !$0.isLetter && !$0.isNumber && $0 != "." && $0 != "_" } ?? true
                #expect(!isWord, "\(file.path):\(index + 1) uses \(word)")
            }
        }
    }

    @Test func theCoreReadsNoClockAndStartsNoTask() {
        for file in Self.sources where file.target == "ActorCore" {
            for word in ["Date(", "ContinuousClock", "Task.", "Logger(", "random(in:"] {
                #expect(!file.text.contains(word), "\(file.path) mentions \(word)")
            }
        }
    }

    @Test func packageTypesSayWhatTheyAreFor() {
        let kinds = ["struct ", "class ", "enum ", "protocol ", "actor ", "final class "]
        for file in Self.sources {
            let lines = file.lines
            for (index, line) in lines.enumerated() where kinds.contains(where: { line.hasPrefix("package " + $0) }) {
                // Tags of identifiers are named by the line below them.
                if line.hasSuffix("Tag {}") { continue }
                var above = index - 1
                while above >= 0, lines[above].hasPrefix("@") { above -= 1 }
                #expect(above >= 0 && lines[above].hasPrefix("///"), "\(file.path):\(index + 1) has no /// line")
            }
        }
    }

    @Test func logMessagesAreStatic() {
        let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
        for file in Self.sources where file.target != "ActorCore" {
            for (index, line) in file.lines.enumerated() {
                for level in levels where line.contains("logger.\(level)(\"") {
                    let message = line.components(separatedBy: "logger.\(level)(\"")[1].prefix { $0 != "\"" }
                    #expect(!message.contains("\\("), "\(file.path):\(index + 1) puts a value into a log message")
                }
            }
        }
    }

    @Test func linksInTheDocumentsLeadSomewhere() throws {
        let single = [
            "README.md", "CONTRIBUTING.md", "Benchmarks/README.md", "Sources/README.md", "sdk/python/README.md",
        ]
        let pages = single + ["docs", "actors", "Examples"].flatMap { Self.files($0, ".md").map(\.path) }
        #expect(pages.count > 20)
        let link = try Regex(#"\]\(([^)#:]+)(#[^)]*)?\)"#)
        for page in pages {
            let text = try String(contentsOfFile: "\(Self.root)/\(page)", encoding: .utf8)
            let folder = URL(fileURLWithPath: "\(Self.root)/\(page)").deletingLastPathComponent().path
            for match in text.matches(of: link) {
                let target = String(match.output[1].substring ?? "")
                #expect(FileManager.default.fileExists(atPath: "\(folder)/\(target)"), "\(page) links to \(target)")
            }
        }
    }

    @Test func everyTargetHasItsParagraphInTheMap() throws {
        let map = try String(contentsOfFile: "\(Self.root)/Sources/README.md", encoding: .utf8)
        for target in try FileManager.default.contentsOfDirectory(atPath: "\(Self.root)/Sources")
        where target != "README.md" {
            #expect(map.contains("**\(target)**"), "Sources/README.md does not describe \(target)")
        }
    }
}
