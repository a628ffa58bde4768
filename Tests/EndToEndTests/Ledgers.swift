import ActorCore
import Foundation

/// Actors whose work can be counted afterwards: Reactors that append to the history of a job, and a script that
/// appends to a file. Senders number their messages; the books say what was done, how often and in which order.
struct Ledgers {
    struct Book {
        let actor: String
        let job: String
        let token: String
    }

    /// What a sender was promised.
    private struct Promise {
        let sender: Int
        let number: Int
        let actor: String
        let execution: String

        var entry: Entry { Entry(sender: sender, number: number) }
    }

    struct Entry: Hashable {
        let sender: Int
        let number: Int
    }

    static let connections = 64
    static let script = "ledger-script"
    private static let reactors = ["ledger-a", "ledger-b", "ledger-c"]
    private static let pipeline = "106c46ff-8186-5756-a934-071f4497b58d"

    // An attempt that a kill cut off counts: a daemon that is killed a hundred times needs more than three of them.
    private static let retry = "stateless: false\nretry: {attempts: 1000, backoff_seconds: 0.05}\n"
    static let actors: [String: [String: String]] = {
        var actors: [String: [String: String]] = [:]
        for name in reactors {
            actors[name] = ["actor.yml": "name: \(name)\nrun: {builtin: pipeline-jobs}\n\(retry)"]
        }
        actors[script] = [
            "actor.yml": "name: \(script)\nrun: {command: [/bin/sh, append.sh]}\n\(retry)",
            // One write, then on disk: a line is there or it is not.
            "append.sh": "exec dd if=\"$REACTORD_MESSAGE_FILE\" of=../../ledger.txt bs=64k oflag=append "
                + "conv=notrunc,fsync status=none\n",
        ]
        return actors
    }()

    let books: [Book]
    private let tokens: [String]
    private let folder: String

    /// Starts the daemon and makes the jobs that are written to.
    static func open(_ daemon: RunningDaemon) async throws -> Ledgers {
        let tokens = try writeTokens(daemon)
        try await daemon.start()
        try await daemon.register(.managed)
        var books: [Book] = []
        for name in reactors {
            let made = try await daemon.post(
                "/api/v1/jobs", ["pipeline_uuid": .string(pipeline), "data": ["ledger": .string(name)]])
            guard let job = made.json["uuid"]?.string, let token = made.json["token"]?.string else {
                throw RunningDaemon.Failure(description: "no job: \(made.status) \(made.text)")
            }
            // The clock will be set: these tokens are to outlive that.
            _ = try await daemon.post("/api/v1/jobs/\(job)/token", ["hours": 80000])
            books.append(Book(actor: name, job: job, token: token))
        }
        return Ledgers(books: books, tokens: tokens, folder: daemon.folder)
    }

    /// A user of its own for each connection: order is promised per sender.
    private static func writeTokens(_ daemon: RunningDaemon) throws -> [String] {
        let tokens = (0..<connections).map { "token-of-sender-\($0)-\(UUID().uuidString)" }
        let users = tokens.enumerated().map { ($1, "sender\($0)") }
        try daemon.writeUsers(Dictionary(uniqueKeysWithValues: users))
        return tokens
    }

    /// - Parameters:
    ///   - timeout: seconds after which a sender gives up on an answer and asks again.
    ///   - repeats: how many of the messages are sent once more under their key when they are acknowledged.
    ///   - padding: most bytes by which a message is longer than it need be.
    ///   - pace: most seconds that a sender rests between two messages.
    func plan(seed: UInt64, timeout: Double, repeats: Double, padding: Int, pace: Double) -> JSONValue {
        let targets = books.map { book -> JSONValue in
            ["actor": .string(book.actor), "uuid": .string(book.job), "token": .string(book.token)]
        }
        return [
            "folder": .string("\(folder)/acknowledged"), "seed": .string(String(seed)),
            "timeout": .double(timeout), "tokens": .array(tokens.map { .string($0) }), "targets": .array(targets),
            "scripted": ["actor": .string(Self.script), "senders": 8, "every": 2], "padding": JSONValue(padding),
            "repeats": .double(repeats), "pace": .double(pace),
        ]
    }

    // MARK: Audit

