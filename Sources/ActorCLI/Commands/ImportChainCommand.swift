import ActorCore
import ActorDaemon
import ArgumentParser
import FoundationEssentials
import Reactors

/// `reactord import chain`: a table of jobs that start one another becomes job files that wait for one another.
struct ImportChainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chain", abstract: "Make job files of a next_job table (CSV).",
        discussion: """
            Each row of the table becomes a job file that runs when all rows that name it in next_job have ended well, \
            for the upload that the row names. Nothing is sent to a daemon: one that watches the folder takes the \
            files up by itself.

            Example: reactord import chain jobs.csv --into actors/ingest/jobs/sorting --dry-run
            """)

    private static let maxBytes = 16 << 20

    @Argument(help: "The table: index,status,uuid,experiment,image,args,…,next_job.")
    var file: String

    @Option(help: ArgumentHelp("The folder for the job files, below the jobs/ of an ingest.", valueName: "folder"))
    var into: String

    @Flag(name: .customLong("for-all"), help: "For every upload, not only for the one that the rows name.")
    var isForAll = false

    @Flag(help: "Write over job files that are there.")
    var force = false

    @Flag(name: .customLong("dry-run"), help: "Only print what would be written.")
    var isDryRun = false

    func run() throws {
        let files: [JobFile]
        do {
            let bytes = try BoundedFile.read(file, limit: Self.maxBytes).bytes
            let chain = try ChainFile(csv: String(decoding: bytes, as: UTF8.self))
            let table = file.split(separator: "/").last.map(String.init) ?? file
            files = try ChainImport(table: table, isForAll: isForAll).jobFiles(of: chain)
        } catch let error as ActorError {
            throw Failure(.usage, error.message)
        } catch {
            throw Failure(.failed, "\(file): \(error)")
        }
        let places = files.map { "\(into)/\($0.path)" }
        if isDryRun {
            for (place, file) in zip(places, files) {
                Console.standard.out("# \(place)\n\(String(decoding: file.text, as: UTF8.self))---\n")
            }
            return
        }
        if !force, let there = places.first(where: { FileManager.default.fileExists(atPath: $0) }) {
            throw Failure(.failed, "\(there) is there already: --force writes over it")
        }
        do {
            try FileManager.default.createDirectory(atPath: into, withIntermediateDirectories: true)
            for (place, file) in zip(places, files) { try Data(file.text).write(to: URL(filePath: place)) }
        } catch {
            throw Failure(.failed, "\(into): \(error)")
        }
        for place in places { Console.standard.out("\(place)\n") }
        Console.standard.out("\(files.count) job files; what they are held against: reactord check\n")
    }
}
