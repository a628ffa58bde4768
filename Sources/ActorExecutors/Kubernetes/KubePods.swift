import ActorCore
import Glibc
import Synchronization

/// Lists, watches, events and logs of a namespace: what all engines of a cluster read in the same way.
final class KubePods: Sendable {
    private static let page = "500"
    private static let shortestPause: Int64 = 1000
    /// After the first news the rest that comes with it is heard, too.
    private static let drain = Duration.milliseconds(250)

    private let client: KubeClient
    private let files = FileQueue()
    /// By path.
    private let views = Mutex<[String: KubeView]>([:])

    init(client: KubeClient) { self.client = client }

    static func path(_ namespace: String) -> String { "/api/v1/namespaces/\(namespace)/pods" }

    // MARK: Objects

    /// All objects at a path: as watches have told them, else listed.
    func objects(_ path: String, _ selector: String) async throws(EngineFailure) -> [JSONValue] {
        let now = client.now()
        if let known = views.withLock({ $0[path]?.take(now: now) }) { return known }
        let (items, version) = try await list(path, selector)
        views.withLock { $0[path, default: KubeView()].list(items, version: version, now: now) }
        return items
    }

    /// All pages, and the version they are of; a list that has grown old in between is begun again once.
    private func list(
        _ path: String, _ selector: String
    ) async throws(EngineFailure) -> (items: [JSONValue], version: String?) {
        var hasBegunAgain = false
        var items: [JSONValue] = []
        var token: String?
        while true {
            var query = [("labelSelector", selector), ("limit", Self.page)]
            if let token { query.append(("continue", token)) }
            let answer = try await client.send("GET", path, query: query)
            if answer.status == 410, !hasBegunAgain {
                (hasBegunAgain, items, token) = (true, [], nil)
                continue
            }
            if let failure = answer.failure("\(path) cannot be listed") { throw failure }
            items += answer.body["items"]?.array ?? []
            token = answer.body["metadata"]?["continue"]?.string.flatMap { $0.isEmpty ? nil : $0 }
            if token == nil { return (items, answer.body["metadata"]?["resourceVersion"]?.string) }
        }
    }

    /// Watches from where the last lists ended; whatever happens to one of the objects ends the pause. A version that
    /// is too old (410) does so too: the next look lists again. Where no watch can be had it is a pause.
    func pause(_ paths: [String], _ selector: String, milliseconds: Int64) async throws {
        try await Task.sleep(for: .milliseconds(min(milliseconds, Self.shortestPause)))
        let rest = milliseconds - Self.shortestPause
        guard rest > 0 else { return }
        await watch(paths, selector, milliseconds: rest)
        try Task.checkCancellation()
    }

    /// Watches from where each path is known; returns a moment after something has happened, or when the time is over.
    private func watch(_ paths: [String], _ selector: String, milliseconds: Int64) async {
        let (news, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        await withTaskGroup(of: Void.self) { group in
            for path in paths {
                guard let version = views.withLock({ $0[path]?.version }) else { continue }
                group.addTask { await self.follow(path, selector, version, milliseconds) { signal.yield() } }
            }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(milliseconds))
                signal.finish()
            }
            for await _ in news {
                try? await Task.sleep(for: Self.drain)
                break
            }
            group.cancelAll()
        }
    }

    /// Where no watch can be had the next look lists, and says what is wrong.
    private func follow(
        _ path: String, _ selector: String, _ version: String, _ milliseconds: Int64, news: @Sendable () -> Void
    ) async {
        do {
            try await client.watch(
                path,
                query: [
                    ("watch", "true"), ("labelSelector", selector), ("resourceVersion", version),
                    ("timeoutSeconds", String(max(1, milliseconds / 1000))), ("allowWatchBookmarks", "true"),
                ], idleMilliseconds: milliseconds + 10_000,
                began: { self.views.withLock { $0[path]?.begin() } },
                event: { event in
                    if self.views.withLock({ $0[path]?.hear(event) ?? true }) { news() }
                })
        } catch {
            // We have ended it ourselves: what was told until then is known.
            if !Task.isCancelled { views.withLock { $0[path]?.breakOff() } }
        }
    }

    /// Warnings about a job or its pods, in the order of their times. Without the right to read them there are none.
    func events(of names: [String], in namespace: String) async -> [JSONValue] {
        var events: [JSONValue] = []
        for name in names.prefix(3) {
            let answer = try? await client.send(
                "GET", "/api/v1/namespaces/\(namespace)/events",
                query: [("fieldSelector", "involvedObject.name=\(name),type=Warning"), ("limit", "50")])
            events += answer?.body["items"]?.array ?? []
        }
        func time(_ event: JSONValue) -> String {
            event["lastTimestamp"]?.string ?? event["eventTime"]?.string
                ?? event["metadata"]?["creationTimestamp"]?.string ?? ""
        }
        return events.sorted { time($0) < time($1) }
    }

    // MARK: Logs

    /// The logs of all pods of a job, the oldest first, in the file that each container's goes to.
    ///
    /// - Parameter file: of a container of a pod; nil leaves it out.
    func keepLogs(
        in namespace: String, selector: String, maxBytes: Int, file: (JobPhase, JSONValue, String) -> String?
    ) async throws(EngineFailure) {
        let pods = try await list(Self.path(namespace), selector).items
            .sorted {
                ($0["metadata"]?["creationTimestamp"]?.string ?? "")
                    < ($1["metadata"]?["creationTimestamp"]?.string ?? "")
            }
        var sources: [String: [(pod: String, container: String)]] = [:]
        for pod in pods {
            guard let name = pod["metadata"]?["name"]?.string else { continue }
            for (phase, list) in [(JobPhase.initial, "initContainers"), (.main, "containers")] {
                for container in (pod["spec"]?[list]?.array ?? []).compactMap({ $0["name"]?.string }) {
                    guard let file = file(phase, pod, container) else { continue }
                    sources[file, default: []].append((name, container))
                }
            }
        }
        for (file, list) in sources.sorted(by: { $0.key < $1.key }) {
            var text: [UInt8] = []
            for source in list where text.count < maxBytes {
                let log = try await log(source.pod, source.container, in: namespace, maxBytes: maxBytes)
                if list.count > 1, !log.isEmpty { text += Array("--- \(source.pod)\n".utf8) }
                text += log
            }
            if !text.isEmpty { try await write(Array(text.prefix(maxBytes)), to: file) }
        }
    }

    private func write(_ bytes: [UInt8], to file: String) async throws(EngineFailure) {
        let isWritten = await files.perform { SmallFile.grow(bytes, to: file) }
        if !isWritten { throw EngineFailure(.unreachable, "the log \(file) cannot be written") }
    }

    /// What a container has printed; nothing when it never ran or is gone.
    private func log(
        _ pod: String, _ container: String, in namespace: String, maxBytes: Int
    ) async throws(EngineFailure) -> [UInt8] {
        let answer = try await client.send(
            "GET", "\(Self.path(namespace))/\(pod)/log",
            query: [("container", container), ("limitBytes", String(maxBytes))], accept: "*/*")
        switch answer.status {
        case 200: return answer.text
        // No node yet, waiting to start, taken away.
        case 204, 400, 404: return []
        default: throw answer.failure("the log of \(pod) cannot be read") ?? EngineFailure(.unreachable, "no log")
        }
    }
}
