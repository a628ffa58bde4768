/// The slots of one actor in the terms of the actors API (section 2.4): a worker waits or handles one message.
///
/// A worker says which slot handles a message; how many messages may run at once is the actor's concurrency, whatever
/// the board shows. An actor with a state keeps its worker; a stateless one has as many as there is work, and what is
/// idle goes.
package struct WorkerBoard: Sendable, Equatable {
    /// One slot.
    package struct Worker: Sendable, Equatable {
        package let id: String
        package let created: Timestamp
        /// When it last began or ended a message.
        package var used: Timestamp?
        package var execution: ExecutionID?
        /// It goes when its message has ended.
        package var isStopping = false

        package init(id: String, created: Timestamp) {
            self.id = id
            self.created = created
        }

        package var isBusy: Bool { execution != nil }
    }

    /// How an idle worker is treated.
    package enum Patience: Sendable, Equatable {
        case stays
        case goes(afterMilliseconds: Int64)
    }

    /// More than this many nobody needs to see.
    package static let most = 1000

    package private(set) var workers: [Worker] = []

    package init() {}

    /// Those that are still there at this moment.
    package mutating func settle(_ patience: Patience, now: Timestamp) {
        guard case .goes(let milliseconds) = patience else { return }
        workers.removeAll { !$0.isBusy && now.since($0.used ?? $0.created) >= milliseconds }
    }

    /// Makes workers until there are so many; answers how many were made.
    ///
    /// - Parameter ids: a fresh one for each.
    package mutating func ensure(_ count: Int, ids: () -> String, now: Timestamp) -> Int {
        let missing = max(0, min(count, Self.most) - workers.count { !$0.isStopping })
        for _ in 0..<missing { workers.append(Worker(id: ids(), created: now)) }
        return missing
    }

    /// The worker that handles a message from now on: an idle one, or a new one.
    package mutating func take(_ execution: ExecutionID, id: () -> String, now: Timestamp) -> String {
        let index: Int
        if let idle = workers.firstIndex(where: { !$0.isBusy && !$0.isStopping }) {
            index = idle
        } else {
            workers.append(Worker(id: id(), created: now))
            index = workers.count - 1
        }
        workers[index].execution = execution
        workers[index].used = now
        return workers[index].id
    }

    package mutating func release(_ execution: ExecutionID, now: Timestamp) {
        guard let index = workers.firstIndex(where: { $0.execution == execution }) else { return }
        if workers[index].isStopping {
            workers.remove(at: index)
        } else {
            workers[index].execution = nil
            workers[index].used = now
        }
    }

    /// A worker that is idle goes at once, a busy one when it is done. False when there is none of that id.
    package mutating func stop(_ id: String) -> Bool {
        guard let index = workers.firstIndex(where: { $0.id == id && !$0.isStopping }) else { return false }
        if workers[index].isBusy {
            workers[index].isStopping = true
        } else {
            workers.remove(at: index)
        }
        return true
    }
}
