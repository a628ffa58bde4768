import ActorCore
import ActorDaemon
import ArgumentParser

/// `reactord backup`: the database in one file, while the daemon works.
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the database into one file, while the daemon works or without one.",
        discussion: """
            What was accepted before the command was given is in the copy: messages, jobs and their histories, \
            executions, actors made over HTTP, subscriptions. Uploads, results and keys are files beside it in the \
            data folder: copy them afterwards, as they are (docs/operations.md says which). A damaged page \
            ends the backup and is named. FILE must not exist.

            Example: reactord backup /mnt/backup/reactord-$(date +%F).sqlite
            """)

    @Argument(help: ArgumentHelp("The file to make.", valueName: "file"))
    var file: String

    @Option(name: .customLong("data-dir"), help: ArgumentHelp("The daemon's data folder.", valueName: "folder"))
    var dataDirectory = "var"

    @Option(help: ArgumentHelp("The configuration (default: config.yml, if it is there).", valueName: "file"))
    var config: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let bytes = try withMeter { progress in
            try DatabaseBackup.make(of: dataDirectory, configFile: config, to: file, progress: progress)
        }
        let answer: JSONValue = ["file": .string(file), "bytes": .int(bytes)]
        Console.standard.out(json ? JSONWriter.pretty(answer) + "\n" : "\(file): \(bytes) bytes\n")
    }
}

/// `reactord restore`: the way back.
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup in the place of the database.",
        discussion: """
            The daemon must be stopped. The backup is read and checked as a whole first: one that is damaged changes \
            nothing. The database that was there is kept in before-restore-… of the data folder.

            Afterwards all is as it was at the moment of the backup. What came later is not there, also what was \
            answered as accepted; what was done later is done again.

            Example: reactord restore /mnt/backup/reactord-2026-11-21.sqlite
            """)

    @Argument(help: ArgumentHelp("What `reactord backup` has made.", valueName: "file"))
    var file: String

    @Option(name: .customLong("data-dir"), help: ArgumentHelp("The daemon's data folder.", valueName: "folder"))
    var dataDirectory = "var"

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let restored = try withMeter { progress in
            try DatabaseBackup.restore(file, to: dataDirectory, progress: progress)
        }
        let answer: JSONValue = [
            "file": .string(file), "bytes": .int(restored.bytes), "aside": restored.aside.map { .string($0) } ?? .null,
        ]
        let before = restored.aside.map { "what was there before lies in \($0)\n" } ?? ""
        Console.standard.out(
            json ? JSONWriter.pretty(answer) + "\n" : "\(dataDirectory) is as \(file) was\n\(before)")
    }
}

/// Shows how far it has come when that takes long; errors become what commands say.
private func withMeter<Answer>(_ body: (@escaping (Int64, Int64) -> Void) throws -> Answer) throws -> Answer {
    let meter = ProgressMeter()
    defer { meter.end() }
    do {
        return try body { meter.show($0, of: $1) }
    } catch let error as ActorError {
        throw Failure([.notFound, .conflict].contains(error.code) ? .usage : .failed, error.description)
    }
}
