import ActorCore
import Glibc

/// The blocking file calls of the inbox. Every folder is opened by name below the one before, links are never
/// followed, so no name can lead out of the inbox.
struct InboxFolder: Sendable {
    /// Parts lie here until they are whole; a leading dot keeps them out of every scan.
    static let partsName = ".parts"

    let path: String

    /// A new, empty part.
    func createPart() throws(ActorError) -> Part {
        let inbox = try openInbox()
        defer { close(inbox) }
        let parts = try openFolder(Self.partsName, in: inbox, creating: true)
        defer { close(parts) }
        let name = "\(String(UInt64.random(in: .min ... .max), radix: 36)).part"
        let descriptor = openat(parts, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw PosixFailure.error("open", "the upload") }
        return Part(name: name, descriptor: descriptor)
    }

    struct Part: Sendable {
        let name: String
        let descriptor: Int32
    }

    func write(_ bytes: [UInt8], to part: Part) throws(ActorError) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(part.descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw PosixFailure.error("write", "the upload")
            }
            offset += count
        }
    }

    /// Puts a whole part in its place, durably. An earlier file of the same path is replaced.
    func publish(_ part: Part, upload: String, path filePath: [String]) throws(ActorError) {
        guard fsync(part.descriptor) == 0 else { throw PosixFailure.error("fsync", "the upload") }
        guard let leaf = filePath.last else { throw ActorError(.invalidInput, "the path names no file") }
        let inbox = try openInbox()
        defer { close(inbox) }
        try refuseWhenDone(upload, in: inbox)
        let parts = try openFolder(Self.partsName, in: inbox, creating: false)
        defer { close(parts) }
        var folder = try openFolder(upload, in: inbox, creating: true)
        defer { close(folder) }
        for name in filePath.dropLast() {
            let next = try openFolder(name, in: folder, creating: true)
            close(folder)
            folder = next
        }
        guard renameat(parts, part.name, folder, leaf) == 0 else {
            throw PosixFailure.error("rename", filePath.joined(separator: "/"))
        }
        guard fsync(folder) == 0 else { throw PosixFailure.error("fsync", upload) }
    }

    /// Closes a part; removes it unless it was published.
    func discard(_ part: Part, published: Bool) {
        close(part.descriptor)
        guard !published, let inbox = try? openInbox() else { return }
        defer { close(inbox) }
        guard let parts = try? openFolder(Self.partsName, in: inbox, creating: false) else { return }
        unlinkat(parts, part.name, 0)
        close(parts)
    }

    func refuseWhenDone(_ upload: String) throws(ActorError) {
        let inbox = try openInbox()
        defer { close(inbox) }
        try refuseWhenDone(upload, in: inbox)
    }

    /// Writes `<upload>.done`; a repeat changes nothing.
    func markDone(_ upload: String) throws(ActorError) {
        let inbox = try openInbox()
        defer { close(inbox) }
        var info = stat()
        guard fstatat(inbox, upload, &info, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw PosixFailure.error("stat", "upload \(upload)")
        }
        let marker = openat(inbox, "\(upload).done", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard marker >= 0 else { throw PosixFailure.error("open", "the marker of \(upload)") }
        defer { close(marker) }
        guard fsync(marker) == 0, fsync(inbox) == 0 else {
            throw PosixFailure.error("fsync", "the marker of \(upload)")
        }
    }

    private func refuseWhenDone(_ upload: String, in inbox: Int32) throws(ActorError) {
        var info = stat()
        guard fstatat(inbox, "\(upload).done", &info, AT_SYMLINK_NOFOLLOW) != 0 else {
            throw ActorError(.conflict, "upload \(upload) is marked done; use another name for more files")
        }
        guard errno == ENOENT else { throw PosixFailure.error("stat", "the marker of \(upload)") }
    }

    private func openInbox() throws(ActorError) -> Int32 {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw PosixFailure.error("open", "the inbox") }
        return descriptor
    }

    private func openFolder(_ name: String, in parent: Int32, creating: Bool) throws(ActorError) -> Int32 {
        if creating, mkdirat(parent, name, 0o750) != 0, errno != EEXIST { throw PosixFailure.error("mkdir", name) }
        let descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw PosixFailure.error("open", name) }
        return descriptor
    }
}
