import Glibc
import Synchronization

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

    /// The error number of what could not be put out: a list that ends in a full disk is not whole.
    private static let lost = Atomic<Int32>(0)

    /// Why not all of the output has arrived; nil when it has, or when its reader has gone away.
    static var loss: String? {
        let number = lost.load(ordering: .relaxed)
        return number == 0 ? nil : String(cString: strerror(number))
    }

    func out(_ text: String) {
        if let number = Self.write(text, to: STDOUT_FILENO), number != EPIPE {
            Self.lost.store(number, ordering: .relaxed)
        }
    }

    func error(_ text: String) { _ = Self.write(text, to: STDERR_FILENO) }

    /// The error number when it cannot be written.
    private static func write(_ text: String, to descriptor: Int32) -> Int32? {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return errno }
            rest = rest.dropFirst(count)
        }
        return nil
    }
}

/// The environment, one variable at a time.
enum Variables {
    static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
