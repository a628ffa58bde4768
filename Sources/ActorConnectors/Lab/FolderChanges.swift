import Glibc
import Synchronization

/// Tells when something at the top of a folder changes, by inotify. It hears nothing of other machines that write to a
/// shared file system: who uses it looks by itself now and then.
package final class FolderChanges: Sendable {
    /// Gets an element for a change; several at once are one. Ends with ``stop()``.
    package let stream: AsyncStream<Void>
    private let sink: AsyncStream<Void>.Continuation
    /// Closed by ``stop()``, so that the waiting thread wakes up and ends.
    private let wake: Mutex<Int32?>

    /// Nil where the system gives no watch: the folder has to be looked at by time alone.
    package init?(folder: String) {
        let descriptor = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard descriptor >= 0 else { return nil }
        var ends: [Int32] = [-1, -1]
        let events = UInt32(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_DELETE)
        guard inotify_add_watch(descriptor, folder, events) >= 0,
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0
        else {
            close(descriptor)
            return nil
        }
        let (stream, sink) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.stream = stream
        self.sink = sink
        wake = Mutex(ends[1])
        let wait = Unmanaged.passRetained(Wait(watch: descriptor, end: ends[0], sink: sink))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Wait>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, wait.toOpaque())
        guard code == 0 else {
            wait.release()
            return nil
        }
        pthread_detach(thread)
    }

    deinit { stop() }

    /// Ends the stream; the second time nothing happens.
    package func stop() {
        wake.withLock { end in
            if let open = end { close(open) }
            end = nil
        }
    }
}

/// A thread's own: neither the pool nor the file threads may be held for as long as nothing happens.
private final class Wait {
    private let watch: Int32
    private let end: Int32
    private let sink: AsyncStream<Void>.Continuation

    init(watch: Int32, end: Int32, sink: AsyncStream<Void>.Continuation) {
        self.watch = watch
        self.end = end
        self.sink = sink
    }

    deinit {
        close(watch)
        close(end)
        sink.finish()
    }

    func run() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            var wanted = [
                pollfd(fd: watch, events: Int16(POLLIN), revents: 0),
                pollfd(fd: end, events: Int16(POLLIN), revents: 0),
            ]
            if poll(&wanted, 2, -1) < 0, errno != EINTR { return }
            if wanted[1].revents != 0 { return }
            guard wanted[0].revents != 0 else { continue }
            // Which names does not matter: every look sees all of them.
            while read(watch, buffer.baseAddress, buffer.count) > 0 {}
            sink.yield()
        }
    }
}
