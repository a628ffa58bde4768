package import ActorCore

/// How archives among the uploads are unpacked.
package struct UnpackSettings: Sendable {
    package let formats: any ArchiveFormats
    package let limits: UnpackLimits

    package init(formats: any ArchiveFormats, limits: UnpackLimits = UnpackLimits()) {
        self.formats = formats
        self.limits = limits
    }
}

/// Unpacks an archive from strange hands: whole, or not at all.
///
/// What is written lies in a draft beside its target until all of it is there; a repeat after a crash begins anew.
struct Unpacking {
    private static let draft = ".unpacking"
    private static let mostNotes = 100

    let formats: any ArchiveFormats
    let limits: UnpackLimits

    /// - Returns: what was left out, and why.
    /// - Throws: `invalidInput` for an archive that is refused; it will be no better another time.
    func unpack(
        _ archive: borrowing OpenFile, _ format: ArchiveFormat, into place: borrowing Folder, as name: String
    ) throws(ActorError) -> [String] {
        try FileTree.remove(Self.draft, in: place)
        let target = try place.making(Self.draft)
        let notes: [String]
        do throws(ActorError) {
            notes = try archive.withDescriptor { (descriptor: Int32) throws(ActorError) -> [String] in
                try write(try formats.open(format, descriptor: descriptor), format, to: target)
            }
        } catch {
            // The disk may be full of it.
            try? FileTree.remove(Self.draft, in: place)
            throw error
        }
        try target.synchronize()
        try place.move(Self.draft, to: place, as: name)
        try place.synchronize()
        return notes
    }

    private func write(
        _ cursor: any ArchiveCursor, _ format: ArchiveFormat, to target: borrowing Folder
    ) throws(ActorError) -> [String] {
        var machine = UnpackMachine(format: format, limits: limits)
        var notes: [String] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        while let entry = try cursor.next() {
            switch machine.found(entry) {
            case .folder(let path): try Self.make(path, in: target)
            case .leaveOut(let reason?) where notes.count < Self.mostNotes: notes.append(reason)
            case .leaveOut: continue
            case .refuse(let reason): throw Self.refusal(reason)
            case .file(let path):
                let file = try Self.draft(path, in: target)
                var offset: Int64 = 0
                while true {
                    let count = try cursor.read(into: buffer)
                    if count == 0 { break }
                    try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: offset)
                    offset += Int64(count)
                    if let reason = machine.wrote(count, consumed: cursor.consumed) { throw Self.refusal(reason) }
                }
                try file.protect()
            }
        }
        guard machine.files > 0 else { throw Self.refusal("it holds no file") }
        return notes
    }

    private static func refusal(_ reason: String) -> ActorError {
        ActorError(.invalidInput, "the archive is not unpacked: \(reason)")
    }

    private static func make(_ path: [String], in target: borrowing Folder) throws(ActorError) {
        guard let first = path.first else { return }
        var place = try target.making(first)
        for name in path.dropFirst() { place = try place.making(name) }
    }

    private static func draft(_ path: [String], in target: borrowing Folder) throws(ActorError) -> DraftFile {
        guard path.count > 1 else { return try target.draft(path[0]) }
        var place = try target.making(path[0])
        for name in path.dropFirst().dropLast() { place = try place.making(name) }
        return try place.draft(path[path.count - 1])
    }
}
