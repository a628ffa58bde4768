import ActorCore
import Glibc

/// The control groups that commands with limits run in, below a folder that is ours to make groups in.
///
/// Version 2 limits memory and processor and ends all members at once. Where only version 1 is mounted, the folder is
/// one of the memory controller and limits memory alone.
struct Cgroup {
    private enum Version { case one, two }

    let parent: String
    private let version: Version

    init(parent: String) throws(Unstartable) {
        self.parent = parent
        if access("\(parent)/cgroup.controllers", F_OK) == 0 {
            version = .two
        } else if access("\(parent)/memory.limit_in_bytes", F_OK) == 0 {
            version = .one
        } else {
            throw Unstartable(
                "executors.process.cgroup: \(parent) is no control group: make it, and make it writable for the daemon")
        }
    }

    /// Why no group can be made below `parent`, and what to do; nil when one can.
    static func obstacle(to parent: String) -> String? {
        do throws(Unstartable) {
            _ = try Cgroup(parent: parent)
        } catch {
            return error.reason
        }
        guard access(parent, W_OK | X_OK) != 0 else { return nil }
        return "executors.process.cgroup: no group can be made in \(parent) (\(Launch.text(of: errno))): make it "
            + "writable for the daemon, under systemd by Delegate=yes"
    }

    /// The folder of a new group with the limits of `work`.
    func make(for work: Work) throws(Unstartable) -> String {
        let path = "\(parent)/reactord-\(work.id)"
        if mkdir(path, 0o755) != 0, errno != EEXIST { throw problem(path) }
        switch version {
        case .two:
            // Without the controllers a group still ends all its members; limits then have nobody to keep them.
            _ = put("+memory +cpu +pids", "\(parent)/cgroup.subtree_control")
            if let bytes = work.memoryBytes {
                guard put("\(bytes)", "\(path)/memory.max") else { throw problem("\(path)/memory.max") }
                _ = put("0", "\(path)/memory.swap.max")
            }
            if let millis = work.cpuMillis {
                guard put("\(max(1000, millis * 100)) 100000", "\(path)/cpu.max") else {
                    throw problem("\(path)/cpu.max")
                }
            }
        case .one:
            if let bytes = work.memoryBytes {
                guard put("\(bytes)", "\(path)/memory.limit_in_bytes") else {
                    throw problem("\(path)/memory.limit_in_bytes")
                }
                _ = put("\(bytes)", "\(path)/memory.memsw.limit_in_bytes")
            }
        }
        return path
    }

    private func problem(_ path: String) -> Unstartable {
        let number = errno
        return Unstartable(
            "the control group \(path) cannot be set up: \(Launch.text(of: number)); see executors.process.cgroup",
            isTransient: true)
    }

    private func put(_ text: String, _ path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        let bytes = Array(text.utf8)
        return write(descriptor, bytes, bytes.count) == bytes.count
    }
}
