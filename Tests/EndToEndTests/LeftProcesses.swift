import Foundation

/// What a test's daemon has started and what went on without it: by the folder of the test, which nobody else names.
enum LeftProcesses {
    /// Kills whoever runs in this folder or was started with a path in it, until none is left.
    static func kill(of folder: String) {
        // A process that is being killed may just have started another.
        for _ in 0..<10 {
            let left = processes(of: folder)
            if left.isEmpty { return }
            for process in left { Glibc.kill(process, SIGKILL) }
        }
    }

    private static func processes(of folder: String) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(pid_t.init).filter { process in
            guard process != getpid() else { return false }
            let works = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")
            if works?.hasPrefix(folder) == true { return true }
            // A zombie has no command line; it is its parent's to reap.
            let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
            return String(decoding: line, as: UTF8.self).contains(folder)
        }
    }
}
