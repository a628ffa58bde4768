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
    private let machine: Mutex<InboxMachine>

    /// - Parameters:
    ///   - settleMilliseconds: how long an upload without a marker must not change.
    ///   - scanMilliseconds: how often it is asked whether a look is due; without `changes` it always is.
    ///   - rescanMilliseconds: how long nobody looks when no change is told of.
    ///   - refreshMilliseconds: how often the ingest is to look at its repositories of job files; nil when it has none.
    ///   - changes: gets an element when something at the top of the inbox changed; one consumer.
    package init(
        inbox: any Inbox, system: ActorSystem, actorName: String, tenant: String, settleMilliseconds: Int64,
        scanMilliseconds: Int64, rescanMilliseconds: Int64 = 10_000, changes: AsyncStream<Void>? = nil,
        refreshMilliseconds: @escaping @Sendable () -> Int64? = { nil }
    ) {
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
    package var standing: [InboxStanding] { machine.withLock(\.standing) }

    /// Until the task is cancelled or the system drains.
    package func run() async {
        let bell = Bell()
        await withTaskGroup(of: Void.self) { group in
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
                        await self.refresh()
                    }
                }
                bell.close()
            }
            for await _ in bell.rings { await look() }
            group.cancelAll()
        }
    }

    /// Where nothing tells of changes every time is the time; else what settles decides, and a rescan now and then.
    private func isLookDue(_ sinceLook: Int64) -> Bool {
        guard changes != nil, sinceLook > 0, sinceLook < rescanMilliseconds else { return true }
        let now = system.now()
        return machine.withLock { $0.nextLook(now: now) }.map { $0 <= now } ?? false
    }

    /// One look: announces what has become complete.
    func look() async {
        let entries: [InboxEntry]
        do {
            entries = try await inbox.scan()
        } catch {
            system.logger.error("the inbox could not be read", metadata: [LogKeys.error: "\(error)"])
            return
        }
        let now = system.now()
        for action in machine.withLock({ $0.seen(entries, now: now) }) {
            switch action {
            case .announce(let entry): await announce(entry)
            case .check(let entry): await check(entry)
            }
        }
    }

    private func check(_ entry: InboxEntry) async {
        do {
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
                "an upload could not be compared with its checksum list; trying again at the next look",
                metadata: [LogKeys.name: "\(entry.name)", LogKeys.error: "\(error)"])
            machine.withLock { $0.retract(entry.name) }
        }
    }

    private func refresh() async {
        do {
            let target = try system.resolve(actorName, tenant: tenant)
            _ = try await system.send(
                MessageDraft(actor: target.id, body: Array(#"{"kind":"refresh"}"#.utf8), sender: "inbox"))
        } catch {
            system.logger.error("the job sets could not be refreshed", metadata: [LogKeys.error: "\(error)"])
        }
    }

    private func announce(_ entry: InboxEntry) async {
        do {
            let target = try system.resolve(actorName, tenant: tenant)
            var body: JSONValue = [
                "kind": "upload", "name": .string(entry.name), "bytes": .int(entry.bytes),
                "files": JSONValue(entry.files), "modified": .string(entry.modified.iso8601),
            ]
            if entry.isForced { body = body.setting("force", true) }
            let key = "inbox:\(entry.name):\(entry.modified.milliseconds):\(entry.bytes)"
            _ = try await system.send(
                MessageDraft(
                    actor: target.id, body: JSONWriter.bytes(body), sender: "inbox",
                    idempotency: IdempotencyKey(key: key)))
            system.logger.info("an upload is complete", metadata: [LogKeys.name: "\(entry.name)"])
        } catch {
            system.logger.error(
                "an upload could not be announced; trying again at the next look",
                metadata: [LogKeys.name: "\(entry.name)", LogKeys.error: "\(error)"])
            machine.withLock { $0.retract(entry.name) }
        }
    }
}
