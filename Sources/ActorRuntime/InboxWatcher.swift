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
    private let machine: Mutex<InboxMachine>

    /// - Parameters:
    ///   - settleMilliseconds: how long an upload without a marker must not change.
    ///   - scanMilliseconds: how often the inbox is looked at.
    package init(
        inbox: any Inbox, system: ActorSystem, actorName: String, tenant: String, settleMilliseconds: Int64,
        scanMilliseconds: Int64
    ) {
        self.inbox = inbox
        self.system = system
        self.actorName = actorName
        self.tenant = tenant
        self.scanMilliseconds = max(50, scanMilliseconds)
        self.machine = Mutex(InboxMachine(settleMilliseconds: settleMilliseconds))
    }

    /// Until the task is cancelled or the system drains.
    package func run() async {
        while !Task.isCancelled, system.isAccepting {
            await look()
            do {
                try await system.clock.sleep(milliseconds: scanMilliseconds)
            } catch {
                return
            }
        }
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
        for entry in machine.withLock({ $0.seen(entries, now: now) }) {
            do {
                let target = try system.resolve(actorName, tenant: tenant)
                let body: JSONValue = [
                    "kind": "upload", "name": .string(entry.name), "bytes": .int(entry.bytes),
                    "files": JSONValue(entry.files), "modified": .string(entry.modified.iso8601),
                ]
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
}
