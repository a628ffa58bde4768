package import ActorCore
internal import Logging
internal import Synchronization

/// Looks into the inbox and tells the ingest actor about every upload that is complete.
package final class InboxWatcher: Sendable {
    private let inbox: any Inbox
    private let system: ActorSystem
    private let actorName: String
    private let tenant: String
    private let scanMilliseconds: Int64
    private let rescanMilliseconds: Int64
    private let changes: AsyncStream<Void>?
    private let refreshMilliseconds: @Sendable () -> Int64?
    private let haveListsChanged: @Sendable () async -> Bool
    private let machine: Mutex<InboxMachine>
    /// Uploads that the ingest was told of, until it is through with them: a large one leaves the inbox long before.
    private let taken = Mutex<[String: Taken]>([:])
    private static let maxAsked = 100
    /// How many times as long as a look nobody looks again, and milliseconds that this is at most and worth it.
    private static let (pauses, maxPause, minPause): (Int64, Int64, Int64) = (4, 10_000, 100)

    private struct Taken {
        let entry: InboxEntry
        let execution: ExecutionID
        let since: Timestamp
        /// Why the ingest has given up on it.
        var failure: String?

        var standing: InboxStanding {
            let note = failure.map { "could not be taken in: \($0); see reactord dead-letters" }
            return InboxStanding(
                entry: entry, since: since, state: note == nil ? .settling : .failed,
                note: note ?? "is being read and stored", isAnnounced: true)
        }
    }

    /// - Parameters:
    ///   - settleMilliseconds: how long an upload without a marker must not change.
    ///   - scanMilliseconds: how often it is asked whether a look is due; without `changes` it always is.
    ///   - rescanMilliseconds: how long nobody looks when no change is told of.
    ///   - refreshMilliseconds: how often the ingest is to look at its repositories of job files; nil when it has none.
    ///   - haveListsChanged: whether the ingest is to read its lists of uploads again.
    ///   - changes: gets an element when something at the top of the inbox changed; one consumer.
    package init(
        inbox: any Inbox, system: ActorSystem, actorName: String, tenant: String, settleMilliseconds: Int64,
        scanMilliseconds: Int64, rescanMilliseconds: Int64 = 10_000, changes: AsyncStream<Void>? = nil,
        refreshMilliseconds: @escaping @Sendable () -> Int64? = { nil },
        haveListsChanged: @escaping @Sendable () async -> Bool = { false }
    ) {
        self.haveListsChanged = haveListsChanged
        self.inbox = inbox
        self.system = system
        self.actorName = actorName
        self.tenant = tenant
        self.scanMilliseconds = max(50, scanMilliseconds)
        self.rescanMilliseconds = rescanMilliseconds
        self.changes = changes
        self.refreshMilliseconds = refreshMilliseconds
        self.machine = Mutex(InboxMachine(settleMilliseconds: settleMilliseconds))
    }

    /// What is in the inbox and has not become an upload yet.
    package var standing: [InboxStanding] {
        // What the ingest has refused and left where it was.
        let failed = taken.withLock { $0.filter { $0.value.failure != nil } }
        let there = machine.withLock(\.standing).map { standing in
            guard standing.isAnnounced, let item = failed[standing.entry.name], item.entry == standing.entry else {
                return standing
            }
            return item.standing
        }
        let names = Set(there.map(\.entry.name))
        let gone = taken.withLock { taken in taken.values.filter { !names.contains($0.entry.name) } }
        return there
            + gone.map(\.standing).sorted { $0.entry.name.utf8.lexicographicallyPrecedes($1.entry.name.utf8) }
    }

    /// Has left the inbox in an earlier life of the daemon: the ingest goes on with it under this execution.
    package func isTaken(_ name: String, by execution: ExecutionID) {
        let now = system.now()
        let entry = InboxEntry(name: name, bytes: 0, files: 0, modified: now, isMarkedDone: true)
        taken.withLock { $0[name] = Taken(entry: entry, execution: execution, since: now) }
    }

    /// Forgets what the ingest is through with; some at each look.
    private func forgetTaken() async {
        let open = taken.withLock { $0.filter { $0.value.failure == nil }.prefix(Self.maxAsked).map { $0 } }
        for (name, item) in open {
            let record = try? await system.store.execution(item.execution)
            guard let record, record.finished != nil else { continue }
            let failure = record.outcome == .succeeded ? nil : record.reason ?? "its message has failed"
            taken.withLock { taken in
                guard taken[name]?.execution == item.execution else { return }
                if failure == nil { taken[name] = nil } else { taken[name]?.failure = failure }
            }
        }
    }

    /// Until the task is cancelled or the system drains.
    package func run() async {
        let bell = Bell()
        await withDiscardingTaskGroup { group in
            if let changes {
                group.addTask {
                    for await _ in changes { bell.ring() }
                }
            }
            group.addTask {
                var sinceLook: Int64 = 0
                var sinceRefresh = Int64.max / 2
                while !Task.isCancelled, self.system.isAccepting {
                    if self.isLookDue(sinceLook) {
                        sinceLook = 0
                        bell.ring()
                    }
                    guard (try? await self.system.clock.sleep(milliseconds: self.scanMilliseconds)) != nil else {
                        break
                    }
                    sinceLook += self.scanMilliseconds
                    sinceRefresh += self.scanMilliseconds
                    if let period = self.refreshMilliseconds(), sinceRefresh >= period {
                        sinceRefresh = 0
                        await self.tell("refresh")
                    }
                    await self.forgetTaken()
                    if await self.haveListsChanged() { await self.tell("lists") }
                }
                bell.close()
            }
            for await _ in bell.rings {
                // Comparing a large recording with its list holds up no other upload.
                let began = system.now()
                for entry in await look() { group.addTask { await self.check(entry) } }
                // A full inbox is long to look at, and each upload that leaves it is a change: most of the time is left
                // to those who take them.
                let pause = min(system.now().since(began) * Self.pauses, Self.maxPause)
                if pause > Self.minPause { try? await system.clock.sleep(milliseconds: pause) }
            }
            group.cancelAll()
        }
    }

    /// Where nothing tells of changes every time is the time; else what settles decides, and a rescan now and then.
    private func isLookDue(_ sinceLook: Int64) -> Bool {
        guard changes != nil, sinceLook > 0, sinceLook < rescanMilliseconds else { return true }
        let now = system.now()
        return machine.withLock { $0.nextLook(now: now) }.map { $0 <= now } ?? false
    }

    /// One look: announces what has become complete, answers what has to be compared with its list first.
    private func look() async -> [InboxEntry] {
        let entries: [InboxEntry]
        do {
            entries = try await inbox.scan()
        } catch {
            system.logger.error("the inbox could not be read", metadata: [LogKeys.error: "\(error)"])
            return []
        }
        let now = system.now()
        var unchecked: [InboxEntry] = []
        for action in machine.withLock({ $0.seen(entries, now: now) }) {
            switch action {
            case .announce(let entry): await announce(entry)
            case .check(let entry): unchecked.append(entry)
            case .refuse(let entry):
                system.logger.warning(
                    "something in the inbox cannot be an upload as it is; it stays there",
                    metadata: [LogKeys.name: "\(entry.name)", LogKeys.reason: "\(entry.obstacle ?? "")"])
            }
        }
        return unchecked
    }

    private func check(_ entry: InboxEntry) async {
        do {
            // Files that are as their list says are whole, whoever has them open.
            if entry.manifest == nil, let file = try await inbox.fileInWriting(in: entry.name) {
                return machine.withLock { $0.isWritten(entry, file: file) }
            }
            let problem = try await inbox.mismatch(in: entry.name)
            if let problem {
                system.logger.warning(
                    "an upload is not as its checksum list says",
                    metadata: [LogKeys.name: "\(entry.name)", LogKeys.reason: "\(problem)"])
            }
            guard let complete = machine.withLock({ $0.checked(entry, problem: problem) }) else { return }
            await announce(complete)
        } catch {
            system.logger.error(
                "it could not be found out whether an upload is complete; trying again at the next look",
                metadata: [LogKeys.name: "\(entry.name)", LogKeys.error: "\(error)"])
            machine.withLock { $0.retract(entry.name) }
        }
    }

    private func tell(_ kind: String) async {
        do {
            let target = try system.resolve(actorName, tenant: tenant)
            _ = try await system.send(
                MessageDraft(actor: target.id, body: Array(#"{"kind":"\#(kind)"}"#.utf8), sender: "inbox"))
        } catch {
            system.logger.error(
                "the ingest could not be told to look", metadata: [LogKeys.name: "\(kind)", LogKeys.error: "\(error)"])
        }
    }

    private func announce(_ entry: InboxEntry) async {
        if !entry.isMarkedDone, entry.receiving != nil {
            system.logger.warning(
                "an upload is taken although its sender has not ended it: nothing of it came for too long",
                metadata: [LogKeys.name: "\(entry.name)"])
        }
        do {
            let target = try system.resolve(actorName, tenant: tenant)
            var body: JSONValue = [
                "kind": "upload", "name": .string(entry.name), "bytes": .int(entry.bytes),
                "files": JSONValue(entry.files), "modified": .string(entry.modified.iso8601),
            ]
            if entry.isForced { body = body.setting("force", true) }
            let key = "inbox:\(entry.name):\(entry.modified.milliseconds):\(entry.bytes)"
            let receipt = try await system.send(
                MessageDraft(
                    actor: target.id, body: JSONWriter.bytes(body), sender: "inbox",
                    idempotency: IdempotencyKey(key: key), key: entry.name))
            let now = system.now()
            taken.withLock { $0[entry.name] = Taken(entry: entry, execution: receipt.execution, since: now) }
            system.logger.info("an upload is complete", metadata: [LogKeys.name: "\(entry.name)"])
        } catch {
            system.logger.error(
                "an upload could not be announced; trying again at the next look",
                metadata: [LogKeys.name: "\(entry.name)", LogKeys.error: "\(error)"])
            machine.withLock { $0.retract(entry.name) }
        }
    }
}
