import Glibc
package import NIOPosix
import Synchronization

/// Tells whether one of some files has changed since it was last asked, by their size and time.
package final class ListChanges: Sendable {
    private let last = Mutex<[String: String]>([:])
    private let pool: NIOThreadPool

    package init(pool: NIOThreadPool) { self.pool = pool }

    /// True at the first time too, if there is any of them.
    package func areThere(in files: [String]) async -> Bool {
        guard !files.isEmpty else { return false }
        let now = try? await pool.runIfActive {
            var marks: [String: String] = [:]
            for file in files {
                var status = stat()
                guard stat(file, &status) == 0 else { continue }
                marks[file] = "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_ino)"
            }
            return marks
        }
        guard let now else { return false }
        return last.withLock { last in
            defer { last = now }
            return last != now && !now.isEmpty
        }
    }
}
