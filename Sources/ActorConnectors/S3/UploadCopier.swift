package import ActorCore
package import Logging
package import NIOPosix
import Synchronization

/// Where uploads are copied to.
package struct UploadCopySettings: Sendable, Equatable {
    package var bucket: String
    /// Keys are `<prefix><upload>/original/<path>`.
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
                    _ = done.withLock { $0.insert(upload.id) }
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

    private func copy(_ upload: StoredUploads.Pending) async throws(ActorError) {
        var objects: [StoredObject] = []
        for file in upload.files {
            let key = "\(settings.prefix)\(upload.id)/original/\(file.path)"
            // What a repeat finds there with the same hash is not sent again.
            objects.append(
                try await transfer.send(
                    file.path, in: upload.folder, to: ObjectName(bucket: settings.bucket, key: key),
                    sha256: file.sha256))
        }
        let stored = objects
        let settings = settings
        try await blocking { [uploads] () throws(ActorError) in
            try uploads.note(upload, in: settings.bucket, stored)
        }
        logger.info(
            "an upload was copied", metadata: ["name": "\(upload.id)", "bucket": "\(settings.bucket)"])
    }
}
