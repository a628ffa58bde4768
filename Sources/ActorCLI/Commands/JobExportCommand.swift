import ActorAPI
import ActorCore
import ArgumentParser
import Glibc
import SystemPackage

/// `reactord job export`: a job as a research object.
struct JobExportCommand: AsyncParsableCommand {
    private static let pageSize = 1000
    /// Bytes that are fetched at once: a recording is larger than memory.
    private static let piece = 16 << 20

    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a job as a Workflow Run RO-Crate: metadata, pipeline, history, files.",
        discussion: """
            The folder is made; one that is there must be empty. --metadata-only leaves out the outputs.

            Example: reactord job export 107acb37-3a5c-57b3-a0ff-a07b67e85ca2 my-crate \\
                         --license https://spdx.org/licenses/CC-BY-4.0
            """)

    @Argument(help: "The job's UUID.")
    var uuid: String

    @Argument(help: "The folder of the crate.")
    var folder: String

    @Option(help: ArgumentHelp("The licence of the outputs.", valueName: "url"))
    var license: String?

    @Flag(help: "Write the descriptions only, not the outputs.")
    var metadataOnly = false

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let client = try connection.connect()
        let metadata = try await client.get(Paths.query(Paths.crate(uuid), [("license", license)]))
        let job = try await client.get(Paths.query(Paths.job(uuid), [("form", "full")]))
        let pipelineID = job["pipeline_uuid"]?.string ?? ""
        let pipeline = try await client.get(Paths.pipeline(pipelineID))
        let crate = try CrateFolder(folder)
        try crate.write(WorkflowRunCrate.pipelineFile, JSONWriter.bytes(pipeline))
        try crate.write(
            WorkflowRunCrate.jobFile, JSONWriter.bytes(job.removing("token", "callback", "token_expires")))
        var count = 0
        if !metadataOnly { count = try await copyFiles(client, to: crate) }
        // Last: what is there without it is no crate yet.
        try crate.write(WorkflowRunCrate.metadataFile, JSONWriter.bytes(metadata))
        let result: JSONValue = ["folder": .string(folder), "files": JSONValue(count)]
        connection.show(result) { _ in "\(folder): \(count) files\n" }
    }

    private func copyFiles(_ client: DaemonClient, to crate: CrateFolder) async throws -> Int {
        var cursor: String?
        var count = 0
        repeat {
            let page = try await client.get(
                Paths.query(Paths.files(uuid), [("limit", String(Self.pageSize)), ("cursor", cursor)]))
            for file in page["files"]?.array ?? [] {
                guard let path = file["path"]?.string else { throw DaemonClient.unexpected }
                try await copy(path, client, to: crate)
                count += 1
            }
            cursor = page["next"]?.string
        } while cursor != nil
        return count
    }

    private func copy(_ path: String, _ client: DaemonClient, to crate: CrateFolder) async throws {
        var offset = 0
        while true {
            let part = Paths.query(
                Paths.file(path, of: uuid), [("offset", String(offset)), ("length", String(Self.piece))])
            let bytes = try await client.send("GET", part, timeoutMilliseconds: 300_000).body
            try crate.write(WorkflowRunCrate.filesFolder + path, bytes, isFirst: offset == 0)
            offset += bytes.count
            if bytes.count < Self.piece { return }
        }
    }
}

/// A new folder that is filled file by file; names come from a daemon and must not lead out of it.
struct CrateFolder {
    private let path: FilePath

    init(_ path: String) throws(Failure) {
        self.path = FilePath(path)
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw Failure(.failed, "\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        guard let stream = opendir(path) else {
            throw Failure(.failed, "\(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            guard name == "." || name == ".." else {
                throw Failure(.failed, "\(path) is not empty: name a new folder")
            }
        }
    }

    /// - Parameter isFirst: false goes on behind what was written of the same file before.
    func write(_ name: String, _ bytes: [UInt8], isFirst: Bool = true) throws(Failure) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." && !$0.utf8.contains(0) }) else {
            throw Failure(.failed, "the daemon names a file \"\(Safe.line(name))\", which leads elsewhere")
        }
        var place = path
        for part in parts.dropLast() {
            place.append(part)
            guard mkdir(place.string, 0o755) == 0 || errno == EEXIST else { throw failed(place) }
        }
        place.append(parts[parts.count - 1])
        do {
            let file = try FileDescriptor.open(
                place, .writeOnly, options: isFirst ? [.create, .exclusiveCreate] : [.append],
                permissions: .ownerReadWrite)
            try file.closeAfter { _ = try file.writeAll(bytes) }
        } catch {
            throw failed(place)
        }
    }

    private func failed(_ place: FilePath) -> Failure {
        Failure(.failed, "\(place) cannot be written: \(String(cString: strerror(errno)))")
    }
}