    /// Waits until everything is done, then compares what was promised with what the books say.
    ///
    /// - Parameters:
    ///   - interruptions: how often the daemon was killed: so many executions of one actor may have begun twice.
    ///   - scriptsMayFail: attempts of the script were impossible at times, for want of space.
    func audit(
        _ daemon: RunningDaemon, interruptions: Int, scriptsMayFail: Bool, into tally: inout Tally
    ) async throws -> [String] {
        let all = Self.reactors + [Self.script]
        _ = try await daemon.until("/api/v1/actors", seconds: 240) { value in
            value["actors"]?.array?.allSatisfy { actor in
                !all.contains(actor["name"]?.string ?? "")
                    || (actor["waiting"]?.int == 0 && actor["running"]?.int == 0)
            } ?? false
        }
        let promises = try promised()
        tally.acknowledged = promises.count
        var problems: [String] = []
        for book in books {
            let history = try await daemon.get("/api/v1/jobs/\(book.job)/history?form=full", limit: 500_000_000)
            let lines = (history["history"]?.array ?? []).filter { $0["name"]?.string == "update" }
            let entries = lines.compactMap { Self.entry($0["data"] ?? .null) }
            let executions = lines.compactMap { $0["execution_id"]?.string }
            if entries.count != lines.count || executions.count != lines.count {
                problems.append("\(book.actor): entries that nobody sent")
            }
            if let refused = history["refused"]?.array?.first { problems.append("\(book.actor) refused \(refused)") }
            let mine = promises.filter { $0.actor == book.actor }
            Self.compare(mine.map(\.entry), with: entries, &tally)
            // The execution that was promised is the one that did it.
            let done = Dictionary(zip(entries, executions), uniquingKeysWith: { first, _ in first })
            for promise in mine {
                guard let execution = done[promise.entry] else { continue }
                if execution != promise.execution { problems.append("\(promise) was done by \(execution)") }
            }
            problems += try await check(daemon, book.actor, promises: mine, interruptions: interruptions)
        }
        let scripted = promises.filter { $0.actor == Self.script }
        let repeated = try await check(
            daemon, Self.script, promises: scripted, interruptions: scriptsMayFail ? .max : interruptions)
        auditScript(scripted, interruptions: scriptsMayFail ? .max : interruptions, &tally, &problems)
        return problems + repeated
    }

    static func compare(_ promises: [Entry], with entries: [Entry], _ tally: inout Tally) {
        let done = Set(entries)
        let promised = Set(promises)
        tally.lost += promised.subtracting(done).count
        // Whatever was not promised was done for nothing: the senders stopped when all they began was acknowledged.
        tally.twice += entries.count - done.count + done.subtracting(promised).count
        tally.outOfOrder += Self.disorder(entries)
    }

    /// A script acts at least once: a line may be there again, but at once and only where a kill cut it off.
    private func auditScript(
        _ promises: [Promise], interruptions: Int, _ tally: inout Tally, _ problems: inout [String]
    ) {
        let text = (try? String(contentsOfFile: "\(folder)/ledger.txt", encoding: .utf8)) ?? ""
        let lines = text.split(separator: "\n")
        let entries = lines.compactMap { line in (try? JSONReader.read(Array(line.utf8))).flatMap(Self.entry) }
        if entries.count != lines.count { problems.append("\(Self.script) wrote half a line") }
        var once: [Entry] = []
        for entry in entries where once.last != entry { once.append(entry) }
        let repeats = entries.count - once.count
        if repeats > interruptions {
            problems.append("\(Self.script) repeated \(repeats) lines after \(interruptions) interruptions")
        }
        Self.compare(promises.map(\.entry), with: once, &tally)
    }

    /// The daemon's own records: every promised execution ended well, no other exists, none ran more often than it
    /// was interrupted.
    private func check(
        _ daemon: RunningDaemon, _ actor: String, promises: [Promise], interruptions: Int
    ) async throws -> [String] {
        var open = Set(promises.map(\.execution))
        var problems: [String] = []
        var extra = 0
        var next: String?
        repeat {
            let page = try await daemon.get(
                "/api/v1/executions?actor=\(actor)&limit=1000" + (next.map { "&before=\($0)" } ?? ""),
                limit: 500_000_000)
            for record in page["executions"]?.array ?? [] {
                guard let id = record["id"]?.string, open.remove(id) != nil else {
                    problems.append("\(actor): an execution that nobody was promised: \(record)")
                    continue
                }
                if record["outcome"]?.string != "succeeded" {
                    problems.append("\(actor): \(JSONWriter.string(record))")
                }
                extra += (record["attempts"]?.int ?? 0) - 1
            }
            next = page["next"]?.string
        } while next != nil
        if !open.isEmpty { problems.append("\(actor): \(open.count) executions are not on record") }
        if extra > interruptions {
            problems.append("\(actor) began \(extra) attempts again after \(interruptions) interruptions")
        }
        return problems.count > 5 ? Array(problems.prefix(5)) + ["and \(problems.count - 5) more"] : problems
    }

    private func promised() throws -> [Promise] {
        var promises: [Promise] = []
        for sender in 0..<Self.connections {
            let name = sender < 10 ? "0\(sender)" : String(sender)
            let text = try String(contentsOfFile: "\(folder)/acknowledged/\(name)", encoding: .utf8)
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ").map(String.init)
                guard words.count == 3, let number = Int(words[0]) else {
                    throw RunningDaemon.Failure(description: "\(name): \(line)")
                }
                promises.append(Promise(sender: sender, number: number, actor: words[1], execution: words[2]))
            }
        }
        return promises
    }

    private static func entry(_ data: JSONValue) -> Entry? {
        guard let sender = data["s"]?.int, let number = data["n"]?.int else { return nil }
        return Entry(sender: sender, number: number)
    }

    /// Entries that come after a later one of the same sender.
    private static func disorder(_ entries: [Entry]) -> Int {
        var last: [Int: Int] = [:]
        var count = 0
        for entry in entries {
            if let before = last[entry.sender], before > entry.number { count += 1 }
            last[entry.sender] = max(last[entry.sender] ?? 0, entry.number)
        }
        return count
    }
}
