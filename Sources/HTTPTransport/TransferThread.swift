import ActorCore
import CCurl
import Glibc
import Synchronization

/// The one thread that owns libcurl's multi handle and every easy handle; the rest of the program talks to its inbox.
///
/// Unchecked because `multi`, `active` and `idle` are touched by that thread alone, from `run()` to its end; what
/// others touch is behind the lock. `curl_multi_wakeup` is libcurl's one call that any thread may make.
final class TransferThread: @unchecked Sendable {
    private enum Order {
        case start(Transfer)
        case cancel(Int)
        /// The reader of a streamed answer has made room.
        case goOn(Int)
        case stop
    }

    private struct Inbox {
        var orders: [Order] = []
        var isOpen = true
        var hasEnded = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// Requests that may be under way or waiting for a connection.
    private static let most = 4096
    private let inbox = Mutex(Inbox())
    private let multi: UnsafeMutableRawPointer
    private var active: [Int: Transfer] = [:]
    private var idle: [UnsafeMutableRawPointer] = []
    /// Nothing is out of time before it.
    private var nextDeadline = Int64.max

    /// - Parameter maxConnections: over all hosts; further requests wait for one within their time.
    init(maxConnections: Int) throws(ActorError) {
        guard Self.isReady, let multi = curl_multi_init() else {
            throw ActorError(.unavailable, "libcurl could not be started")
        }
        self.multi = multi
        _ = ccurl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, maxConnections)
        _ = ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, min(64, maxConnections))
        // The thread keeps its owner alive until it ends.
        var thread = pthread_t()
        let me = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<TransferThread>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, me.toOpaque())
        guard code == 0 else {
            me.release()
            throw ActorError(.unavailable, "the thread of the HTTP client could not be started (error \(code))")
        }
        pthread_detach(thread)
    }

    /// libcurl's own start, once in the life of the process.
    private static let isReady = ccurl_global_init() == CURLE_OK

    /// False when the thread takes no more, or the caller's task is cancelled.
    func start(_ transfer: Transfer) -> Bool {
        post(.start(transfer)) { !Task.isCancelled }
    }

    func cancel(_ number: Int) { _ = post(.cancel(number)) { true } }

    func goOn(_ number: Int) { _ = post(.goOn(number)) { true } }

    /// Fails what is pending with `cancelled` and returns when the thread has let go of everything.
    func stop() async {
        _ = post(.stop) { true }
        await withCheckedContinuation { continuation in
            let ended = inbox.withLock { inbox -> Bool in
                inbox.isOpen = false
                if !inbox.hasEnded { inbox.waiting.append(continuation) }
                return inbox.hasEnded
            }
            if ended { continuation.resume() }
        }
    }

    /// The condition is looked at under the lock: a cancellation that came before `start` has set the task's flag by
    /// then, and one that comes later finds the transfer in front of it in the inbox.
    private func post(_ order: Order, if condition: () -> Bool) -> Bool {
        inbox.withLock { inbox in
            guard inbox.isOpen, condition() else { return false }
            inbox.orders.append(order)
            // Under the lock, because the thread frees the handle after it has closed the inbox.
            if inbox.orders.count == 1 { curl_multi_wakeup(multi) }
            return true
        }
    }

    private func run() {
        var goesOn = true
        while goesOn {
            let orders = inbox.withLock { inbox in
                defer { inbox.orders = [] }
                return inbox.orders
            }
            for order in orders {
                switch order {
                case .start(let transfer): begin(transfer)
                case .cancel(let number): abandon(number)
                case .goOn(let number):
                    active[number]?.goOn(now: MonotonicClock.milliseconds())
                    nextDeadline = 0
                case .stop: goesOn = false
                }
            }
            guard goesOn else { break }
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            finishDone()
            // libcurl wakes up earlier for its own timers.
            let wait = min(active.isEmpty ? 3_600_000 : 1000, max(0, failLate()))
            curl_multi_poll(multi, nil, 0, Int32(wait), nil)
        }
        end()
    }

    /// Ends the transfers that are out of time; milliseconds until it has to be looked at again.
    private func failLate() -> Int64 {
        guard nextDeadline < Int64.max else { return Int64.max }
        let now = MonotonicClock.milliseconds()
        guard now >= nextDeadline else { return nextDeadline - now }
        // Every byte moves a deadline on, so they are counted anew only when one may have passed.
        nextDeadline = Int64.max
        for transfer in Array(active.values) {
            guard let deadline = transfer.deadline else { continue }
            if deadline <= now {
                remove(transfer)
                transfer.failForTime()
            } else {
                nextDeadline = min(nextDeadline, deadline)
            }
        }
        return nextDeadline == Int64.max ? nextDeadline : nextDeadline - now
    }

    private func begin(_ transfer: Transfer) {
        guard active.count < Self.most else {
            return transfer.fail(.unavailable, "\(Self.most) requests are under way: try again later")
        }
        guard let easy = idle.popLast() ?? curl_easy_init() else {
            return transfer.fail(.unavailable, "no memory for a request")
        }
        do throws(ActorError) {
            try transfer.prepare(easy, now: MonotonicClock.milliseconds())
            guard curl_multi_add_handle(multi, easy) == CURLM_OK else {
                throw ActorError(.unavailable, "libcurl has no room for a request to \(transfer.target.origin)")
            }
        } catch {
            recycle(transfer)
            return transfer.resume(.failure(error))
        }
        active[transfer.number] = transfer
        if let deadline = transfer.deadline { nextDeadline = min(nextDeadline, deadline) }
    }

    private func remove(_ transfer: Transfer) {
        active[transfer.number] = nil
        curl_multi_remove_handle(multi, transfer.easy)
        recycle(transfer)
    }

    private func abandon(_ number: Int) {
        // An unknown number has its answer already.
        guard let transfer = active[number] else { return }
        remove(transfer)
        transfer.fail(.cancelled, "the request to \(transfer.target.origin) was cancelled")
    }

    private func finishDone() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            // The message is gone after remove_handle.
            let code = ccurl_message_result(message)
            curl_multi_remove_handle(multi, easy)
            guard let transfer = Transfer.at(ccurl_get_private(easy)) else { continue }
            active[transfer.number] = nil
            let result = transfer.result(code)
            recycle(transfer)
            transfer.resume(result)
        }
    }

    private func recycle(_ transfer: Transfer) {
        guard let easy = transfer.giveBack() else { return }
        guard idle.count < 64 else { return curl_easy_cleanup(easy) }
        curl_easy_reset(easy)
        idle.append(easy)
    }

    private func end() {
        let late = inbox.withLock { inbox in
            inbox.isOpen = false
            defer { inbox.orders = [] }
            return inbox.orders
        }
        for case .start(let transfer) in late { transfer.fail(.cancelled, "the HTTP client was shut down") }
        for transfer in active.values {
            curl_multi_remove_handle(multi, transfer.easy)
            if let easy = transfer.giveBack() { curl_easy_cleanup(easy) }
            transfer.fail(.cancelled, "the HTTP client was shut down")
        }
        active = [:]
        for easy in idle { curl_easy_cleanup(easy) }
        idle = []
        curl_multi_cleanup(multi)
        let waiting = inbox.withLock { inbox in
            inbox.hasEnded = true
            defer { inbox.waiting = [] }
            return inbox.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
