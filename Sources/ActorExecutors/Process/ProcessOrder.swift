import ActorCore
import Glibc

/// What the supervisor reads from its standard input: records `key=value`, each closed by a NUL, and an empty one.
///
/// It goes through memory, never through a file or an argument: the environment holds secrets.
struct ProcessOrder {
    private(set) var bytes: [UInt8] = []

    init(_ launch: Launch, _ work: Work, _ settings: ProcessExecutorSettings, cgroup: String?) {
        add("cwd", launch.workingDirectory)
        add("log", work.logFile)
        add("log_limit", String(max(0, work.maxLogBytes)))
        // The clock's arithmetic has an end; no daemon lives that long.
        let longest: Int64 = 10 * 365 * 86_400_000
        add("timeout_ms", String(work.timeoutMilliseconds.map { min(max(0, $0), longest) } ?? -1))
        add("grace_ms", String(settings.graceMilliseconds))
        if let account = settings.account {
            add("uid", String(account.user))
            add("gid", String(account.group))
        }
        if let cgroup { add("cgroup", cgroup) }
        for limit in settings.limits.sorted(by: { $0.key < $1.key }) { add("rlimit", "\(limit.key):\(limit.value)") }
        // A file under another name than its own takes a mount namespace, which only root may make.
        for folder in work.folders where folder.host != folder.inside && geteuid() == 0 {
            add("bind", folder.host)
            add("onto", folder.inside)
        }
        add("program", launch.program)
        for argument in launch.arguments { add("arg", argument) }
        for entry in launch.environment { add("env", entry) }
        bytes.append(0)
    }

    private mutating func add(_ key: String, _ value: String) { add(key, Array(value.utf8) + [0]) }

    /// - Parameter value: with its NUL.
    private mutating func add(_ key: String, _ value: [UInt8]) {
        bytes += Array(key.utf8)
        bytes.append(UInt8(ascii: "="))
        bytes += value
    }
}
