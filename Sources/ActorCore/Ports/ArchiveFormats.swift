/// One thing that an archive holds.
package struct ArchiveEntry: Sendable, Equatable {
    /// What it is; links are told from files so that nobody follows them.
    package enum Kind: Sendable, Equatable {
        case file, folder, link, other
    }

    /// As it stands in the archive, in whatever encoding; nil when it cannot be read at all.
    package let name: [UInt8]?
    package let kind: Kind
    package let isEncrypted: Bool

    package init(name: [UInt8]?, kind: Kind, isEncrypted: Bool = false) {
        self.name = name
        self.kind = kind
        self.isEncrypted = isEncrypted
    }
}

/// Reads one archive from its first entry to its last; used by one thread.
package protocol ArchiveCursor: AnyObject {
    /// The next entry; nil at the end. Throws `invalidInput` for what is damaged or no such archive.
    func next() throws(ActorError) -> ArchiveEntry?
    /// The next bytes of the entry; 0 at its end. Throws `invalidInput` for what is damaged.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ActorError) -> Int
    /// Bytes of the archive that were read so far, to be compared with what came out of them.
    var consumed: Int64 { get }
}

/// Opens archives of the formats that uploads come in. Calls block: for threads made for that.
package protocol ArchiveFormats: Sendable {
    /// - Parameter descriptor: open for reading and seekable; stays the caller's, and open while the cursor lives.
    func open(_ format: ArchiveFormat, descriptor: Int32) throws(ActorError) -> any ArchiveCursor
}

/// A format of archives, known by the end of a file's name.
package enum ArchiveFormat: String, Sendable, CaseIterable {
    case zip
    /// Gzipped or not.
    case tar

    private static let endings: [(String, ArchiveFormat)] = [
        (".zip", .zip), (".tar", .tar), (".tar.gz", .tar), (".tgz", .tar),
    ]

    /// The format that a file's name promises, and the name without the ending; nil for what is no archive, and for
    /// a name that is nothing but an ending.
    package static func of(fileName: String) -> (format: ArchiveFormat, stem: String)? {
        let lower = fileName.lowercased()
        guard let (ending, format) = endings.first(where: { lower.hasSuffix($0.0) }) else { return nil }
        let stem = String(fileName.dropLast(ending.count))
        return stem.isEmpty ? nil : (format, stem)
    }
}
