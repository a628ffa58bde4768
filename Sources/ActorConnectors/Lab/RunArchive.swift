import ActorCore

/// Moves the output of a run to where it is kept.
///
/// `runs/<id>/published.json` names the target before anything moves, so that a repeat after a crash can tell its own
/// work from somebody else's.
struct RunArchive {
    private static let record = "published.json"
    private static let output = "output"

    let root: String
    let archive: String

    /// The names in an archive path: `/products/v2/…`, each of letters, digits, `._-`, none with a leading dot or dash.
    static func segments(of archivePath: String) -> [String]? {
        guard archivePath.utf8.first == UInt8(ascii: "/"), archivePath.utf8.count <= 1024 else { return nil }
        let names = archivePath.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (1...16).contains(names.count), names.allSatisfy(isSegment) else { return nil }
        return names
    }

    private static func isSegment(_ name: String) -> Bool {
        NameRules.isUploadName(name)
            && name.utf8.allSatisfy { NameRules.isAlphanumeric($0) || "._-".utf8.contains($0) }
    }

    func publish(_ id: String, to archivePath: String) throws(ActorError) -> [LabFile] {
        guard var parents = Self.segments(of: archivePath), let last = parents.popLast() else {
            throw ActorError(
                .invalidInput,
                "\"\(archivePath.prefix(200))\" is no archive path: it starts with / and has up to 16 names of "
                    + "letters, digits and ._-")
        }
        let run = try runFolder(id)
        let parent = try folder(parents)
        let hasOutput = try run.status(Self.output)?.kind == .folder
        if try parent.status(last) != nil {
            return try repeated(id, archivePath, in: run, hasOutput: hasOutput, target: try parent.folder(last))
        }
        guard hasOutput else {
            throw ActorError(.notFound, "run \(id) has no output to publish: \(run.path)/\(Self.output) is missing")
        }
        let files = try FileTree.files(in: try run.folder(Self.output), durably: true)
        try run.write(JSONWriter.bytes(["path": .string(archivePath)]), to: Self.record)
        try run.move(Self.output, to: parent, as: last)
        try parent.synchronize()
        try run.synchronize()
        return files
    }

    /// The target is there: what this run has published before, or the same content again. Anything else is a conflict.
    private func repeated(
        _ id: String, _ archivePath: String, in run: borrowing Folder, hasOutput: Bool, target: consuming Folder
    ) throws(ActorError) -> [LabFile] {
        let there = try FileTree.files(in: target)
        let output = hasOutput ? try FileTree.files(in: try run.folder(Self.output)) : []
        let noted = try published(in: run)
        // After a crash the run may have been prepared again, which leaves an empty output.
        let isMoved = output.isEmpty && noted == archivePath
        guard isMoved || (hasOutput && output == there) else {
            throw ActorError(
                .conflict, "\(archivePath) is there already and was not published by run \(id); nothing was changed")
        }
        return there
    }

    private func published(in run: borrowing Folder) throws(ActorError) -> String? {
        guard try run.status(Self.record)?.kind == .file else { return nil }
        let bytes = try run.file(Self.record).bytes(from: 0, length: 4096)
        return (try? JSONReader.read(bytes))?["path"]?.string
    }

    private func runFolder(_ id: String) throws(ActorError) -> Folder {
        guard NameRules.isUploadName(id) else {
            throw ActorError(.invalidInput, "\"\(id.prefix(200))\" is no id of a run")
        }
        return try Folder(path: root).making("runs").making(id)
    }

    /// Makes the folders on the way and makes them last.
    private func folder(_ names: [String]) throws(ActorError) -> Folder {
        var folder = try Folder(path: archive)
        for name in names {
            let child = try folder.making(name)
            try folder.synchronize()
            folder = child
        }
        return folder
    }

    /// Scratch, output and logs of a run.
    func prepare(_ id: String, fresh: Bool) throws(ActorError) -> RunFolders {
        let run = try runFolder(id)
        if fresh {
            try FileTree.remove("work", in: run)
            try FileTree.remove(Self.output, in: run)
        }
        return RunFolders(
            work: try run.making("work").path, output: try run.making(Self.output).path,
            logs: try run.making("logs").path)
    }
}
