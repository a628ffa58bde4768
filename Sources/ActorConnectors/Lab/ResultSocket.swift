import ActorCore
import Dispatch
import Glibc
import Synchronization

/// The socket of one execution: each datagram that a program sends to it becomes a file, one result.
///
/// All of it happens on the serial queue it was made with.
final class ResultSocket: Sendable {
    /// Longest datagram that is a result, and most of them that one execution may leave (actors API, section 3.4).
    static let longest = 131_072
    static let most = 1000
    /// A path that is longer has no place in a socket's address.
    static let longestPath = 107

    let path: String
    private let folder: String
    private let descriptor: Int32
    private let source: Mutex<any DispatchSourceRead>
    private let queue: DispatchQueue

    /// Nil when there cannot be one: its execution then runs without.
    ///
    /// - Parameters:
    ///   - run: the folder of the execution, absolute.
    ///   - door: a folder in it, for the socket alone: whoever sees it finds the one of the next daemon too.
    init?(run: String, door: String, queue: DispatchQueue) {
        path = "\(run)/\(door)/results.sock"
        folder = "\(run)/results"
        self.queue = queue
        guard path.utf8.count <= Self.longestPath else { return nil }
        let kind = SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        descriptor = socket(AF_UNIX, Int32(kind), 0)
        guard descriptor >= 0 else { return nil }
        unlink(path)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8) + [0]
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let descriptor = descriptor
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) == 0 }
        }
        guard isBound, mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            Glibc.close(descriptor)
            return nil
        }
        // The run's folder is closed to others; whoever a container runs as has to reach it (section 3.4).
        chmod(path, 0o777)
        source = Mutex(DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue))
        source.withLock { source in
            source.setEventHandler { [weak self] in self?.take() }
            source.setCancelHandler { Glibc.close(descriptor) }
            source.resume()
        }
    }

    /// Everything that waits in the socket. Results that are too long or too many are left out.
    private func take() {
        var bytes = [UInt8](repeating: 0, count: Self.longest)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_TRUNC))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return }
            if count <= Self.longest { keep(bytes.prefix(count)) }
        }
    }

    private func keep(_ result: ArraySlice<UInt8>) {
        let known = ResultFolder.names(in: folder)
        guard known.count < Self.most else { return }
        let number = (known.last.flatMap { Int($0) } ?? 0) + 1
        let name = String(repeating: "0", count: max(0, 8 - String(number).count)) + String(number)
        // Under another name until it is whole: who pops takes numbers only.
        let half = "\(folder)/.\(name)"
        let file = open(half, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return }
        var rest = result
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        Glibc.close(file)
        if rest.isEmpty { rename(half, "\(folder)/\(name)") } else { unlink(half) }
    }

    /// Takes what has come until now; nothing more is taken after that.
    func close() async {
        await withCheckedContinuation { continuation in
            queue.async {
                self.take()
                self.source.withLock { $0.cancel() }
                unlink(self.path)
                continuation.resume()
            }
        }
    }
}

/// The results of one execution, one file each, the oldest first.
enum ResultFolder {
    /// Numbers only, in order. Blocks.
    static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes the oldest result and answers its path: nobody else gets it. Blocks.
    static func pop(in folder: String, token: String) -> String? {
        for name in names(in: folder) {
            let taken = "\(folder)/.taken-\(token)"
            if rename("\(folder)/\(name)", taken) == 0 { return taken }
        }
        return nil
    }
}
