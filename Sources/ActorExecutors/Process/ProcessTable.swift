import Glibc

/// One process as `/proc/<pid>/stat` shows it (proc(5)).
struct ProcessEntry: Equatable {
    let pid: pid_t
    /// Gone but for its exit status, which its parent has not read yet.
    let isDead: Bool
    let parent: pid_t
    let group: pid_t
    let session: pid_t
    /// Clock ticks since the machine started: with the pid it names a process for as long as the machine runs.
    let startTime: Int64

    /// Reads the line; the program's name may hold blanks and brackets, so fields are counted from its last bracket.
    init?(stat line: [UInt8]) {
        guard let close = line.lastIndex(of: UInt8(ascii: ")")), let open = line.firstIndex(of: UInt8(ascii: "(")),
            let pid = pid_t(String(decoding: line[..<open].dropLast(), as: UTF8.self))
        else { return nil }
        let fields = line[(close + 1)...].split(whereSeparator: { $0 == 0x20 || $0 == 0x0a })
            .map { String(decoding: $0, as: UTF8.self) }
        // The first field here is the third of proc(5).
        guard fields.count > 19, let parent = pid_t(fields[1]), let group = pid_t(fields[2]),
            let session = pid_t(fields[3]),
            let startTime = Int64(fields[19])
        else { return nil }
        self.pid = pid
        self.isDead = fields[0] == "Z" || fields[0] == "X"
        self.parent = parent
        self.group = group
        self.session = session
        self.startTime = startTime
    }
}

/// What runs on this machine, read from `/proc`.
enum ProcessTable {
    static func entry(_ pid: pid_t) -> ProcessEntry? {
        SmallFile.read("/proc/\(pid)/stat", limit: 4096).flatMap(ProcessEntry.init(stat:))
    }

    /// The living processes of the session that `leader` began, and of the group it leads.
    static func members(of leader: pid_t) -> [ProcessEntry] {
        SmallFile.names(in: "/proc").compactMap { name in
            guard let pid = pid_t(name), let entry = entry(pid), !entry.isDead,
                entry.session == leader || entry.group == leader
            else { return nil }
            return entry
        }
    }

    /// Names this run of the machine: pids and start times mean nothing after the next.
    static var bootID: String {
        let bytes = SmallFile.read("/proc/sys/kernel/random/boot_id", limit: 64) ?? []
        return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
    }
}
