import ActorAPI
import ActorCore
import ActorDaemon
import ArgumentParser

/// `reactord upload`: files into the inbox, over HTTP.
struct UploadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upload", abstract: "Put files into the inbox as one upload and mark it done.",
        discussion: """
            The name is the upload's UUID. Files are sent one after another from memory; copy what is larger than
            1 GiB into the inbox folder itself and then make an empty file NAME.done beside it.

            Example: reactord upload 2026-11-21-e-mouse12 recording.i16le metadata.json
            """)

    @Argument(help: "The upload's name.")
    var name: String

    @Argument(help: "Files; each keeps its own name.")
    var files: [String]

    @Flag(name: .customLong("not-done"), help: "More files will follow: do not mark it done yet.")
    var isNotDone = false

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard NameRules.isUploadName(name) else {
            throw ValidationError("an upload's name has letters, digits and ._-+=@, with no leading dot")
        }
        guard !files.isEmpty else { throw ValidationError("name at least one file") }
    }

    func run() async throws {
        let client = try connection.connect()
        var stored: [StoredFilePayload] = []
        for file in files { stored.append(try await Uploading.put(file, of: name, client)) }
        if !isNotDone { _ = try await client.post(Paths.uploadDone(name)) }
        let json: JSONValue = [
            "name": .string(name), "files": .array(stored.map(\.json)), "done": .bool(!isNotDone),
        ]
        connection.show(json) { style in
            var table = Table("FILE", "BYTES", "SHA256")
            for file in stored {
                table.add(Table.Cell(file.path), Table.Cell(String(file.bytes)), Table.Cell(file.sha256, .faint))
            }
            return table.render(style) + (isNotDone ? "not marked done\n" : "done\n")
        }
    }
}

/// One file over HTTP.
enum Uploading {
    private static let maxBytes = 1 << 30

    static func put(_ file: String, of upload: String, _ client: DaemonClient) async throws(Failure)
        -> StoredFilePayload
    {
        let bytes: [UInt8]
        do {
            bytes = try BoundedFile.read(file, limit: maxBytes).bytes
        } catch {
            throw Failure(.usage, error.message)
        }
        let name = file.split(separator: "/").last.map(String.init) ?? file
        let response = try await client.send(
            "PUT", Paths.uploadFile(upload, path: name), body: bytes, type: "application/octet-stream",
            timeoutMilliseconds: 3_600_000)
        guard let json = try? JSONReader.read(response.body), let stored = StoredFilePayload(json: json) else {
            throw DaemonClient.unexpected
        }
        return stored
    }
}
