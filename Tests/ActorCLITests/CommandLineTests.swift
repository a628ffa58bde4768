import ActorCLI
import ActorCore
import Testing

@Suite("command line")
struct CommandLineTests {
    @Test(
        "good lines are taken",
        arguments: [
            ["serve"], ["serve", "--port", "0", "--data-dir", "x", "--host", "127.0.0.1", "--config", "c.yml"],
            ["check", "--json"], ["send", "hello", "{}"], ["send", "hello", "-", "--key", "k", "--wait"],
            ["actors", "--url", "http://127.0.0.1:1"], ["executions"], ["executions", "hello", "--limit", "3"],
            ["executions", "--cursor", "7"], ["dead-letters", "list", "--cursor", "7"],
            ["logs", "abc", "--follow"], ["jobs", "--state", "FAILED"], ["jobs", "--state", "failed"],
            ["job", "107acb37"], ["nonce", "create", "hello", "--max-uses", "-1"], ["nonce", "list", "hello"],
            ["dead-letters"], ["dead-letters", "replay", "7"], ["dead-letters", "replay", "--all"],
            ["dead-letters", "--actor", "hello"], ["dead-letters", "show", "7", "--json"],
            ["dead-letters", "replay", "--all", "--actor", "hello"],
            ["dead-letters", "discard", "7"], ["token", "create", "alice"], ["upload", "2026-e-x", "a", "b"],
            ["upload", "folder", "--name", "2026-e-x", "--force"], ["upload", "show", "x"], ["upload", "rerun", "x"],
            ["uploads", "--state", "failed", "--since", "2026-11-01"], ["backfill", "a.yaml", "--since", "2026-11-01"],
            ["job-sets", "--refresh"], ["render", "a.yaml", "-v", "UUID=x"], ["check", "--jobs", "jobs"],
            ["retention", "plan"], ["retention", "approve", "plan-1"], ["retention", "tag", "x"],
            ["import", "chain", "jobs.csv", "--into", "jobs", "--dry-run"],
            ["demo", "--keep"], ["verify"], ["verify", "--data-dir", "x", "--json"], ["version"], ["subscriptions"],
            ["subscriptions", "add", "https://example.org/"],
            [
                "subscriptions", "add", "http://h/", "--type", "reactord.job.moved", "--type", "reactord.job.stalled",
                "--source", "/s", "--filter", #"{"not":{"exact":{"type":"x"}}}"#,
            ], ["subscriptions", "rm", "R4Xo"], ["subscriptions", "rotate", "R4Xo", "--grace-hours", "0"],
            ["subscriptions", "test", "R4Xo"], ["subscriptions", "deliveries", "R4Xo"],
            ["subscriptions", "resend", "R4Xo", "7"], ["pipelines"], ["pipelines", "list", "--limit", "3"],
            ["pipelines", "show", "f0f417f2"], ["pipelines", "register", "@p.json"], ["pipelines", "register", "-"],
            ["pipelines", "update", "f0f417f2", "{}"], ["pipelines", "enable", "f0f417f2", "--json"],
            ["pipelines", "disable", "f0f417f2"], ["job", "create", "{}"], ["job", "create", "@j.json", "--dry-run"],
        ])
    func good(words: [String]) { #expect(CommandLineTool.complaint(about: words) == nil) }

    @Test(
        "bad lines end with 2 and a reason",
        arguments: [
            (["nonsense"], "nonsense"), (["serve", "--port", "70000"], "0 to 65535"), (["send", "hello"], "message"),
            (["jobs", "--state", "GONE"], "CREATED"), (["nonce", "create", "a", "--level", "ALL"], "READ, EXECUTE"),
            (["nonce", "create", "a", "--max-uses", "0"], "above 0"), (["dead-letters", "replay"], "--all"),
            (["dead-letters", "replay", "7", "--all"], "--all"), (["dead-letters", "show"], "id"),
            (["dead-letters", "replay", "7", "--actor", "x"], "goes with --all"),
            (["upload", "../x", "a"], "no leading dot"),
            (["upload", "a", "--name", ".x"], "no leading dot"),
            (["upload", "rerun", "a", "--failed", "--file", "b"], "both"),
            (["uploads", "--state", "gone"], "partly_failed"), (["backfill", "a.yaml"], "--since"),
            (["retention", "approve"], "plan"), (["import", "chain", "jobs.csv"], "--into"),
            (["backfill", "a", "--since", "2026-01-01", "--yes", "--dry-run"], "both"),
            (["executions", "--limit", "0"], "1 to 1000"), (["dead-letters", "--limit", "1001"], "1 to 1000"),
            (["executions", "--limit", "many"], "limit"), (["jobs", "--limit", "0"], "1 to 1000"),
            (["jobs", "--created-from", "yesterday"], "2026-11-21"), (["uploads", "--before", "now"], "2026-11-21"),
            (["backfill", "a.yaml", "--since", "last"], "--since takes a day"),
            (["job", "event", "nope", "run"], "no UUID of a job"),
            (["actors", "--colour"], "--colour"), (["subscriptions", "add", "example.org"], "https://"),
            (["subscriptions", "add", "http://h/", "--filter", "type=x"], "--filter takes JSON"),
            (["subscriptions", "add", "http://h/", "--type", "job.moved"], "there are reactord.message.accepted"),
            (["subscriptions", "add", "http://h/", "--filter", #"{"exakt":{"type":"x"}}"#], "no filter dialect"),
            (["subscriptions", "rotate", "R4Xo", "--grace-hours", "999"], "0 to 168"),
            (["subscriptions", "resend", "R4Xo"], "delivery"), (["pipelines", "register"], "document"),
            (["pipelines", "update", "f0f417f2"], "changes"), (["pipelines", "drop", "f0f417f2"], "unexpected"),
        ])
    func bad(words: [String], reason: String) throws {
        let ending = try #require(CommandLineTool.complaint(about: words))
        #expect(ending.status == 2)
        #expect(!ending.isHelp)
        #expect(ending.text.contains(reason), "\(ending.text)")
    }

    @Test(
        "every command has help with an example",
        arguments: [
            ["serve"], ["check"], ["send"], ["actors"], ["executions"], ["logs"], ["jobs"], ["job"],
            ["nonce", "create"],
            ["nonce", "list"], ["dead-letters", "list"], ["dead-letters", "show"], ["dead-letters", "replay"],
            ["dead-letters", "discard"], ["token", "create"], ["upload"], ["demo"], ["verify"], ["version"],
            ["upload", "show"], ["upload", "rerun"], ["uploads"], ["backfill"], ["job-sets"], ["render"],
            ["retention", "plan"], ["retention", "show"], ["retention", "approve"], ["retention", "apply"],
            ["retention", "tag"], ["import", "abaco"], ["import", "chain"],
            ["subscriptions", "list"], ["subscriptions", "add"], ["subscriptions", "rm"], ["subscriptions", "rotate"],
            ["subscriptions", "test"], ["subscriptions", "deliveries"], ["subscriptions", "resend"],
            ["pipelines", "list"], ["pipelines", "show"], ["pipelines", "register"], ["pipelines", "update"],
            ["pipelines", "enable"], ["pipelines", "disable"], ["job", "create"],
        ])
    func help(words: [String]) throws {
        let ending = try #require(CommandLineTool.complaint(about: words + ["--help"]))
        #expect(ending.status == 0 && ending.isHelp)
        #expect(ending.text.contains("Example: reactord \(words.joined(separator: " "))"), "\(ending.text)")
    }

    @Test("the exit statuses are in the help")
    func statuses() throws {
        let ending = try #require(CommandLineTool.complaint(about: ["--help"]))
        for line in ["0  all went well", "3  no daemon could be reached", "4  not authorized"] {
            #expect(ending.text.contains(line))
        }
    }

    @Test("failures keep their number and are one line")
    func failures() {
        let ending = CommandLineTool.ending(of: Failure(.unreachable, "no daemon"))
        #expect(ending.status == 3 && ending.text == "reactord: no daemon")
    }
}
