import ActorCore
import Glibc

/// The blocking file calls of the inbox. Every folder is opened by name below the one before, links are never
/// followed, so no name can lead out of the inbox.
struct InboxFolder: Sendable {
    /// Parts lie here until they are whole; a leading dot keeps them out of every scan.
    static let partsName = InboxParts.folder
    /// Space that is left to others when an upload says how large it will be.
    private static let reservedBytes: Int64 = 64 << 20

    let path: String
    /// Makes a link with this text; false where the disk has none.
    var makeLink: @Sendable (_ text: String, _ folder: Int32, _ name: String) -> Bool = { text, folder, name in
        symlinkat(text, folder, name) == 0
    }

    /// Where a file is to appear: an upload that is a single file, or a file within one that is a folder.
    struct Place: Sendable, Equatable {
        let upload: String
        /// Empty for an upload that is a single file.
        let path: [String]

        /// As messages and lists show it.
        var shown: String { ([upload] + path).joined(separator: "/") }
    }

    /// A file that is being received, open and locked.
    struct Part: Sendable {
        let name: String
        let descriptor: Int32
        /// In the file system; it keeps it in its place.
        let number: UInt64
        let bytes: Int64
    }

    /// Opens what has arrived of a file, or makes it. One request at a time may hold it.
    func openPart(_ name: String) throws(ActorError) -> Part {
        let inbox = try openInbox()
        defer { close(inbox) }
        let parts = try openFolder(Self.partsName, in: inbox, creating: true)
        defer { close(parts) }
        let descriptor = openat(parts, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw PosixFailure.error("open", "the upload") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ActorError(.conflict, "this file is being sent by another request; wait for its end")
        }
        // Whoever held it before may have moved it to its place meanwhile.
        var (mine, there) = (stat(), stat())
        guard fstat(descriptor, &mine) == 0, fstatat(parts, name, &there, AT_SYMLINK_NOFOLLOW) == 0,
            mine.st_ino == there.st_ino
        else {
            close(descriptor)
            throw ActorError(.conflict, "this file has just been received; ask how it stands")
        }
        // A daemon that was killed as it put the file in its place: what is written here would be written there.
        guard mine.st_nlink < 2 else {
            unlinkat(parts, name, 0)
            close(descriptor)
            throw ActorError(.conflict, "this file has just been received; ask how it stands")
        }
        return Part(name: name, descriptor: descriptor, number: UInt64(mine.st_ino), bytes: Int64(mine.st_size))
    }

