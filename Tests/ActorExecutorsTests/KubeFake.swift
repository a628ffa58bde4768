import ActorCore
import ActorTesting
import Synchronization

/// An API server that is a model: Jobs, pods, logs and events in memory, worded as a recorded one words them. Pods go
/// one state further whenever Jobs are listed, as their commands say.
final class KubeFake: HTTPClient {
    struct Request: Sendable {
        let method: String
        let path: String
        let query: [String: String]
        let headers: [String: String]
        let body: JSONValue
    }

    private enum Instead {
        case answer(Int, JSONValue, retryAfter: Int?)
        /// It is done, and the answer gets lost.
        case lost
        case nothing
    }

    private struct State {
        var jobs: [String: JSONValue] = [:]
        var pods: [String: JSONValue] = [:]
        var logs: [String: String] = [:]
        var version = 100
        var requests: [Request] = []
        /// What happens to the next requests, first come first served.
        var instead: [Instead] = []
    }

    private let state = Mutex(State())

    var requests: [Request] { state.withLock(\.requests) }
    var jobCount: Int { state.withLock(\.jobs.count) }

    func answer(_ status: Int, _ body: JSONValue, retryAfter: Int? = nil) {
        state.withLock { $0.instead.append(.answer(status, body, retryAfter: retryAfter)) }
    }
    func loseAnswer() { state.withLock { $0.instead.append(.lost) } }
    func put(job: JSONValue) { state.withLock { $0.jobs[Self.key(job)] = job } }
    func put(pod: JSONValue, logs: [String: String] = [:]) {
        state.withLock { state in
            state.pods[Self.key(pod)] = pod
            for (container, text) in logs { state.logs["\(Self.key(pod))/\(container)"] = text }
        }
    }

    private static func key(_ object: JSONValue) -> String {
        "\(object["metadata"]?["namespace"]?.string ?? "")/\(object["metadata"]?["name"]?.string ?? "")"
    }

    // MARK: The port

    func send(_ request: OutgoingRequest, policy: AddressPolicy) async throws(ActorError) -> IncomingResponse {
        let read = Self.read(request)
        let instead = state.withLock { state -> Instead in
            state.requests.append(read)
            return state.instead.isEmpty ? .nothing : state.instead.removeFirst()
        }
        if case .answer(let status, let body, let retryAfter) = instead {
            let plain = Self.response(status, body)
            let later = retryAfter.map { [("Retry-After", String($0))] } ?? []
            return IncomingResponse(status: status, headers: plain.headers + later, body: plain.body)
        }
        let answer = state.withLock { Self.answer(read, &$0) }
        if case .lost = instead { throw ActorError(.unavailable, "the connection was closed") }
        return answer
    }

    /// A watch: one event, then silence for ever; an old version is told so.
    func stream(_ request: OutgoingRequest, policy: AddressPolicy) async throws(ActorError) -> ResponseStream {
        let read = Self.read(request)
        state.withLock { $0.requests.append(read) }
        let isOld = Int(read.query["resourceVersion"] ?? "") ?? 0 < 50
        let event: JSONValue =
            isOld
            ? ["type": "ERROR", "object": ["kind": "Status", "code": 410, "reason": "Expired"]]
            : ["type": "MODIFIED", "object": ["kind": "Job"]]
        let lines = Mutex([JSONWriter.bytes(event) + [0x0a]])
        return ResponseStream(
            status: 200, headers: [],
            take: { () async throws(ActorError) -> [UInt8]? in
                lines.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            }, leave: {})
    }

    private static func read(_ request: OutgoingRequest) -> Request {
        let address = request.url.split(separator: "?", maxSplits: 1)
        let path = address[0].drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" }
        var query: [String: String] = [:]
        for pair in (address.count > 1 ? address[1] : "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1).map { unescaped(String($0)) }
            query[parts[0]] = parts.count > 1 ? parts[1] : ""
        }
        return Request(
            method: request.method, path: String(path), query: query,
            headers: Dictionary(request.headers.map { ($0.name.lowercased(), $0.value) }) { $1 },
            body: (try? JSONReader.read(request.body)) ?? .null)
    }

    static func unescaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: What is asked

