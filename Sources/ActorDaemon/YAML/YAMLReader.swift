package import ActorCore
import Foundation
import Yams

/// Reads YAML that people or strangers wrote: the core schema only, one document, bounded in size and depth.
///
/// Anchors, aliases and other tags are refused: configuration does not need them, and every known bomb does.
package struct YAMLReader: DocumentReader {
    private let maxBytes: Int
    private let maxDepth: Int

    package init(maxBytes: Int = 1_048_576, maxDepth: Int = 64) {
        self.maxBytes = maxBytes
        self.maxDepth = maxDepth
    }

    package func read(yaml: [UInt8], file: String) throws(ActorError) -> ParsedDocument {
        do {
            return try parse(yaml)
        } catch {
            throw ActorError(
                .invalidInput, "\(file) cannot be read",
                details: [ActorError.Detail(place: "\(file):\(error.line)", problem: error.reason)])
        }
    }

    private func parse(_ yaml: [UInt8]) throws(YAMLFailure) -> ParsedDocument {
        guard yaml.count <= maxBytes else {
            throw YAMLFailure(line: 1, reason: "it has \(yaml.count) bytes, more than the \(maxBytes) allowed")
        }
        guard let text = String(validating: yaml, as: UTF8.self) else {
            throw YAMLFailure(line: Self.lineOfBadUTF8(yaml), reason: "the text is not valid UTF-8")
        }
        // Before the tree is built: comparing keys made of aliases takes time that grows exponentially.
        try AliasScan.check(yaml)
        let parser: Parser
        let root: Node?
        do {
            parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            root = try parser.singleRoot()
        } catch let error as YamlError {
            throw YAMLFailure(error)
        } catch {
            throw YAMLFailure(line: 1, reason: "\(error)")
        }
        // Nodes hold their anchors weakly; the parser keeps them alive.
        return try withExtendedLifetime(parser) { () throws(YAMLFailure) in
            var converter = NodeConverter(maxDepth: maxDepth)
            guard let root else { return ParsedDocument(value: .null, lines: ["": 1]) }
            let value = try converter.convert(root, at: "", line: 1, depth: 1)
            return ParsedDocument(value: value, lines: converter.lines)
        }
    }

    private static func lineOfBadUTF8(_ bytes: [UInt8]) -> Int {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let bad = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }
        return (bad ?? 0) + 1
    }
}

/// What is wrong with a YAML text, and on which line.
struct YAMLFailure: Error {
    let line: Int
    let reason: String

    init(line: Int, reason: String) {
        self.line = line
        self.reason = reason
    }

    init(_ error: YamlError) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let during = context.map { " (\($0.text), line \($0.mark.line))" } ?? ""
            self.init(line: mark.line, reason: "not valid YAML: \(problem)\(during)")
        case .reader(let problem, let offset, _, let yaml):
            let line = offset.map { yaml.prefix($0).count(where: \.isNewline) + 1 } ?? 1
            self.init(line: line, reason: "not valid YAML: \(problem)")
        case .duplicatedKeysInMapping(let names, let context):
            let name = names.first ?? ""
            self.init(
                line: Self.lineOfRepeat(of: name, after: context.mark, in: context.text),
                reason: "the key \"\(name.prefix(64))\" is there twice, first in line \(context.mark.line)")
        default: self.init(line: 1, reason: "not valid YAML")
        }
    }

    /// The library tells where a key stands first; its repeat is in the same column further down.
    private static func lineOfRepeat(of name: String, after mark: Mark, in text: String) -> Int {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated().dropFirst(mark.line) {
            let rest = line.dropFirst(mark.column - 1)
            if rest.hasPrefix("\(name):") || rest.hasPrefix("\"\(name)\"") || rest.hasPrefix("'\(name)'") {
                return index + 1
            }
        }
        return mark.line
    }
}
