import Glibc

/// One line on standard error that counts up for whoever sits at a terminal, once the wait gets long.
final class ProgressMeter {
    private let isShown = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private var percent: Int64 = -1

    func show(_ done: Int64, of total: Int64) {
        let now = total > 0 ? done * 100 / total : 100
        guard isShown, now != percent, start.duration(to: .now) > .seconds(2) else { return }
        percent = now
        Console.standard.error("\r\(now) % of \(total) pages")
    }

    func end() {
        if percent >= 0 { Console.standard.error("\n") }
    }
}
