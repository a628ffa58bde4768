import ActorCore
import Glibc
import Synchronization

/// Lists, events and logs of a namespace: what all engines of a cluster read in the same way.
final class KubePods: Sendable {
    private static let page = "500"

    private let client: KubeClient
    private let files = FileQueue()
    /// From which version a watch goes on, by path: where the last list ended.
    private let versions = Mutex<[String: String]>([:])

    init(client: KubeClient) { self.client = client }

    static func path(_ namespace: String) -> String { "/api/v1/namespaces/\(namespace)/pods" }

    func version(of path: String) -> String? { versions.withLock { $0[path] } }
    func note(_ version: String?, of path: String) { versions.withLock { $0[path] = version } }

    /// All pages; a list that has grown old in between is begun again once.
    func list(_ path: String, _ selector: String) async throws(EngineFailure) -> [JSONValue] {
        var hasBegunAgain = false
        var items: [JSONValue] = []
        var token: String?
        repeat {
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
            let version = answer.body["metadata"]?["resourceVersion"]?.string
            if token == nil {
                note(version, of: path)
                return items
            }
        } while true
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

    /// The logs of all pods of a job, the oldest first, in one file for each container.
    ///
    /// - Parameter name: what the job file calls a container of a pod; nil leaves it out.
    func keepLogs(
        _ run: EngineRun, in namespace: String, selector: String, maxBytes: Int,
        name: (JobPhase, String) -> String? = { $1 }
    ) async throws(EngineFailure) {
        let pods = try await list(Self.path(namespace), selector)
            .sorted {
                ($0["metadata"]?["creationTimestamp"]?.string ?? "")
                    < ($1["metadata"]?["creationTimestamp"]?.string ?? "")
            }
        for (phase, list) in [(JobPhase.initial, "initContainers"), (.main, "containers")] {
            let names = pods.flatMap { ($0["spec"]?[list]?.array ?? []).compactMap { $0["name"]?.string } }
            for container in Set(names).sorted() {
                guard let own = name(phase, container) else { continue }
                var text: [UInt8] = []
                for pod in pods {
                    guard let podName = pod["metadata"]?["name"]?.string else { continue }
                    let log = try await log(podName, container, in: namespace, maxBytes: maxBytes)
                    if pods.count > 1, !log.isEmpty { text += Array("--- \(podName)\n".utf8) }
                    text += log
                }
                guard !text.isEmpty else { continue }
                let (file, bytes) = (run.logFile(phase, own), Array(text.suffix(maxBytes)))
                let isWritten = await files.perform { SmallFile.write(bytes, to: file) }
                if !isWritten { throw EngineFailure(.unreachable, "the log \(file) cannot be written") }
            }
        }
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