    private static func answer(_ request: Request, _ state: inout State) -> IncomingResponse {
        let parts = request.path.split(separator: "/").map(String.init)
        if parts.count >= 6, parts[0] == "apis", parts[1] == "batch", parts[5] == "jobs" {
            return jobs(request, parts[4], parts.count > 6 ? parts[6] : nil, &state)
        }
        if parts.count >= 5, parts[0] == "api", parts[4] == "pods" {
            if parts.count == 7, parts[6] == "log" { return log(request, parts[3], parts[5], state) }
            return list("Pod", Array(state.pods.values), request, parts[3], state.version)
        }
        if parts.count == 5, parts[4] == "events" { return list("Event", [], request, parts[3], state.version) }
        return status(404, "NotFound", "the server could not find the requested resource")
    }

    private static func jobs(
        _ request: Request, _ namespace: String, _ name: String?, _ state: inout State
    ) -> IncomingResponse {
        switch (request.method, name) {
        case ("POST", nil): return create(request, namespace, &state)
        case ("GET", nil):
            for key in state.jobs.keys.sorted() { advance(key, &state) }
            return list("Job", Array(state.jobs.values), request, namespace, state.version)
        case ("GET", let name?):
            guard let job = state.jobs["\(namespace)/\(name)"] else { return missing("jobs.batch", name) }
            return response(200, job)
        case ("DELETE", let name?):
            guard let job = state.jobs.removeValue(forKey: "\(namespace)/\(name)") else {
                return missing("jobs.batch", name)
            }
            let isBackground = request.body["propagationPolicy"]?.string == "Background"
            if isBackground { state.pods = state.pods.filter { !$0.value.belongs(to: name) } }
            return isBackground ? response(200, ["kind": "Status", "status": "Success"]) : response(200, job)
        default:
            return status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        }
    }

    private static func create(_ request: Request, _ namespace: String, _ state: inout State) -> IncomingResponse {
        let name = request.body["metadata"]?["name"]?.string ?? ""
        guard !name.isEmpty else {
            return status(
                422, "Invalid",
                "Job.batch \"\" is invalid: metadata.name: Required value: name or generateName is required")
        }
        guard
            name.utf8.allSatisfy({
                $0 == 0x2d || $0 == 0x2e || (0x30...0x39).contains($0) || (0x61...0x7a).contains($0)
            })
        else {
            return status(
                422, "Invalid",
                "Job.batch \"\(name)\" is invalid: metadata.name: Invalid value: \"\(name)\": a lowercase RFC 1123")
        }
        if request.query["fieldValidation"] == "Strict", request.body["spec"]?["backofLimit"] != nil {
            return status(
                400, "BadRequest",
                "Job in version \"v1\" cannot be handled as a Job: strict decoding error: "
                    + "unknown field \"spec.backofLimit\"")
        }
        guard state.jobs["\(namespace)/\(name)"] == nil else {
            return status(409, "AlreadyExists", "jobs.batch \"\(name)\" already exists")
        }
        state.version += 1
        let metadata = (request.body["metadata"] ?? [:]).setting("namespace", .string(namespace))
            .setting("uid", .string("uid-\(state.version)")).setting("resourceVersion", .string("\(state.version)"))
            .setting("creationTimestamp", "2026-11-21T12:00:00Z")
        let job = request.body.setting("metadata", metadata).setting("status", [:])
        if request.query["dryRun"] != "All" { state.jobs["\(namespace)/\(name)"] = job }
        return response(201, job)
    }

    private static func log(
        _ request: Request, _ namespace: String, _ pod: String, _ state: State
    ) -> IncomingResponse {
        guard state.pods["\(namespace)/\(pod)"] != nil else { return missing("pods", pod) }
        let container = request.query["container"] ?? ""
        guard let text = state.logs["\(namespace)/\(pod)/\(container)"] else {
            return status(
                400, "BadRequest", "container \"\(container)\" in pod \"\(pod)\" is waiting to start: PodInitializing")
        }
        return IncomingResponse(status: 200, headers: [("Content-Type", "text/plain")], body: Array(text.utf8))
    }

    private static func list(
        _ kind: String, _ items: [JSONValue], _ request: Request, _ namespace: String, _ version: Int
    ) -> IncomingResponse {
        let selector = (request.query["labelSelector"] ?? "").split(separator: "=", maxSplits: 1).map(String.init)
        let chosen = items.filter { item in
            item["metadata"]?["namespace"]?.string == namespace
                && (selector.count < 2 || item["metadata"]?["labels"]?[selector[0]]?.string == selector[1])
        }
        return response(
            200,
            [
                "kind": .string("\(kind)List"), "metadata": ["resourceVersion": .string("\(version)")],
                "items": .array(chosen),
            ])
    }

