package import ActorCore
package import Logging
package import NIOPosix
import Synchronization

/// Where uploads are copied to.
package struct UploadCopySettings: Sendable, Equatable {
    package var bucket: String
    /// Keys are `<prefix><upload>/original/<path>`, and `…/derived/<path>` of what jobs have made of it.
    package var prefix: String
    package var pollMilliseconds: Int64

    package init(bucket: String, prefix: String = "", pollMilliseconds: Int64 = 10000) {
        self.bucket = bucket
        self.prefix = prefix
        self.pollMilliseconds = pollMilliseconds
    }
}

/// Copies every upload that was taken in to an object store, file by file with its hash, and notes in `stored.json`
/// beside it when all of it is there.
package final class UploadCopier: Sendable {
    private let settings: UploadCopySettings
    private let transfer: ObjectTransfer
    private let uploads: StoredUploads
    private let clock: any Timekeeper
    private let logger: Logger
    private let blocking: BlockingWork
    /// Uploads that need not be looked at again.
    private let done = Mutex<Set<String>>([])

    /// - Parameter root: the data folder, absolute.
    package init(
        settings: UploadCopySettings, store: any ObjectStore, root: String, clock: any Timekeeper,
        pool: NIOThreadPool = .singleton, logger: Logger
    ) {
        self.settings = settings
        self.transfer = ObjectTransfer(store: store, clock: clock, pool: pool)
        self.uploads = StoredUploads(root: root)
        self.clock = clock
        self.logger = logger
        self.blocking = BlockingWork(pool: pool)
    }

    /// Until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            await look()
            do {
                try await clock.sleep(milliseconds: settings.pollMilliseconds)
            } catch {
                return
            }
        }
    }

    /// Copies what was taken in since the last look.
    package func look() async {
        do throws(ActorError) {
            let known = done.withLock { $0 }
            let pending = try await blocking { [uploads] () throws(ActorError) in try uploads.pending(leavingOut: known)
            }
            for upload in pending {
                do throws(ActorError) {
                    if !upload.isStored { try await copy(upload) }
                    if !upload.isDerivedStored { try await copyDerived(upload) }
                    _ = done.withLock { $0.insert(upload.mark) }
                } catch {
                    logger.error(
                        "an upload could not be copied; trying again at the next look",
                        metadata: ["name": "\(upload.id)", "error": "\(error)"])
                }
            }
        } catch {
            logger.error("the uploads could not be listed", metadata: ["error": "\(error)"])
        }
    }

    private func send(
        _ files: [LabFile], in folder: String, below key: String
    ) async throws(ActorError) -> [StoredObject] {
        var objects: [StoredObject] = []
        for file in files {
            // What a repeat finds there with the same hash is not sent again.
            objects.append(
                try await transfer.send(
                    file.path, in: folder, to: ObjectName(bucket: settings.bucket, key: "\(key)/\(file.path)"),
                    sha256: file.sha256))
        }
        return objects
    }

    private func copyDerived(_ upload: StoredUploads.Pending) async throws(ActorError) {
        let derived = try await blocking { [uploads] () throws(ActorError) in try uploads.derived(upload) }
        let stored = try await send(
            derived.files, in: derived.folder, below: "\(settings.prefix)\(upload.id)/derived")
        let settings = settings
        try await blocking { [uploads] () throws(ActorError) in
            try uploads.note(upload, in: settings.bucket, stored, isDerived: true)
        }
        logger.info("results were copied", metadata: ["name": "\(upload.id)", "bucket": "\(settings.bucket)"])
    }

    private func copy(_ upload: StoredUploads.Pending) async throws(ActorError) {
        let stored = try await send(
            upload.files, in: upload.folder, below: "\(settings.prefix)\(upload.id)/original")
        let settings = settings
        try await blocking { [uploads] () throws(ActorError) in
            try uploads.note(upload, in: settings.bucket, stored)
        }
        logger.info(
            "an upload was copied", metadata: ["name": "\(upload.id)", "bucket": "\(settings.bucket)"])
    }
}
