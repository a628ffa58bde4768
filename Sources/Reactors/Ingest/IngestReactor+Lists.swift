package import ActorCore

/// Files that list uploads, one a line: what a line names is brought in, once.
extension IngestReactor {
    static let lineKind = "upload-list-line"
    /// New lines that are taken at once; the rest follows in a message of its own.
    private static let maxLines = 1000

    /// A list that cannot be read keeps the others from nothing.
    func readLists(_ settings: IngestSettings, _ context: any ReactorContext) async throws {
        var taken = 0
        var problems: [String] = []
        for list in settings.lists {
            let lines: [String]
            do {
                lines = try await tools.files.lines(of: list)
            } catch {
                if error.code != .notFound { problems.append("\(list): \(error.message)") }
                continue
            }
            for (index, line) in lines.enumerated() {
                guard taken < Self.maxLines else {
                    try context.send(.id(context.actor), ["kind": "lists"], key: nil)
                    break
                }
                let id = Fingerprint.sha256(Array("\(list)\n\(line)".utf8))
                guard let entry = UploadListLine(line, of: list) else { continue }
                guard try await context.document(Self.lineKind, id) == nil else { continue }
                switch entry.message {
                case .success(let message):
                    try context.send(.id(context.actor), message, key: "list:\(id)")
                    context.put(Self.lineKind, id, ["list": .string(list), "upload": .string(entry.name)])
                    taken += 1
                case .failure(let problem): problems.append("\(list):\(index + 1): \(problem.message)")
                }
            }
        }
        for problem in problems { context.log(.warning, problem) }
        context.reply(["taken": JSONValue(taken), "problems": .array(problems.map { .string($0) })])
    }
}

/// A line of a list of uploads: an absolute path or an address, and after a tab what the upload is to be called.
package struct UploadListLine: Sendable, Equatable {
    package let source: String
    package let name: String

    /// Nil for a comment and an empty line. Without a name the last part of the path is it.
    package init?(_ line: String, of list: String) {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map { field in
            String(field.drop { $0 == " " || $0 == "\r" }.reversed().drop { $0 == " " || $0 == "\r" }.reversed())
        }
        guard let first = fields.first, !first.isEmpty, !first.hasPrefix("#") else { return nil }
        let isAddress = first.hasPrefix("https://") || first.hasPrefix("http://")
        let folder = list.split(separator: "/").dropLast().joined(separator: "/")
        source = isAddress || first.hasPrefix("/") ? first : "/\(folder)/\(first)"
        let path = isAddress ? first.prefix { $0 != "?" && $0 != "#" } : first[...]
        let last = path.split(separator: "/").last.map(String.init) ?? ""
        name = fields.count > 1 && !fields[1].isEmpty ? fields[1] : last
    }

    /// What brings it in, or what is wrong with it.
    package var message: Result<JSONValue, ReactorFailure> {
        guard NameRules.isUploadName(name) else {
            let wish = "put a tab and a name of letters, digits and ._-+=@ behind it"
            return .failure(ReactorFailure(.refused, "\"\(name.prefix(200))\" cannot be an upload's name: \(wish)"))
        }
        if source.hasPrefix("/") {
            return .success(
                ["kind": "bring", "uuid": .string(name), "path": .string(source), "listed": true])
        }
        return .success(["kind": "fetch", "uuid": .string(name), "url": .string(source)])
    }
}