    private static func missing(_ kind: String, _ name: String) -> IncomingResponse {
        status(404, "NotFound", "\(kind) \"\(name)\" not found")
    }

    private static func status(_ code: Int, _ reason: String, _ message: String) -> IncomingResponse {
        response(
            code,
            [
                "kind": "Status", "status": "Failure", "message": .string(message), "reason": .string(reason),
                "code": JSONValue(code),
            ])
    }

    private static func response(_ status: Int, _ body: JSONValue) -> IncomingResponse {
        IncomingResponse(
            status: status, headers: [("Content-Type", "application/json")], body: JSONWriter.bytes(body))
    }

    // MARK: The kubelet

    /// A pod appears, runs, ends; then its Job.
    private static func advance(_ key: String, _ state: inout State) {
        guard let job = state.jobs[key], let name = job["metadata"]?["name"]?.string else { return }
        let podKey = "\(key)-pod"
        let pod = job["spec"]?["template"]?["spec"] ?? [:]
        guard let known = state.pods[podKey] else {
            let labels = (job["spec"]?["template"]?["metadata"]?["labels"] ?? [:])
                .setting("batch.kubernetes.io/job-name", .string(name))
            state.pods[podKey] = [
                "metadata": [
                    "name": .string("\(name)-pod"), "namespace": job["metadata"]?["namespace"] ?? .null,
                    "labels": labels, "creationTimestamp": "2026-11-21T12:00:01Z",
                ],
                "spec": pod.setting("nodeName", "n1"), "status": ["phase": "Pending"],
            ]
            return
        }
        let first = pod["initContainers"]?.array ?? []
        let main = pod["containers"]?.array ?? []
        if known["status"]?["phase"]?.string == "Pending" {
            let status: JSONValue = ["phase": "Running", "containerStatuses": .array(main.map { running($0) })]
            state.pods[podKey] = known.setting("status", status)
            return
        }
        guard known["status"]?["phase"]?.string == "Running",
            !main.contains(where: { $0["command"]?.array?.first?.string == "/bin/sleep" })
        else { return }
        var statuses: [JSONValue] = []
        var code = 0
        for container in first where code == 0 {
            code = exit(container)
            statuses.append(ended(container, code))
        }
        let mains = main.map { code == 0 ? ended($0, exit($0)) : waiting($0) }
        if code == 0 { code = main.map(exit).first { $0 != 0 } ?? 0 }
        for container in first + main where container["command"]?.array?.first?.string == "/bin/echo" {
            state.logs["\(podKey)/\(container["name"]?.string ?? "")"] = "0123456789\n"
        }
        state.pods[podKey] = known.setting(
            "status",
            [
                "phase": code == 0 ? "Succeeded" : "Failed", "initContainerStatuses": .array(statuses),
                "containerStatuses": .array(mains),
            ])
        let condition: JSONValue =
            code == 0
            ? ["type": "Complete", "status": "True"]
            : ["type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"]
        state.jobs[key] = job.setting("status", ["conditions": [condition]])
    }

    private static func exit(_ container: JSONValue) -> Int {
        switch container["command"]?.array?.compactMap(\.string) ?? [] {
        case ExecutorSuite.Command.fails: 3
        case ExecutorSuite.Command.dies: 137
        default: 0
        }
    }

    private static func ended(_ container: JSONValue, _ code: Int) -> JSONValue {
        [
            "name": container["name"] ?? .null,
            "state": [
                "terminated": [
                    "exitCode": JSONValue(code), "reason": .string(code == 0 ? "Completed" : "Error"),
                    "startedAt": "2026-11-21T12:00:02Z", "finishedAt": "2026-11-21T12:00:03Z",
                ]
            ],
        ]
    }

    private static func running(_ container: JSONValue) -> JSONValue {
        ["name": container["name"] ?? .null, "state": ["running": ["startedAt": "2026-11-21T12:00:02Z"]]]
    }

    private static func waiting(_ container: JSONValue) -> JSONValue {
        ["name": container["name"] ?? .null, "state": ["waiting": ["reason": "PodInitializing"]]]
    }
}

extension JSONValue {
    fileprivate func belongs(to job: String) -> Bool {
        self["metadata"]?["labels"]?["batch.kubernetes.io/job-name"]?.string == job
    }
}
