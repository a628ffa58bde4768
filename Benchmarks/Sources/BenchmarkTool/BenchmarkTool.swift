import Glibc

/// The measurements that need the daemon's own code inside one process; `make bench` runs them.
@main struct BenchmarkTool {
    static func main() async {
        let words = Array(CommandLine.arguments.dropFirst())
        let numbers = words.compactMap { Int($0) }
        switch (words.first, words.dropFirst().first, numbers.count) {
        case ("mailbox", "fanin", 2):
            report(await MailboxLine.fanIn(actors: numbers[0], messages: numbers[1]))
        case ("mailbox", "roundtrip", 1): report(await MailboxLine.roundTrip(count: numbers[0]))
        case ("mailbox", "idle", 1): report(MailboxLine.idle(actors: numbers[0]))
        case ("callbacks", let url?, 3):
            do {
                report(
                    try await CallbackLine.run(
                        url: url, calls: numbers[0], concurrency: numbers[1], bytes: numbers[2]))
            } catch {
                fail("the calls did not succeed: \(error)")
            }
        default:
            fail(
                """
                usage: reactord-bench mailbox fanin ACTORS MESSAGES | mailbox roundtrip COUNT | mailbox idle ACTORS
                       reactord-bench callbacks URL CALLS CONCURRENCY BYTES
                """)
        }
    }

    private static func report(_ figures: [(String, Double)]) {
        print("{" + figures.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}")
    }

    private static func fail(_ text: String) -> Never {
        let line = Array("\(text)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
        exit(2)
    }
}

/// Nanoseconds that never go back.
func monotonicNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
