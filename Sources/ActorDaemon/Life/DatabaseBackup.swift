package import ActorCore
internal import ActorStore
internal import Foundation

/// `reactord backup` and `reactord restore`: one file that holds what a daemon knows, and the way back.
package enum DatabaseBackup {
    /// What a restore has done.
    package struct Restored: Sendable {
        package let bytes: Int64
        /// Where the database lies that was there before; nil when there was none.
        package let aside: String?
    }

    /// Copies the database of a data folder, whether a daemon runs on it or not. Blocks.
    ///
    /// - Returns: the bytes of the copy.
    package static func make(
        of dataDirectory: String, configFile: String?, to target: String,
        progress: @escaping (Int64, Int64) -> Void
    ) throws -> Int64 {
        let settings = try SettingsLoader.load(file: configFile, environment: ProcessInfo.processInfo.environment)
        return try SQLiteStore.backUp(
            path: DataFolder.database(in: dataDirectory), to: target,
            synchronousFull: settings.store.synchronous == .full, progress: progress)
    }

    /// Puts a backup in the place of the database of a data folder, which is made if need be. Refused while a daemon
    /// runs on it. Blocks.
    package static func restore(
        _ backup: String, to dataDirectory: String, progress: @escaping (Int64, Int64) -> Void
    ) throws(ActorError) -> Restored {
        // Taking the folder makes it: a slip in the name of the backup must leave nothing behind.
        guard access(backup, R_OK) == 0 else {
            throw ActorError(.notFound, "the backup \(backup) cannot be read: \(String(cString: strerror(errno)))")
        }
        let folder = try DataFolder.take(dataDirectory)
        defer { folder.release() }
        let moment = SystemTimekeeper().now().iso8601.filter { $0 != "-" && $0 != ":" && $0 != "." }
        let aside = "\(dataDirectory)/before-restore-\(moment)"
        let (bytes, hasReplaced) = try SQLiteStore.restore(
            path: folder.database, from: backup, aside: aside, progress: progress)
        return Restored(bytes: bytes, aside: hasReplaced ? aside : nil)
    }
}
