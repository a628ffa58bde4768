package import ActorCore
import Foundation
package import NIOPosix

/// Notices that somebody edited the actors: looks at names, sizes and times, never at contents.
package struct FolderWatcher: Sendable {
    private let folder: String
    private let clock: any Timekeeper
    private let threads: NIOThreadPool
    private let intervalMilliseconds: Int64

    package init(
        folder: String, clock: any Timekeeper, threads: NIOThreadPool = .singleton, intervalMilliseconds: Int64 = 2000
    ) {
        self.folder = folder
        self.clock = clock
        self.threads = threads
        self.intervalMilliseconds = intervalMilliseconds
    }

    /// Runs until it is cancelled; `onChange` is called once for each look that found another signature.
    package func run(onChange: @Sendable () async -> Void) async throws {
        var before = try await look()
        while true {
            try await clock.sleep(milliseconds: intervalMilliseconds)
            let now = try await look()
            guard now != before else { continue }
            before = now
            await onChange()
        }
    }

    private func look() async throws -> FolderSignature {
        let folder = folder
        return try await threads.runIfActive { FolderSignature.take(of: folder) }
    }
}

/// Names, sizes and times of the files two levels below a folder (three for what lies in `schemas` and the like).
struct FolderSignature: Equatable, Sendable {
    struct File: Equatable, Sendable {
        let path: String
        let size: UInt64
        let modified: Double
    }

    /// Enough for a thousand actors; whoever has more restarts the daemon.
    static let maxFiles = 20_000

    let files: [File]

    static func take(of folder: String) -> FolderSignature {
        var files: [File] = []
        func visit(_ path: String, depth: Int) {
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
            for name in names where !name.hasPrefix(".") && name != "__pycache__" && files.count < maxFiles {
                let child = "\(path)/\(name)"
                guard let attributes = try? FileManager.default.attributesOfItem(atPath: child) else { continue }
                let isFolder = attributes[.type] as? FileAttributeType == .typeDirectory
                let isLink = attributes[.type] as? FileAttributeType == .typeSymbolicLink
                let modified = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
                // A folder's own time changes with what comes and goes, which the names tell already.
                let size = (attributes[.size] as? NSNumber)?.uint64Value ?? 0
                files.append(File(path: child, size: isFolder ? 0 : size, modified: isFolder ? 0 : modified))
                if isFolder || (isLink && depth == 0), depth < 2 { visit(child, depth: depth + 1) }
            }
        }
        visit(folder, depth: 0)
        return FolderSignature(files: files)
    }
}
