import ActorCore
import Glibc

/// Copies what already lies on this machine into the inbox: whole, under its own name at once, then marked done.
struct UploadBringing {
    let inbox: String
    /// Folders that may be read from, as an administrator wrote them down.
    let allowed: [String]

    /// - Parameter key: names this bringing; see ``InboxDelivery``.
    func bring(_ path: String, as name: String, force: Bool, key: String) throws(ActorError) {
        let delivery = try InboxDelivery(inbox: inbox, name: name, key: key, force: force)
        let source: (folder: String, name: String)
        do throws(ActorError) {
            source = try permitted(path)
        } catch  where error.code == .notFound {
            // It may have been removed since it was brought.
            guard try delivery.begin() else { return }
            throw error
        }
        guard try delivery.begin() else { return }
        try copy(source, to: try Folder(path: inbox).making(InboxParts.folder), as: delivery.draft)
        try delivery.end()
    }

    /// The path without links and dots, if it lies below an allowed folder.
    private func permitted(_ path: String) throws(ActorError) -> (folder: String, name: String) {
        guard path.hasPrefix("/") else {
            throw ActorError(.invalidInput, "the path of an upload is absolute, not \(path.prefix(200))")
        }
        guard !allowed.isEmpty else {
            throw ActorError(.forbidden, "no folder may be read from: list those that may under allow_paths")
        }
        let roots = allowed.compactMap(Self.real)
        guard let real = Self.real(path) else {
            // What is outside is not told apart from what is not there.
            let isBelow = allowed.contains { path.hasPrefix($0.hasSuffix("/") ? $0 : "\($0)/") }
            guard isBelow, !path.contains("/../") else { throw refusal(path) }
            throw ActorError(.notFound, "there is no \(path)")
        }
        guard roots.contains(where: { real.hasPrefix($0 == "/" ? "/" : "\($0)/") }) else { throw refusal(path) }
        let slash = real.lastIndex(of: "/") ?? real.startIndex
        return (slash == real.startIndex ? "/" : String(real[..<slash]), String(real[real.index(after: slash)...]))
    }

    private func refusal(_ path: String) -> ActorError {
        ActorError(
            .forbidden,
            "\(path.prefix(200)) is not below a folder that may be read from (\(allowed.joined(separator: ", ")))")
    }

    private static func real(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private func copy(
        _ source: (folder: String, name: String), to target: borrowing Folder, as name: String
    ) throws(ActorError) {
        let folder = try Folder(path: source.folder)
        switch try folder.status(source.name)?.kind {
        case .file: try Self.copyFile(source.name, of: folder, to: target, as: name)
        case .folder:
            try Self.copyFolder(try folder.folder(source.name), to: try target.making(name), depth: 1)
            try target.synchronize()
        case .other: throw ActorError(.invalidInput, "\(source.name) is neither a file nor a folder")
        case nil: throw ActorError(.notFound, "there is no \(source.folder)/\(source.name)")
        }
    }

    /// Links, pipes and devices are left out.
    private static func copyFolder(
        _ source: borrowing Folder, to target: borrowing Folder, depth: Int
    ) throws(ActorError) {
        guard depth <= FileTree.maxDepth else {
            throw ActorError(.tooLarge, "\(source.path) is nested deeper than \(FileTree.maxDepth) folders")
        }
        for name in try source.names() {
            switch try source.status(name)?.kind {
            case .file: try copyFile(name, of: source, to: target, as: name)
            case .folder:
                try copyFolder(try source.folder(name), to: try target.making(name), depth: depth + 1)
            case .other, nil: continue
            }
        }
        try target.synchronize()
    }

    private static func copyFile(
        _ name: String, of source: borrowing Folder, to target: borrowing Folder, as newName: String
    ) throws(ActorError) {
        let file = try source.file(name)
        let before = file.status
        try target.copy(from: file, to: newName)
        guard let after = try source.status(name), after.bytes == before.bytes, after.changed == before.changed else {
            throw ActorError(.conflict, "\(source.path)/\(name) changed while it was copied; send the message again")
        }
    }
}
