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

    /// A folder that was taken away took its actor with it.
    func forget(allBut names: [String]) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where !names.contains(name) {
            try? FileManager.default.removeItem(atPath: place(of: name))
        }
    }
}
