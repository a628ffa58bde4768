internal import ActorArchives
internal import ActorConnectors
internal import ActorCore
internal import ActorRuntime
internal import HTTPTransport
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

/// The object store as Reactors reach it, once it is there: rings when a notification of it comes, which nobody hears
/// while there is no bucket inbox, looks at objects and removes them.
final class BucketBell: Sendable {
    private let listener = Mutex<(@Sendable () -> Void)?>(nil)
    private let store = Mutex<S3Client?>(nil)

    func listen(_ listener: @escaping @Sendable () -> Void) { self.listener.withLock { $0 = listener } }
    func ring() { listener.withLock { $0 }?() }

    func open(_ store: S3Client) { self.store.withLock { $0 = store } }

    func look(at name: ObjectName) async throws(ActorError) -> StoredObject? {
        guard let store = store.withLock({ $0 }) else {
            throw ActorError(.unavailable, "\(name) cannot be looked at: connectors.s3 is not set up")
        }
        return try await store.head(name)
    }

    func remove(_ keys: [String], in bucket: String) async throws(ActorError) {
        guard let store = store.withLock({ $0 }) else {
            throw ActorError(
                .unavailable, "copies in the bucket \(bucket) cannot be removed: connectors.s3 is not set up")
        }
        if let refusal = try await store.delete(keys, in: bucket).first {
            throw ActorError(.unavailable, "\(refusal.key) in \(bucket) could not be removed: \(refusal.reason)")
        }
    }
}

extension House {
    /// How archives among the uploads are unpacked; nil when they are not.
    static func unpacking(_ settings: Settings) -> UnpackSettings? {
        guard settings.unpacking.isEnabled else { return nil }
        return UnpackSettings(formats: ArchiveLibrary(), limits: settings.unpacking.limits)
    }

    /// The store of `connectors.s3`, as seen through `client`.
    static func objectStore(
        _ settings: S3Settings, client: CurlClient, clock: any Timekeeper
    ) throws(ActorError) -> S3Client {
        let endpoint = try S3Endpoint(
            url: settings.endpoint, region: settings.region, isPathStyle: settings.pathStyle,
            credentials: SigV4.Credentials(
                accessKey: settings.accessKey?.reveal() ?? "", secretKey: settings.secretKey?.reveal() ?? "",
                sessionToken: settings.sessionToken?.reveal()),
            tls: settings.authorities.map { TLSSettings(authorities: .file($0)) })
        return S3Client(endpoint: endpoint, client: client, clock: clock)
    }

    func bucketInbox(_ store: S3Client) -> BucketInbox? {
        guard let inbox = settings.connectors.s3.inbox else { return nil }
        return BucketInbox(
            settings: BucketInboxSettings(
                bucket: inbox.bucket, prefix: inbox.prefix, pollMilliseconds: Int64(inbox.pollSeconds) * 1000,
                settleMilliseconds: Int64(inbox.settleSeconds) * 1000, deletes: inbox.deletes,
                needsCopy: settings.connectors.s3.copy != nil, maxBytes: inbox.maxBytes),
            store: store, lab: lab, root: data.path, inbox: inboxFolder, clock: clock, pool: threads, logger: logger)
    }

    func uploadCopier(_ store: S3Client) -> UploadCopier? {
        guard let copy = settings.connectors.s3.copy else { return nil }
        return UploadCopier(
            settings: UploadCopySettings(bucket: copy.bucket, prefix: copy.prefix), store: store, root: data.path,
            clock: clock, pool: threads, logger: logger)
    }
}

/// Brings uploads from a bucket, and copies uploads to one; through a client of its own, so that gigabytes hold up
/// nobody's callbacks.
struct ObjectStoreService: Service {
    let house: House

    func run() async throws {
        let s3 = house.settings.connectors.s3
        guard s3.inbox != nil || s3.copy != nil, await house.bound() else { return }
        let client = try CurlClient(logger: house.logger, maxConnections: 16)
        let store: S3Client
        do throws(ActorError) {
            store = try House.objectStore(s3, client: client, clock: house.clock)
        } catch {
            // One wrong setting does not keep the rest of the house from running.
            house.logger.error(
                "the object store of connectors.s3 cannot be used", metadata: ["reason": "\(error.description)"])
            return await client.shutdown()
        }
        house.late.bell.open(store)
        let inbox = house.bucketInbox(store)
        if let inbox { house.late.bell.listen { inbox.ring() } }
        let copier = house.uploadCopier(store)
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                if let inbox { group.addTask { await inbox.run() } }
                if let copier { group.addTask { await copier.run() } }
            }
        }
        await client.shutdown()
    }
}
