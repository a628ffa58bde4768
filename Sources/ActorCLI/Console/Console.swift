import Glibc

/// Standard output and error: who reads them, and whether colours are welcome.
struct Console: Sendable {
    static let standard = Console()

    let isTerminal: Bool
    let style: Style

    private init() {
        isTerminal = isatty(STDOUT_FILENO) == 1
        let wantsColour = Variables.value("NO_COLOR")?.isEmpty ?? true
        style = isTerminal && wantsColour && Variables.value("TERM") != "dumb" ? .colour : .plain
    }

    /// Of the terminal; 80 where it does not tell.
    var columns: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    func out(_ text: String) { Self.write(text, to: STDOUT_FILENO) }
    func error(_ text: String) { Self.write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // Nobody reads any more; there is no one left to tell.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// The environment, one variable at a time.
enum Variables {
    static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