    /// Bytes that have arrived; nil when there is no such part.
    func partBytes(_ name: String) throws(ActorError) -> Int64? {
        let inbox = try openInbox()
        defer { close(inbox) }
        guard let parts = try? openFolder(Self.partsName, in: inbox, creating: false) else { return nil }
        defer { close(parts) }
        var status = stat()
        guard fstatat(parts, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        return Int64(status.st_size)
    }

    /// Writes at `offset`. What is nothing but zeros becomes a hole.
    func write(_ bytes: [UInt8], to part: Part, at offset: Int64) throws(ActorError) {
        guard !bytes.isEmpty else { return }
        if bytes.count >= 65536, Self.isZero(bytes) {
            guard ftruncate(part.descriptor, off_t(offset + Int64(bytes.count))) == 0 else {
                throw PosixFailure.error("ftruncate", "the upload")
            }
            return
        }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(
                    part.descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done,
                    off_t(offset + Int64(done)))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw PosixFailure.error("write", "the upload")
            }
            done += count
        }
    }

    private static func isZero(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            // Each byte is the one before it, and the first is nothing.
            guard let start = buffer.baseAddress, buffer[0] == 0 else { return false }
            return memcmp(start, start + 1, buffer.count - 1) == 0
        }
    }

    /// Forgets what lies behind `bytes`.
    func cut(_ part: Part, to bytes: Int64) throws(ActorError) {
        guard ftruncate(part.descriptor, off_t(bytes)) == 0 else {
            throw PosixFailure.error("ftruncate", "the upload")
        }
    }

    /// Reads a part in pieces, from its begin to its end.
    func read(_ part: Part, _ body: (UnsafeRawBufferPointer) -> Void) throws(ActorError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while true {
            let count = pread(part.descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw PosixFailure.error("read", "the upload") }
            if count == 0 { return }
            body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += Int64(count)
        }
    }

    /// Refuses what will not fit on the disk.
    func refuseWithoutSpace(for bytes: Int64, quota: Int64?) throws(ActorError) {
        var space = statvfs()
        guard statvfs(path, &space) == 0 else { throw PosixFailure.error("statvfs", "the inbox") }
        let free = Int64(clamping: UInt64(space.f_bavail) * UInt64(space.f_frsize))
        guard bytes <= max(0, free - Self.reservedBytes) else {
            throw ActorError(.storageFull, "there is no space left for \(bytes) bytes more in the inbox")
        }
        guard let quota else { return }
        let used = try usedBytes()
        guard used + bytes <= quota else {
            throw ActorError(
                .storageFull,
                "the inbox holds \(used) bytes and may hold \(quota) (limits.max_inbox_bytes): \(bytes) more do not fit"
            )
        }
    }

    /// All that lies in the inbox, parts among it.
    private func usedBytes() throws(ActorError) -> Int64 {
        let inbox = try openInbox()
        defer { close(inbox) }
        var bytes: Int64 = 0
        Self.add(inbox, depth: 1, to: &bytes)
        return bytes
    }

    /// What cannot be read, or went meanwhile, counts nothing.
    private static func add(_ folder: Int32, depth: Int, to bytes: inout Int64) {
        let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard depth <= 64, copy >= 0, let stream = fdopendir(copy) else {
            if copy >= 0 { close(copy) }
            return
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            var name = entry.pointee.d_name
            withUnsafePointer(to: &name) { pointer in
                let name = UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self)
                var status = stat()
                guard strcmp(name, ".") != 0, strcmp(name, "..") != 0,
                    fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0
                else { return }
                if status.st_mode & S_IFMT == S_IFREG { bytes += Int64(status.st_size) }
                guard status.st_mode & S_IFMT == S_IFDIR else { return }
                let child = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                guard child >= 0 else { return }
                add(child, depth: depth + 1, to: &bytes)
                close(child)
            }
        }
    }

    /// Puts a whole part in its place, durably. An earlier file of the same path within a folder is replaced; an upload
    /// that is a single file replaces only what the same sender has put there.
    ///
    /// - Parameter marker: what the marker of an upload that is a single file says; nil when it is not marked done.
    func publish(
        _ part: Part, at place: Place, marker: String?, by claimant: Claimant
    ) throws(ActorError) {
        guard fsync(part.descriptor) == 0 else { throw PosixFailure.error("fsync", "the upload") }
        let inbox = try openInbox()
        defer { close(inbox) }
        try refuseWhenDone(place.upload, in: inbox)
        let parts = try openFolder(Self.partsName, in: inbox, creating: false)
        defer { close(parts) }
        guard let leaf = place.path.last else {
            try land(part, of: parts, as: place, in: inbox, by: claimant)
            guard fsync(inbox) == 0 else { throw PosixFailure.error("fsync", place.upload) }
            if let marker { try writeMarker(of: place.upload, marker, in: inbox) }
            return
        }
        var folder = try openFolder(place.upload, in: inbox, creating: true)
        defer { close(folder) }
        for name in place.path.dropLast() {
            let next = try openFolder(name, in: folder, creating: true)
            close(folder)
            folder = next
        }
        guard renameat(parts, part.name, folder, leaf) == 0 else {
            throw PosixFailure.error("rename", place.path.joined(separator: "/"))
        }
        guard fsync(folder) == 0 else { throw PosixFailure.error("fsync", place.upload) }
    }

    /// A link is never made over what is there already, whoever put it there at this moment.
    private func land(
        _ part: Part, of parts: Int32, as place: Place, in inbox: Int32, by claimant: Claimant
    ) throws(ActorError) {
        let earlier = try ownPresent(place, in: inbox, by: claimant)
        // Before it is there: after a crash its sender is still known.
        try? noteLanding(of: place.upload, as: part.number)
        if linkat(parts, part.name, inbox, place.upload, 0) == 0 {
            unlinkat(parts, part.name, 0)
            return
        }
        // An own file is there, somebody else's has come at this moment, or this file system has no links.
        var info = stat()
        let isThere = fstatat(inbox, place.upload, &info, AT_SYMLINK_NOFOLLOW) == 0
        guard !isThere || UInt64(info.st_ino) == earlier else { throw Self.present(place) }
        guard renameat(parts, part.name, inbox, place.upload) == 0 else {
            throw PosixFailure.error("rename", place.upload)
        }
    }

    /// Refuses an upload that is a single file when another lies there under its name.
    func refusePresent(_ place: Place, by claimant: Claimant) throws(ActorError) {
        guard place.path.isEmpty else { return }
        let inbox = try openInbox()
        defer { close(inbox) }
        _ = try ownPresent(place, in: inbox, by: claimant)
    }

    /// The number of the file that the same sender has put there already; nil when there is none.
    private func ownPresent(_ place: Place, in inbox: Int32, by claimant: Claimant) throws(ActorError) -> UInt64? {
        var info = stat()
        guard fstatat(inbox, place.upload, &info, AT_SYMLINK_NOFOLLOW) == 0 else {
            guard errno == ENOENT else { throw PosixFailure.error("stat", place.upload) }
            return nil
        }
        let number = UInt64(info.st_ino)
        guard info.st_mode & S_IFMT == S_IFREG, try hasLanded(number, of: place.upload, by: claimant) else {
            throw Self.present(place)
        }
        return number
    }

    private static func present(_ place: Place) -> ActorError {
        ActorError(
            .conflict,
            "another upload \(place.upload) lies in the inbox and is not replaced: use another name, or send this one "
                + "again when that has been taken")
    }

    /// Closes a part, which frees it for the next request.
    func release(_ part: Part) { close(part.descriptor) }

    /// Forgets what has arrived of a file.
    func remove(_ part: Part) throws(ActorError) {
        let inbox = try openInbox()
        defer { close(inbox) }
        let parts = try openFolder(Self.partsName, in: inbox, creating: false)
        defer { close(parts) }
        unlinkat(parts, part.name, 0)
    }

    func refuseWhenDone(_ upload: String) throws(ActorError) {
        let inbox = try openInbox()
        defer { close(inbox) }
        try refuseWhenDone(upload, in: inbox)
    }

    /// Writes `<upload>.done`; a repeat changes nothing.
    func markDone(_ upload: String, force: Bool) throws(ActorError) {
        let inbox = try openInbox()
        defer { close(inbox) }
        var info = stat()
        guard fstatat(inbox, upload, &info, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw PosixFailure.error("stat", "upload \(upload)")
        }
        try writeMarker(of: upload, force ? "force\n" : "", in: inbox)
        guard let parts = try? openFolder(Self.partsName, in: inbox, creating: false) else { return }
        defer { close(parts) }
        unlinkat(parts, InboxParts.openNote(of: upload), 0)
    }

    /// Notes that the upload's sender will mark it done: it waits for that.
    func stayOpen(_ upload: String) throws(ActorError) {
        let inbox = try openInbox()
        defer { close(inbox) }
        let parts = try openFolder(Self.partsName, in: inbox, creating: true)
        defer { close(parts) }
        let name = InboxParts.openNote(of: upload)
        let note = openat(parts, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard note >= 0 else { throw PosixFailure.error("open", "the note of \(upload)") }
        defer { close(note) }
        // It is as old as what its sender said last.
        guard futimens(note, nil) == 0 else { throw PosixFailure.error("utime", "the note of \(upload)") }
    }

    /// It appears with what it says: the inbox is looked at as soon as it is there.
    private func writeMarker(of upload: String, _ text: String, in inbox: Int32) throws(ActorError) {
        let (draft, name) = (".\(upload).done.new", "\(upload).done")
        let marker = openat(inbox, draft, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard marker >= 0 else { throw PosixFailure.error("open", "the marker of \(upload)") }
        defer { close(marker) }
        let bytes = Array(text.utf8)
        guard Glibc.write(marker, bytes, bytes.count) == bytes.count, fsync(marker) == 0,
            renameat(inbox, draft, inbox, name) == 0, fsync(inbox) == 0
        else { throw PosixFailure.error("fsync", "the marker of \(upload)") }
    }

    private func refuseWhenDone(_ upload: String, in inbox: Int32) throws(ActorError) {
        var info = stat()
        guard fstatat(inbox, "\(upload).done", &info, AT_SYMLINK_NOFOLLOW) != 0 else {
            // An upload leaves after its marker: this one came too late, and is not to speak for the next.
            if fstatat(inbox, upload, &info, AT_SYMLINK_NOFOLLOW) != 0, errno == ENOENT {
                unlinkat(inbox, "\(upload).done", 0)
                return
            }
            throw ActorError(
                .conflict, "upload \(upload) is marked done and not taken yet; use another name, or send it again later"
            )
        }
        guard errno == ENOENT else { throw PosixFailure.error("stat", "the marker of \(upload)") }
    }

    func openInbox() throws(ActorError) -> Int32 {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw PosixFailure.error("open", "the inbox") }
        return descriptor
    }

    func openFolder(_ name: String, in parent: Int32, creating: Bool) throws(ActorError) -> Int32 {
        if creating, mkdirat(parent, name, 0o750) != 0, errno != EEXIST { throw PosixFailure.error("mkdir", name) }
        let descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw PosixFailure.error("open", name) }
        return descriptor
    }
}
