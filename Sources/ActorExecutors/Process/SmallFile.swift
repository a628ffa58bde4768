import Glibc

/// Reads whole small files and folders: entries of `/proc`, what supervisors write.
enum SmallFile {
    /// Up to `limit` bytes of the file; nil when it cannot be read.
    static func read(_ path: String, limit: Int = 16384) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        return [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            count = 0
            while count < limit {
                let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, limit - count)
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { return }
                count += got
            }
        }
    }

    /// The names in a folder, without those that begin with a dot; none when there is no such folder.
    static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let item = readdir(directory) {
            let name = withUnsafeBytes(of: &item.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// Writes what has only grown since it was last written: what was fetched earlier and comes later changes nothing.
    static func grow(_ bytes: [UInt8], to path: String) -> Bool {
        var known = stat()
        if stat(path, &known) == 0, known.st_size >= bytes.count { return true }
        return write(bytes, to: path)
    }

    /// Writes beside and renames, so that a crash leaves the old file or the new one.
    static func write(_ bytes: [UInt8], to path: String) -> Bool {
        let beside = path + ".new"
        let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return false }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            written += count
        }
        guard close(descriptor) == 0, written == bytes.count, rename(beside, path) == 0 else {
            unlink(beside)
            return false
        }
        return true
    }
}
