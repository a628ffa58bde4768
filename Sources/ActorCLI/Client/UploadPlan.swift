import ActorCore
import FoundationEssentials

/// What `reactord upload` was asked to send, found on this machine.
struct UploadPlan {
    struct File {
        /// On this machine.
        let source: String
        /// Within the upload.
        let path: String
    }

    enum Content {
        case single(String)
        case files([File])
    }

    private static let maxFiles = 100_000

    let name: String
    let content: Content
    var isSingle: Bool { if case .single = content { true } else { false } }

    /// - Parameter paths: one file or folder; or, without `name`, the upload's name and the files it is made of.
    init(paths: [String], name: String?) throws {
        var paths = paths
        var name = name
        if name == nil, paths.count > 1, !FileManager.default.fileExists(atPath: paths[0]) {
            name = paths.removeFirst()
        }
        guard let first = paths.first else { throw Failure(.usage, "name a file or a folder") }
        let found = Self.name(of: paths, named: name)
        self.name = found
        if paths.count > 1 {
            content = .files(
                try paths.map { path in
                    guard try Self.isFolder(path) == false, let base = Self.base(path) else {
                        throw Failure(.usage, "\(path) is a folder: send it by itself")
                    }
                    return try Self.file(path, base)
                })
        } else if try Self.isFolder(first) {
            content = .files(try Self.files(below: first))
        } else if name == nil || Self.base(first) == found {
            content = .single(first)
        } else {
            // Under another name the file keeps its own within the upload.
            content = .files([try Self.file(first, Self.base(first) ?? first)])
        }
    }

    /// What the upload is called: as it was said, else as the file or folder is.
    static func name(of paths: [String], named name: String?) -> String {
        guard name == nil, let first = paths.first else { return name ?? "" }
        let isName = paths.count > 1 && !FileManager.default.fileExists(atPath: first)
        return isName ? first : base(first) ?? ""
    }

    private static func base(_ path: String) -> String? { path.split(separator: "/").last.map(String.init) }

    private static func isFolder(_ path: String) throws -> Bool {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(.usage, "there is no file or folder \(path)")
        }
        return isFolder
    }

    private static func file(_ source: String, _ path: String) throws -> File {
        guard NameRules.isUploadPath(path) else {
            throw Failure(
                .usage,
                "\(source) cannot be sent: names have letters, digits and ._-+=@, with no leading dot, in at most 16 "
                    + "folders; rename it")
        }
        return File(source: source, path: path)
    }

    /// Everything but hidden files, sorted.
    private static func files(below folder: String) throws -> [File] {
        var files: [File] = []
        var waiting = [""]
        while let prefix = waiting.popLast() {
            let here = prefix.isEmpty ? folder : "\(folder)/\(prefix)"
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: here) else {
                throw Failure(.usage, "the folder \(here) cannot be read")
            }
            for name in names.sorted() where !name.hasPrefix(".") {
                let path = prefix.isEmpty ? name : "\(prefix)/\(name)"
                if try isFolder("\(folder)/\(path)") {
                    waiting.append(path)
                } else {
                    files.append(try file("\(folder)/\(path)", path))
                }
            }
            guard files.count <= maxFiles else { throw Failure(.usage, "\(folder) has more than \(maxFiles) files") }
        }
        guard !files.isEmpty else { throw Failure(.usage, "there is no file in \(folder)") }
        return files.sorted { $0.path < $1.path }
    }
}
