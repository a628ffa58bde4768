import Glibc

/// A file that takes all the room of a small disk, and gives it back.
struct DiskFiller {
    let path: String

    /// Takes all the room that is left, byte by byte at the end.
    func fill() {
        let filler = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        for size in [65536, 4096, 512, 1] {
            let block = [UInt8](repeating: 1, count: size)
            while write(filler, block, size) == size {}
        }
        close(filler)
    }

    /// Emptied first: whatever another test started meanwhile may hold it open for a moment.
    func makeRoom() {
        truncate(path, 0)
        unlink(path)
    }
}
