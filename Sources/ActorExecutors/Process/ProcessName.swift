import ActorCore
import Glibc

/// Which process a command was, for as long as the machine runs: nobody else is taken for it.
struct ProcessName: Equatable {
    let pid: pid_t
    let startTime: Int64
    let bootID: String

    /// An id becomes a file name: letters, digits, `-`, `_` and `.` only, not beginning with a dot.
    static func isID(_ id: String) -> Bool {
        let bytes = Array(id.utf8)
        guard (1...200).contains(bytes.count), bytes[0] != UInt8(ascii: ".") else { return false }
        return bytes.allSatisfy { NameRules.isAlphanumeric($0) || Array("-_.".utf8).contains($0) }
    }

    init(pid: pid_t, startTime: Int64, bootID: String) {
        self.pid = pid
        self.startTime = startTime
        self.bootID = bootID
    }

    /// The record of a process that runs now.
    init?(running pid: pid_t) {
        guard let entry = ProcessTable.entry(pid) else { return nil }
        self.init(pid: pid, startTime: entry.startTime, bootID: ProcessTable.bootID)
    }

    /// Whether the process or its group still lives and is the one that was recorded.
    ///
    /// While a group has members the kernel does not give its number to a new process; so a process of that number with
    /// another start time proves that the group is gone.
    var stillLives: Bool {
        guard pid > 1, pid != getpid(), bootID == ProcessTable.bootID else { return false }
        if let entry = ProcessTable.entry(pid), entry.startTime != startTime { return false }
        return ProcessTable.members(of: pid).contains { $0.startTime >= startTime }
    }
}
