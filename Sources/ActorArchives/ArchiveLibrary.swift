package import ActorCore
import CArchive

/// Reads zip and tar through libarchive; every other format that it knows stays switched off.
package struct ArchiveLibrary: ArchiveFormats {
    package init() {}

    package func open(_ format: ArchiveFormat, descriptor: Int32) throws(ActorError) -> any ArchiveCursor {
        try LibraryCursor(format, descriptor)
    }
}

private final class LibraryCursor: ArchiveCursor {
    private let reader: OpaquePointer
    private let format: ArchiveFormat

    init(_ format: ArchiveFormat, _ descriptor: Int32) throws(ActorError) {
        var message: UnsafePointer<CChar>?
        guard let reader = carchive_open(descriptor, format == .zip ? 1 : 0, &message) else {
            throw ActorError(.unavailable, "no memory for reading an archive")
        }
        self.reader = reader
        self.format = format
        if let message { throw Self.failure(format, String(cString: message)) }
    }

    deinit { archive_read_free(reader) }

    var consumed: Int64 { Int64(carchive_consumed(reader)) }

    func next() throws(ActorError) -> ArchiveEntry? {
        var entry: OpaquePointer?
        let code = carchive_next(reader, &entry)
        if code == carchive_end() { return nil }
        guard code >= carchive_warn(), let entry else { throw failure() }
        let name = carchive_name(entry).map { name in
            UnsafeBufferPointer(start: name, count: Self.length(of: name)).map { UInt8(bitPattern: $0) }
        }
        let kind: ArchiveEntry.Kind =
            switch UInt8(bitPattern: carchive_kind(entry)) {
            case UInt8(ascii: "f"): .file
            case UInt8(ascii: "d"): .folder
            case UInt8(ascii: "l"): .link
            default: .other
            }
        return ArchiveEntry(name: name, kind: kind, isEncrypted: carchive_is_encrypted(entry) != 0)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ActorError) -> Int {
        let count = carchive_read(reader, buffer.baseAddress, buffer.count)
        guard count >= 0 else { throw failure() }
        return count
    }

    private static func length(of text: UnsafePointer<CChar>) -> Int {
        var count = 0
        while text[count] != 0 { count += 1 }
        return count
    }

    private func failure() -> ActorError {
        Self.failure(format, archive_error_string(reader).map { String(cString: $0) } ?? "it is damaged")
    }

    private static func failure(_ format: ArchiveFormat, _ message: String) -> ActorError {
        ActorError(.invalidInput, "the \(format.rawValue) archive cannot be read: \(message.prefix(300))")
    }
}
