package import ActorCore
import Dispatch
import FoundationEssentials
import Glibc
package import NIOPosix
import Synchronization

/// The small files of executions, below `runs/` of the data folder.
package struct FolderRunFiles: RunFiles {
    private let root: String
    private let group: UInt32?
    private let blocking: BlockingWork
    private let sockets = OpenSockets()

    /// The sockets of executions that run.
    private final class OpenSockets: Sendable {
        let all = Mutex<[ExecutionID: ResultSocket]>([:])
        let queue = DispatchQueue(label: "results")
    }

    /// The folder of the socket for results.
    private static let door = "out"

    /// - Parameters:
    ///   - root: the data folder, absolute.
    ///   - group: who else may enter the folder of an execution: the group of local commands, where they do not run as
    ///     the daemon's user.
    package init(root: String, pool: NIOThreadPool, group: UInt32? = nil) {
        self.root = root
        self.group = group
        self.blocking = BlockingWork(pool: pool)
    }

    /// Nobody but us (and ``group``) can enter the folder, so that what lies in it may be open: whoever the command of
    /// a container runs as, it is shown the message and the work folder alone, and can use them.
    package func prepare(_ execution: ExecutionID) async throws(ActorError) -> String {
        let (root, group) = (root, group)
        guard execution.rawValue.utf8.allSatisfy(NameRules.isAlphanumeric), !execution.rawValue.isEmpty else {
            throw ActorError(.invalidInput, "an execution id has letters and digits only")
        }
        return try await blocking { () throws(ActorError) in
            let folder = try Folder(path: root).making("runs").making(execution.rawValue)
            let work = try folder.making("work").path
            let door = try folder.making(Self.door).path
            if let group, chown(folder.path, uid_t.max, group) != 0 { throw Self.failure(folder.path) }
            for (path, mode) in [
                (folder.path, group == nil ? 0o700 : 0o710), (work, 0o777), (door, 0o755),
            ] where chmod(path, mode_t(mode)) != 0 { throw Self.failure(path) }
            return folder.path
        }
    }

    /// Beside it first: whoever reads the file that was there goes on with that one, and a disk without room leaves it.
    package func write(_ bytes: [UInt8], to path: String) async throws(ActorError) {
        try await blocking { () throws(ActorError) in
            let beside = path + ".new"
            do throws(ActorError) {
                try Self.put(bytes, into: beside, O_TRUNC)
                guard rename(beside, path) == 0 else { throw Self.failure(path) }
            } catch {
                unlink(beside)
                throw error
            }
        }
    }

    package func append(_ bytes: [UInt8], to path: String) async throws(ActorError) {
        try await blocking { () throws(ActorError) in try Self.put(bytes, into: path, O_APPEND) }
    }

    private static func put(_ bytes: [UInt8], into path: String, _ place: Int32) throws(ActorError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | place | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o644) == 0 else { throw failure(path) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(path) }
            rest = rest.dropFirst(count)
        }
    }

    package func read(_ path: String, limit: Int) async -> [UInt8] {
        let bytes = try? await blocking { () throws(ActorError) -> [UInt8] in
            let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else { return [] }
            defer { close(descriptor) }
            var bytes: [UInt8] = []
            var block = [UInt8](repeating: 0, count: 65536)
            while bytes.count < limit {
                let wanted = min(block.count, limit - bytes.count)
                let count = Glibc.read(descriptor, &block, wanted)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                bytes += block.prefix(count)
            }
            return bytes
        }
        return bytes ?? []
    }

    /// The runs whose folder has not changed since `moment`: candidates for removal.
    package func runs(unchangedSince moment: Timestamp) async -> [ExecutionID] {
        let root = root
        let found = try? await blocking { () throws(ActorError) -> [ExecutionID] in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/runs")) ?? []
            let folder = try Folder(path: "\(root)/runs")
            var old: [ExecutionID] = []
            for name in names where name.utf8.allSatisfy(NameRules.isAlphanumeric) {
                if let status = try folder.status(name), status.changed < moment { old.append(ExecutionID(name)) }
            }
            return old
        }
        return found ?? []
    }

    /// Removes message, scratch and log of an execution that has ended.
    package func remove(_ execution: ExecutionID) async {
        let path = "\(root)/runs/\(execution)"
        guard execution.rawValue.utf8.allSatisfy(NameRules.isAlphanumeric), !execution.rawValue.isEmpty else { return }
        _ = try? await blocking { () throws(ActorError) in try? FileManager.default.removeItem(atPath: path) }
    }

    /// Of an execution that ``prepare(_:)`` has made a folder for.
    package func openResults(of execution: ExecutionID) async -> String? {
        let (run, queue) = ("\(root)/runs/\(execution)", sockets.queue)
        let made = try? await blocking { () throws(ActorError) in
            ResultSocket(run: run, door: Self.door, queue: queue)
        }
        guard let socket = made ?? nil else { return nil }
        sockets.all.withLock { $0[execution] = socket }
        return socket.path
    }

    package func closeResults(of execution: ExecutionID) async {
        await sockets.all.withLock { $0.removeValue(forKey: execution) }?.close()
    }

    package func takeResult(of execution: ExecutionID) async -> [UInt8]? {
        guard execution.rawValue.utf8.allSatisfy(NameRules.isAlphanumeric), !execution.rawValue.isEmpty else {
            return nil
        }
        let folder = "\(root)/runs/\(execution)/results"
        let token = String(UInt64.random(in: .min ... .max), radix: 36)
        let path = try? await blocking { () throws(ActorError) in ResultFolder.pop(in: folder, token: token) }
        guard let path = path ?? nil else { return nil }
        let bytes = await read(path, limit: ResultSocket.longest)
        _ = try? await blocking { () throws(ActorError) in unlink(path) }
        return bytes
    }

    private static func failure(_ path: String) -> ActorError {
        let code = errno
        return ActorError(
            code == ENOSPC || code == EDQUOT ? .storageFull : .internalFailure,
            "\(path) cannot be written: \(String(cString: strerror(code)))")
    }
}
