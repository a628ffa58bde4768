import Foundation

/// What the folders of actors declared when they were last without a mistake: one that has a mistake now goes on by it,
/// through restarts too. It costs nobody what ran well.
package struct KeptDeclarations: Sendable {
    /// One folder below it for each of the actors.
    let folder: String

    package init(folder: String) { self.folder = folder }

    private func place(of name: String) -> String { "\(folder)/\(name)" }

    /// What was kept of this folder, together with what runs in it; nil when nothing was.
    func files(of name: String, folder: String) -> ActorFiles? {
        let isThere = FileManager.default.fileExists(atPath: place(of: name))
        return isThere ? ActorFiles(folder: folder, declarations: place(of: name)) : nil
    }

    /// Keeps what these files declare, unless they have changed so that the copy is not fine. Says what went wrong.
    func keep(_ files: ActorFiles, of name: String, where isFine: (ActorFiles) -> Bool) -> Problem? {
        guard let now = try? files.declared() else { return nil }
        let kept = self.files(of: name, folder: files.folder)
        if let kept, (try? kept.declared()) == now { return nil }
        // Nobody's place: folders whose names begin with a dot are no actors.
        let new = place(of: ".\(name).new")
        let manager = FileManager.default
        defer { try? manager.removeItem(atPath: new) }
        do {
            try? manager.removeItem(atPath: new)
            for (file, bytes) in now {
                let path = "\(new)/\(file)"
                try manager.createDirectory(
                    atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700])
                try PrivateFile.write(bytes, to: path)
            }
            guard isFine(ActorFiles(folder: files.folder, declarations: new)) else { return nil }
            if kept != nil { try manager.removeItem(atPath: place(of: name)) }
            try manager.moveItem(atPath: new, toPath: place(of: name))
            return nil
        } catch {
            return Problem(
                file: files.path("actor.yml"),
                reason: "what it says cannot be kept in \(folder) (\(error)): with a mistake in it the actor would be "
                    + "left out")
        }
    }

    /// The folders of which something is kept, sorted.
    var names: [String] { entries.filter { !$0.hasPrefix(".") }.sorted() }

    private var entries: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] }

    /// Which folder was read last: device and number, since a name is also that of an empty mount point.
    private var mark: String { place(of: ".read") }

    private static func identity(of folder: String) -> String? {
        var facts = stat()
        return stat(folder, &facts) == 0 ? "\(facts.st_dev) \(facts.st_ino)\n" : nil
    }

    /// Whether it is not the folder that was read last. What was never noted counts as the same.
    func isAnother(_ actors: String) -> Bool {
        guard let noted = try? String(contentsOfFile: mark, encoding: .utf8) else { return false }
        return noted != Self.identity(of: actors)
    }

    /// A folder that was taken away took its actor with it.
    ///
    /// - Parameter actors: the folder of the actors, which is noted as the one that was read.
    func forget(allBut names: [String], of actors: String) {
        for name in entries where !names.contains(name) && place(of: name) != mark {
            try? FileManager.default.removeItem(atPath: place(of: name))
        }
        if !names.isEmpty, let identity = Self.identity(of: actors),
            identity != (try? String(contentsOfFile: mark, encoding: .utf8))
        {
            try? PrivateFile.write(identity, to: mark)
        }
    }
}
