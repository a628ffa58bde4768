import ActorCore
import Glibc

/// What the file system says of a name, without following it when it is a symbolic link.
struct FileStatus {
    enum Kind {
        case file, folder
        /// A symbolic link, a pipe, a device: never read, never counted.
        case other
    }

    let kind: Kind
    /// Which file or folder it is, whatever it is called (`st_ino`).
    let number: UInt64
    let bytes: Int64
    /// Latest change of content or of the entry itself (`st_ctime`): a file that was moved here with an old
    /// modification time changed just now.
    let changed: Timestamp
    /// Latest change of the content, as whoever wrote it may have set it (`st_mtime`).
    let modified: Timestamp

    init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .folder
        default: kind = .other
        }
        number = UInt64(status.st_ino)
        bytes = Int64(status.st_size)
        changed = Self.moment(status.st_ctim)
        modified = Self.moment(status.st_mtim)
    }

    private static func moment(_ time: timespec) -> Timestamp {
        Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

/// An open folder. Everything below it is reached by single names relative to it, and no name is followed when it is a
/// symbolic link: nothing that is done here can be led out of the folder.
struct Folder: ~Copyable {
    private let descriptor: Int32
    /// For messages only.
    let path: String

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// A folder that the configuration names; links on the way to it are the operator's business.
    init(path: String) throws(ActorError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("open folder", path) }
        self.init(descriptor: descriptor, path: path)
    }

    /// The folder `name` in this one.
    func folder(_ name: String) throws(ActorError) -> Folder {
        let child = Self.opened(name, in: descriptor, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard child >= 0 else { throw Self.failure("open folder", "\(path)/\(name)") }
        return Folder(descriptor: child, path: "\(path)/\(name)")
    }

    /// The folder `name` in this one, made when it is not there.
    func making(_ name: String) throws(ActorError) -> Folder {
        let here = descriptor
        guard RawName.withCString(name, { mkdirat(here, $0, 0o755) }) == 0 || errno == EEXIST else {
            throw Self.failure("make folder", "\(path)/\(name)")
        }
        return try folder(name)
    }

    /// Nil when there is no such name.
    func status(_ name: String) throws(ActorError) -> FileStatus? {
        var status = stat()
        let here = descriptor
        guard RawName.withCString(name, { fstatat(here, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            guard errno == ENOENT else { throw Self.failure("look at", "\(path)/\(name)") }
            return nil
        }
        return FileStatus(status)
    }

    /// Of the folder itself.
    func status() throws(ActorError) -> FileStatus {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure("look at", path) }
        return FileStatus(status)
    }

    /// All names in it, sorted; those that are not UTF-8 as ``RawName`` writes them.
    func names() throws(ActorError) -> [String] {
        // A descriptor of its own: reading a folder moves its position.
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else {
            let failure = Self.failure("list folder", path)
            if copy >= 0 { close(copy) }
            throw failure
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { RawName.text(Array($0.prefix { $0 != 0 })) }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw Self.failure("list folder", path) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Moves `name` to another folder of the same file system, atomically. A file there is replaced, a folder only when
    /// it is empty.
    func move(_ name: String, to other: borrowing Folder, as newName: String) throws(ActorError) {
        let (here, there) = (descriptor, other.descriptor)
        let moved = RawName.withCString(name) { old in
            RawName.withCString(newName) { new in renameat(here, old, there, new) }
        }
        guard moved == 0 else {
            let failed = errno
            let target = "\(other.path)/\(newName)"
            switch failed {
            case EXDEV:
                throw ActorError(
                    .unavailable,
                    "\(path)/\(name) cannot be moved to \(target): they must be on one file system; set both folders so"
                )
            case ENOTEMPTY, EEXIST, ENOTDIR, EISDIR:
                throw ActorError(.conflict, "\(target) is there already")
            default: throw Self.failure("move to \(target):", "\(path)/\(name)", error: failed)
            }
        }
    }

    /// The same where nothing may be replaced: throws `conflict` when the name is there. A crash may leave a file under
    /// both names.
    func moveAsNew(_ name: String, to other: borrowing Folder, as newName: String) throws(ActorError) {
        let (here, there) = (descriptor, other.descriptor)
        let isFile = try status(name)?.kind == .file
        let linked = RawName.withCString(name) { old in
            RawName.withCString(newName) { new in isFile ? linkat(here, old, there, new, 0) : -1 }
        }
        if linked == 0 { return try removeFile(name) }
        // A folder never replaces a file, nor another folder with something in it; some file systems have no links.
        guard try other.status(newName) == nil else {
            throw ActorError(.conflict, "\(other.path)/\(newName) is there already")
        }
        try move(name, to: other, as: newName)
    }

    /// Gives the file `name` a second name in another folder of the same file system.
    func link(_ name: String, to other: borrowing Folder) throws(ActorError) {
        let (here, there) = (descriptor, other.descriptor)
        guard RawName.withCString(name, { linkat(here, $0, there, $0, 0) }) == 0 else {
            throw Self.failure("link to \(other.path):", "\(path)/\(name)")
        }
    }

    /// Nothing happens when there is no such file.
    func removeFile(_ name: String) throws(ActorError) {
        let here = descriptor
        guard RawName.withCString(name, { unlinkat(here, $0, 0) }) == 0 || errno == ENOENT else {
            throw Self.failure("remove", "\(path)/\(name)")
        }
    }

    /// Removes an empty folder.
    func removeFolder(_ name: String) throws(ActorError) {
        let here = descriptor
        guard RawName.withCString(name, { unlinkat(here, $0, AT_REMOVEDIR) }) == 0 || errno == ENOENT else {
            throw Self.failure("remove", "\(path)/\(name)")
        }
    }

    /// Makes what was made, moved and removed in it last.
    func synchronize() throws(ActorError) {
        guard fsync(descriptor) == 0 else { throw Self.failure("synchronize", path) }
    }

    /// A regular file, open for reading.
    func file(_ name: String) throws(ActorError) -> OpenFile {
        // Without O_NONBLOCK a pipe would hold the thread until somebody writes.
        let file = Self.opened(name, in: descriptor, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw Self.failure("open", "\(path)/\(name)") }
        return try OpenFile(descriptor: file, path: "\(path)/\(name)")
    }

    /// Replaces the file `name` in one step: a reader, or a restart after a power cut, sees the old content or the new.
    func write(_ bytes: [UInt8], to name: String) throws(ActorError) {
        let draft = ".\(name).new"
        let file = Self.opened(draft, in: descriptor, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { throw Self.failure("write", "\(path)/\(draft)") }
        let wrote = Self.writeAll(bytes, to: file) && fsync(file) == 0
        let failed = errno
        close(file)
        guard wrote else { throw Self.failure("write", "\(path)/\(draft)", error: failed) }
        try move(draft, to: self, as: name)
        try synchronize()
    }

    /// A file to be written to by offset, made when it is not there and kept as it is when it is.
    func draft(_ name: String) throws(ActorError) -> DraftFile {
        let file = Self.opened(name, in: descriptor, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw Self.failure("write", "\(path)/\(name)") }
        return try DraftFile(descriptor: file, path: "\(path)/\(name)")
    }

    /// A new, empty file, open for writing; whoever gets it closes it.
    func newFile(_ name: String) throws(ActorError) -> Int32 {
        let file = Self.opened(name, in: descriptor, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { throw Self.failure("write", "\(path)/\(name)") }
        return file
    }

    /// A copy of `source` under `name`, on disk when this returns.
    func copy(from source: borrowing OpenFile, to name: String) throws(ActorError) {
        let file = Self.opened(name, in: descriptor, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { throw Self.failure("write", "\(path)/\(name)") }
        defer { close(file) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while true {
            let count = try source.read(into: buffer, at: offset)
            if count == 0 { break }
            guard Self.writeAll(Array(buffer[..<count]), to: file) else {
                throw Self.failure("write", "\(path)/\(name)")
            }
            offset += Int64(count)
        }
        guard fsync(file) == 0 else { throw Self.failure("synchronize", "\(path)/\(name)") }
    }

    /// Negative where it cannot be opened. What is made may be read by all.
    private static func opened(_ name: String, in folder: Int32, _ flags: Int32) -> Int32 {
        RawName.withCString(name) { openat(folder, $0, flags, 0o644) }
    }

    private static func writeAll(_ bytes: [UInt8], to file: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = Glibc.write(file, buffer.baseAddress?.advanced(by: done), buffer.count - done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }

    static func failure(_ what: String, _ place: String, error: Int32 = errno) -> ActorError {
        let reason = String(cString: strerror(error))
        let code: ActorError.Code =
            switch error {
            case ENOENT: .notFound
            case ENOSPC, EDQUOT: .storageFull
            case ELOOP, ENOTDIR: .invalidInput
            default: .unavailable
            }
        return ActorError(code, "cannot \(what) \(RawName.shown(place)): \(reason)")
    }
}

/// A regular file, open for reading.
struct OpenFile: ~Copyable {
    private let descriptor: Int32
    let path: String
    let status: FileStatus

    fileprivate init(descriptor: Int32, path: String) throws(ActorError) {
        var status = stat()
        let isKnown = fstat(descriptor, &status) == 0
        self.descriptor = descriptor
        self.path = path
        self.status = FileStatus(status)
        guard isKnown else { throw Folder.failure("look at", path) }
        guard self.status.kind == .file else { throw ActorError(.invalidInput, "\(path) is no regular file") }
    }

    deinit { close(descriptor) }

    /// Up to `buffer.count` bytes from `offset`; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(ActorError) -> Int {
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            if count >= 0 { return count }
            guard errno == EINTR else { throw Folder.failure("read", path) }
        }
    }

    /// `length` bytes from `offset`, or fewer when the file ends before.
    func bytes(from offset: Int64, length: Int) throws(ActorError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: length)
        var filled = 0
        var failure: ActorError?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(ActorError) {
                while filled < length {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                    let count = try read(into: rest, at: offset + Int64(filled))
                    if count == 0 { break }
                    filled += count
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return Array(bytes.prefix(filled))
    }

    /// Makes its content last.
    func synchronize() throws(ActorError) {
        guard fsync(descriptor) == 0 else { throw Folder.failure("synchronize", path) }
    }

    /// Nobody may change its content any more; a file that belongs to somebody else stays as it is.
    func protect() { fchmod(descriptor, 0o444) }

    /// For libraries that read by themselves; the descriptor is good until `body` returns.
    func withDescriptor<Value>(_ body: (Int32) throws(ActorError) -> Value) throws(ActorError) -> Value {
        try body(descriptor)
    }
}
