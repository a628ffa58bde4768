import ActorCore
import Foundation

/// `Fixtures/cluster.py` in a process of its own: an API server with a kubelet and Argo, and Argo's own server.
struct Cluster {
    let port: Int
    let folder: String
    private let process: pid_t

    /// - Parameter options: `kill=1`, `token=…`, `forget=…`; the file itself says what they do.
    init(folder: String, _ options: [String] = []) async throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let script = try String(
            contentsOfFile: "\(RunningDaemon.root)/Tests/EndToEndTests/Fixtures/cluster.py", encoding: .utf8)
        let output = "\(folder)/port"
        process = try spawnPython([script, folder] + options, output: output)
        port = try await EventSink.port(in: output)
        try """
        apiVersion: v1
        kind: Config
        current-context: lab
        clusters: [{name: lab, cluster: {server: "http://127.0.0.1:\(port)"}}]
        contexts: [{name: lab, context: {cluster: lab, user: lab, namespace: lab}}]
        users: [{name: lab, user: {token: word}}]
        """.write(toFile: "\(folder)/kubeconfig", atomically: true, encoding: .utf8)
    }

    func stop() async {
        kill(process, SIGKILL)
        _ = await ended(process)
    }

    private func lines(_ name: String) -> [String] {
        let text = (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// Method, path and query of each, as they came.
    var requests: [String] { lines("requests") }
    /// Resource and name of whatever was made, in that order.
    var created: [String] { lines("created") }
    var strikes: Strikes { Strikes(folder: folder) }
}

/// Whoever kills the daemon at steps of its own choice: told in a file whom, tells in another when it did.
struct Strikes {
    let folder: String

    /// At which steps the daemon was killed, in that order.
    var done: [String] {
        let text = (try? String(contentsOfFile: "\(folder)/killed", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// From now on it may be killed.
    fileprivate func arm(_ pid: pid_t) throws {
        try String(pid).write(toFile: "\(folder)/pid", atomically: true, encoding: .utf8)
    }
}

extension RunningDaemon {
    /// Starts it again whenever it was killed, until `condition` holds; answers what was read then.
    func outlive(
        _ strikes: Strikes, until path: String, _ condition: (JSONValue) -> Bool
    ) async throws -> JSONValue {
        while true {
            let before = strikes.done.count
            try strikes.arm(pid)
            do {
                let value = try await until(path, condition)
                // What is told is told before it is done.
                if strikes.done.count == before { return value }
            } catch {
                guard strikes.done.count > before else {
                    throw Failure(description: "killed at \(strikes.done), and then: \(error)")
                }
            }
            await waitForEnd()
            try await start()
        }
    }
}
