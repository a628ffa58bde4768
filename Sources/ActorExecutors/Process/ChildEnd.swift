import Dispatch
import Glibc
import Synchronization

/// Waits for the end of a child that holds a pipe until then, and reaps it, also when nobody waits any more: a child
/// that is left unreaped stays in the process table.
final class ChildEnd: Sendable {
    private struct Report {
        var bytes: [UInt8] = []
        /// The exit code; -1 when a signal ended it.
        var code: Int32 = -1
    }

    private let pid: pid_t
    private let report = Mutex(Report())
    private let source: Mutex<any DispatchSourceRead>

    /// Takes the descriptor over: the reading end.
    init(of pid: pid_t, pipe descriptor: Int32, queue: DispatchQueue, _ watch: EndWatch) {
        self.pid = pid
        // Each call takes all there is: when text and end come together, Dispatch tells of both at once and never
        // again.
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        source = Mutex(DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue))
        source.withLock { source in
            source.setCancelHandler { _ = Glibc.close(descriptor) }
            // Keeps this object until the other end is closed.
            source.setEventHandler { self.take(from: descriptor, watch) }
            source.resume()
        }
    }

    private func take(from descriptor: Int32, _ watch: EndWatch) {
        var bytes = [UInt8](repeating: 0, count: 512)
        while true {
            let count = read(descriptor, &bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else { break }
            report.withLock { $0.bytes = Array(($0.bytes + bytes.prefix(count)).prefix(4096)) }
        }
        source.withLock { $0.cancel() }
        let code = Self.reap(pid)
        report.withLock { $0.code = code }
        watch.end()
    }

    /// What it wrote before its end, and its exit code; to be asked after its end.
    var words: (code: Int32, text: String) {
        report.withLock { ($0.code, String(decoding: $0.bytes, as: UTF8.self)) }
    }

    /// It has closed the pipe, which it does by ending: this takes no time.
    private static func reap(_ pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status & 0x7f == 0 ? (status >> 8) & 0xff : -1
    }
}
