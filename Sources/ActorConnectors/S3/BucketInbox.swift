package import ActorCore
package import Logging
package import NIOPosix
import Synchronization

/// How a bucket is an inbox.
package struct BucketInboxSettings: Sendable, Equatable {
    package var bucket: String
    /// Keys of uploads begin with it.
    package var prefix: String
    package var pollMilliseconds: Int64
    package var settleMilliseconds: Int64
    /// Whether objects are removed once their content is safely stored here.
    package var deletes: Bool
    /// Whether "safely stored" includes the copy of the upload in an object store.
    package var needsCopy: Bool
    /// Of one object; larger ones are left where they are, and said so.
    package var maxBytes: Int64

    package init(
        bucket: String, prefix: String = "", pollMilliseconds: Int64 = 60000, settleMilliseconds: Int64 = 60000,
        deletes: Bool = true, needsCopy: Bool = false, maxBytes: Int64 = .max
    ) {
        self.bucket = bucket
        self.prefix = prefix
        self.pollMilliseconds = pollMilliseconds
        self.settleMilliseconds = settleMilliseconds
        self.deletes = deletes
        self.needsCopy = needsCopy
        self.maxBytes = maxBytes
    }
}

/// Brings uploads from a bucket into the folder inbox: fetched, verified, made to last, and only then shown, with
/// `NAME.done` beside them. An object leaves the bucket when its content was taken in as an upload, never before.
package final class BucketInbox: Sendable {
    /// Uploads under way; the leading dot keeps them out of every scan of the inbox.
    private static let staging = ".s3"
    private static let mostObjects = 100_000

    private let settings: BucketInboxSettings
    private let store: any ObjectStore
    private let transfer: ObjectTransfer
    private let lab: FolderLab
    private let ledgers: BucketLedgers
    private let inbox: String
    private let clock: any Timekeeper
    private let logger: Logger
    private let blocking: BlockingWork
    /// Something is under way that the next look goes on with.
    private let isOpen = Mutex(false)
    private let machine: Mutex<BucketInboxMachine>
    private let bell: AsyncStream<Void>.Continuation
    private let rings: AsyncStream<Void>

    /// - Parameters:
    ///   - lab: knows which uploads were taken in.
    ///   - root: the data folder, absolute.
    ///   - inbox: the folder inbox, absolute, existing.
    package init(
        settings: BucketInboxSettings, store: any ObjectStore, lab: FolderLab, root: String, inbox: String,
        clock: any Timekeeper, pool: NIOThreadPool = .singleton, logger: Logger
    ) {
        self.settings = settings
        self.store = store
        self.transfer = ObjectTransfer(store: store, clock: clock, pool: pool)
        self.lab = lab
        self.ledgers = BucketLedgers(root: root)
        self.inbox = inbox
        self.clock = clock
        self.logger = logger
        self.blocking = BlockingWork(pool: pool)
        machine = Mutex(
            BucketInboxMachine(prefix: settings.prefix, settleMilliseconds: settings.settleMilliseconds))
        (rings, bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Somebody says that something has changed: the bucket is listed now rather than later.
    package func ring() { bell.yield() }

    /// Until the task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [clock, bell, settings] in
                // What has to settle, or to be removed once it is stored, does not wait for the next poll.
                let hurry = min(settings.pollMilliseconds, max(1000, min(settings.settleMilliseconds, 10_000)))
                var slept = settings.pollMilliseconds
                while !Task.isCancelled {
                    if slept >= settings.pollMilliseconds || self.isOpen.withLock({ $0 }) {
                        slept = 0
                        bell.yield()
                    }
                    do {
                        try await clock.sleep(milliseconds: hurry)
                    } catch {
                        break
                    }
                    slept += hurry
                }
            }
            for await _ in rings { await look() }
            group.cancelAll()
        }
    }

    /// One look: fetches what has become complete, and removes from the bucket what is safely stored.
    package func look() async {
        do throws(ActorError) {
            let objects = try await list()
            let now = clock.now()
            let complete = machine.withLock { $0.seen(objects, now: now) }
            for upload in complete {
                do throws(ActorError) {
                    try await bring(upload)
                } catch {
                    machine.withLock { $0.retract(upload.name) }
                    logger.error(
                        "an upload could not be fetched; trying again at the next look",
                        metadata: ["name": "\(upload.name)", "error": "\(error)"])
                }
            }
            for ledger in try await blocking({ [ledgers] () throws(ActorError) in try ledgers.all() }) {
                try await finish(ledger)
            }
            let left = try await blocking { [ledgers] () throws(ActorError) in try ledgers.all() }
            let isUnfinished = left.contains { settings.deletes || $0.state != .brought }
            let isWaiting = machine.withLock(\.isWaiting)
            isOpen.withLock { $0 = isUnfinished || isWaiting }
        } catch {
            logger.error(
                "the bucket could not be read", metadata: ["bucket": "\(settings.bucket)", "error": "\(error)"])
        }
    }

    private func list() async throws(ActorError) -> [StoredObject] {
        var objects: [StoredObject] = []
        var after: String?
        repeat {
            let page = try await store.list(
                ObjectQuery(bucket: settings.bucket, prefix: settings.prefix, after: after))
            objects += page.objects
            after = page.next
            guard objects.count <= Self.mostObjects else {
                throw ActorError(.tooLarge, "more than \(Self.mostObjects) objects wait in \(settings.bucket)")
            }
        } while after != nil
        return objects
    }

    // MARK: - Into the inbox

    private func bring(_ upload: BucketUpload) async throws(ActorError) {
        let known = try await blocking { [ledgers] () throws(ActorError) in
            try ledgers.all().first { $0.name == upload.name && $0.version == upload.version }
        }
        var ledger = known ?? BucketLedger(upload)
        if ledger.state == .fetching { try await fetch(upload, &ledger) }
        if ledger.state == .fetched {
            try await show(ledger, isFolder: upload.isFolder)
            ledger.state = .brought
            try await write(ledger)
            logger.info(
                "an upload was fetched from the bucket",
                metadata: ["name": "\(upload.name)", "objects": "\(upload.objects.count)"])
        }
    }

    private func fetch(_ upload: BucketUpload, _ ledger: inout BucketLedger) async throws(ActorError) {
        let here = Set(ledger.items.map(\.key))
        if ledger.items.isEmpty { try await write(ledger) }
        for object in upload.objects where !here.contains(object.key) {
            let path = try self.path(of: object, upload)
            let folder = try await place(for: path, of: upload)
            let name = path[path.count - 1]
            let fetched = try await transfer.fetch(
                ObjectName(bucket: settings.bucket, key: object.key), to: name, in: folder, limit: settings.maxBytes)
            guard fetched.etag == object.etag else {
                throw ActorError(.conflict, "\(object.key) has changed since it was listed")
            }
            let file = LabFile(path: path.joined(separator: "/"), bytes: fetched.bytes, sha256: fetched.sha256)
            ledger.items.append(BucketLedger.Item(key: object.key, etag: object.etag, file: file))
            if ledger.items.count <= 1000 || ledger.items.count.isMultiple(of: 100) { try await write(ledger) }
        }
        ledger.state = .fetched
        try await write(ledger)
    }

    /// The names below the upload's folder; of a single object its own.
    private func path(of object: StoredObject, _ upload: BucketUpload) throws(ActorError) -> [String] {
        guard upload.isFolder else { return [upload.name] }
        let rest = object.key.dropFirst(settings.prefix.count + upload.name.count + 1)
        let names = rest.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let areGood = names.allSatisfy { name in
            (1...255).contains(name.utf8.count) && name != "." && name != ".."
                && !name.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }
        }
        guard areGood, names.count <= 48 else {
            throw ActorError(.invalidInput, "the key \(object.key.prefix(300)) is no path of a file: rename the object")
        }
        return names
    }

    /// The folder that a file is fetched into, made; absolute.
    private func place(for path: [String], of upload: BucketUpload) async throws(ActorError) -> String {
        let inbox = inbox
        return try await blocking { () throws(ActorError) in
            var folder = try Folder(path: inbox).making(Self.staging)
            if upload.isFolder { folder = try folder.making(upload.name) }
            for name in path.dropLast() { folder = try folder.making(name) }
            return folder.path
        }
    }

    private func show(_ ledger: BucketLedger, isFolder: Bool) async throws(ActorError) {
        let inbox = inbox
        try await blocking { () throws(ActorError) in
            let target = try Folder(path: inbox)
            let staging = try target.making(Self.staging)
            // Not there: it was moved before a crash.
            if try staging.status(ledger.name) != nil {
                guard try target.status(ledger.name) == nil else {
                    throw ActorError(.conflict, "an upload \(ledger.name) is in the inbox already")
                }
                try staging.move(ledger.name, to: target, as: ledger.name)
                try target.synchronize()
            }
            if try target.status(ledger.name) != nil { try target.write([], to: "\(ledger.name).done") }
        }
    }

    private func write(_ ledger: BucketLedger) async throws(ActorError) {
        try await blocking { [ledgers] () throws(ActorError) in try ledgers.write(ledger) }
    }

    // MARK: - Out of the bucket

    /// Objects whose content is stored are removed; what has changed meanwhile stays, and is fetched as a new upload.
    private func finish(_ ledger: BucketLedger) async throws(ActorError) {
        let there = machine.withLock { $0.current(ledger.name) }
        guard let there else {
            // Somebody else has removed it, or we have and a crash came before this line.
            let inbox = inbox
            return try await blocking { [ledgers] () throws(ActorError) in
                if ledger.state != .brought {
                    try FileTree.remove(ledger.name, in: try Folder(path: inbox).making(Self.staging))
                }
                try ledgers.remove(ledger.name)
            }
        }
        guard settings.deletes, ledger.state == .brought, there.version == ledger.version else { return }
        guard try await lab.isStored(ledger.name, ledger.items.map(\.file), copied: settings.needsCopy) else { return }
        var keys = ledger.items.map(\.key)
        keys += ["\(settings.prefix)\(ledger.name).done"]
        if there.isFolder { keys.append("\(settings.prefix)\(ledger.name)/.done") }
        let refused = try await store.delete(keys, in: settings.bucket)
        for refusal in refused {
            logger.error(
                "an object could not be removed from the bucket",
                metadata: ["key": "\(refusal.key)", "error": "\(refusal.reason)"])
        }
        guard refused.isEmpty else { return }
        machine.withLock { $0.forget(ledger.name) }
        try await blocking { [ledgers] () throws(ActorError) in try ledgers.remove(ledger.name) }
        logger.info("an upload is stored and was removed from the bucket", metadata: ["name": "\(ledger.name)"])
    }
}
