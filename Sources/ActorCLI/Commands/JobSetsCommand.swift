import ActorAPI
import ActorCore
import ArgumentParser

/// `reactord job-sets`: where job files come from, and what is wrong with them.
struct JobSetsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job-sets", abstract: "List the sets of job files: which commit runs, and what is wrong with it.",
        discussion: """
            Ends with 1 when a set cannot be reached or has a file that is invalid.

            Example: reactord job-sets
                     reactord job-sets --refresh
            """)

    @Flag(help: "Fetch and look at them now, instead of telling what was found last.")
    var refresh = false

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let client = try connection.connect()
        let json =
            refresh
            ? try await AskedActor(client: client).ask(["kind": "refresh"]) : try await client.get(Paths.jobSets)
        let sets = json["job_sets"]?.array ?? []
        connection.show(json) { Self.table(sets, $0) }
        guard sets.allSatisfy({ $0["state"]?.string == "good" }) else {
            throw Failure(.failed, "not all sets are good")
        }
    }

    private static func table(_ sets: [JSONValue], _ style: Style) -> String {
        var table = Table("SET", "STATE", "FILES", "COMMIT", "CHECKED", "SOURCE")
        for set in sets {
            table.add(
                Table.Cell(set["name"]?.string ?? "-"), Table.Cell(set["state"]?.string ?? "-"),
                .number(set["files"]?.int ?? 0), .optional(set["commit"]?.string.map { String($0.prefix(12)) }),
                .time(set["checked"]?.string), Table.Cell(set["source"]?.string ?? "-"))
        }
        var output = table.render(style, empty: "no set was looked at yet; --refresh does it")
        for set in sets {
            if let error = set["error"]?.string {
                output += style.paint(Safe.line("\(set["name"]?.string ?? ""): \(error)"), .bad) + "\n"
            }
            for problem in set["invalid"]?.array ?? [] {
                let place = "\(problem["file"]?.string ?? "?"):\(problem["line"]?.int ?? 0)"
                output += style.paint(Safe.line("\(place): \(problem["reason"]?.string ?? "")"), .bad) + "\n"
            }
        }
        return output
    }
}
