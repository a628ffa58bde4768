import Glibc
import Synchronization

/// Waits for the end of a child that holds a pipe until then, and reaps it, also when nobody waits any more: a child
/// that is left unreaped stays in the process table.
///
/// A thread for each: Dispatch uses memory that it has freed when the other end of a pipe it watches is closed
/// (`_dispatch_event_merge_hangup` of Swift 6.3), which ends the daemon.
final class ChildEnd: Sendable {
    private struct Report {
        var bytes: [UInt8] = []
        /// The exit code; -1 when a signal ended it.
        var code: Int32 = -1
    }

    /// It reads, it waits: it needs no more than the least that a thread may have.
    private static let stack = 128 * 1024

    private let pid: pid_t
    private let descriptor: Int32
    private let watch: EndWatch
    private let report = Mutex(Report())

    /// Takes the descriptor over: the reading end. Nil when there can be no further thread: nobody reaps it then.
    init?(of pid: pid_t, pipe descriptor: Int32, _ watch: EndWatch) {
        self.pid = pid
        self.descriptor = descriptor
        self.watch = watch
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, Self.stack)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let this = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<ChildEnd>.fromOpaque(context).takeRetainedValue().wait()
                return nil
            }, this.toOpaque())
        guard code == 0 else {
            this.release()
            close(descriptor)
            return nil
        }
    }

    private func wait() {
        var bytes = [UInt8](repeating: 0, count: 512)
        while true {
            let count = read(descriptor, &bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            report.withLock { $0.bytes = Array(($0.bytes + bytes.prefix(count)).prefix(4096)) }
        }
        close(descriptor)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        report.withLock { $0.code = status & 0x7f == 0 ? (status >> 8) & 0xff : -1 }
        watch.end()
    }

    /// What it wrote before its end, and its exit code; to be asked after its end.
    var words: (code: Int32, text: String) {
        report.withLock { ($0.code, String(decoding: $0.bytes, as: UTF8.self)) }
    }
}
