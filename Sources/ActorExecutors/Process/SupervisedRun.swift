import ActorCore
import Glibc

/// The folder of one supervised command, and what stands in it. All of it blocks.
struct SupervisedRun: Sendable {
    /// How things are; decided from what lies in the folder and nothing else.
    enum Standing: Equatable {
        /// It was never started, or only half: it may be.
        case nothing
        /// Its supervisor lives.
        case running
        case ended(WorkResult, stuck: Int)
        /// It was started, nobody watches it, and nothing says how it ended.
        case lost
    }

    let path: String

    init(folder: String, id: String) { self.path = "\(folder)/\(id)" }

    private var endedFile: String { "\(path)/ended" }
    private var startedFile: String { "\(path)/started" }
    private var controlFile: String { "\(path)/control" }

    var standing: Standing {
        // The lock goes with the supervisor, whatever kills it: asked first, it cannot end unseen in between.
        let isHeld = self.isHeld
        if let bytes = SmallFile.read(endedFile, limit: 4096) {
            return Self.result(bytes).map { .ended($0.result, stuck: $0.stuck) } ?? .lost
        }
        if isHeld { return .running }
        guard access(startedFile, F_OK) == 0 else { return .nothing }
        // It may have begun since the lock was looked at: a daemon that was killed has just started it.
        return self.isHeld || access(endedFile, F_OK) == 0 ? .running : .lost
    }

    /// The command that was started; nil when that is not known.
    var command: ProcessName? {
        SmallFile.read(startedFile, limit: 4096).flatMap { bytes in
            let values = Self.values(bytes)
            guard let pid = values["pid"].flatMap({ pid_t($0) }), let bootID = values["boot_id"],
                let startTime = values["start_time"].flatMap({ Int64($0) })
            else { return nil }
            return ProcessName(pid: pid, startTime: startTime, bootID: bootID)
        }
    }

    private var isHeld: Bool {
        let descriptor = open("\(path)/lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        var question = flock()
        question.l_type = Int16(F_WRLCK)
        question.l_whence = Int16(SEEK_SET)
        return fcntl(descriptor, F_GETLK, &question) == 0 && question.l_type != Int16(F_UNLCK)
    }

    /// Asks the supervisor to end the command; false when none listens.
    @discardableResult
    func cancel() -> Bool {
        let descriptor = open(controlFile, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        return write(descriptor, "c", 1) == 1
    }

    /// 0, or the errno.
    func make() -> Int32 { mkdir(path, 0o700) == 0 || errno == EEXIST ? 0 : errno }

    func remove() {
        for name in ["lock", "control", "started.new", "started", "ended.new", "ended"] { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    // MARK: The files of the supervisor

    /// Lines of a name, a blank and a value.
    private static func values(_ bytes: [UInt8]) -> [String: String] {
        var values: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            guard let blank = line.firstIndex(of: " ") else { continue }
            values[String(line[..<blank])] = String(line[line.index(after: blank)...])
        }
        return values
    }

    static func result(_ bytes: [UInt8]) -> (result: WorkResult, stuck: Int)? {
        let values = values(bytes)
        guard let end = values["end"].flatMap(end), let stuck = values["stuck"].flatMap({ Int($0) }),
            let milliseconds = values["milliseconds"].flatMap({ Int64($0) }),
            let logBytes = values["log_bytes"].flatMap({ Int($0) }), let cut = values["log_truncated"]
        else { return nil }
        // A supervisor of before they were measured does not say them.
        let use = ResourceUse(
            cpu: values["cpu_ns"].flatMap { Int64($0) } ?? 0, io: values["io_bytes"].flatMap { Int64($0) } ?? 0)
        let result = WorkResult(
            end: end, logBytes: logBytes, logTruncated: cut == "1", milliseconds: milliseconds, use: use)
        return (result, stuck)
    }

    private static func end(_ text: String) -> WorkResult.End? {
        let words = text.split(separator: " ").map(String.init)
        switch (words.first, words.count) {
        case ("exited", 2): return Int(words[1]).map { .exited($0) }
        case ("signalled", 2): return Int(words[1]).map { .signalled($0) }
        case ("out_of_memory", 1): return .outOfMemory
        case ("timed_out", 1): return .timedOut
        case ("cancelled", 1): return .cancelled
        case ("could_not_start", 3):
            return Int32(words[2]).map { Unstartable.of(stage: words[1], number: $0).end }
        default: return nil
        }
    }
}
