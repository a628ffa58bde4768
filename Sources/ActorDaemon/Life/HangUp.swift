internal import Foundation
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// What SIGHUP means: at a terminal that it is gone, elsewhere that somebody hopes to have the configuration read
/// again.
package enum HangUp: Sendable, Equatable {
    /// A terminal that is closed leaves no daemon behind that nobody wanted.
    case stop
    case note

    /// - Parameters:
    ///   - isAtTerminal: standard input or standard error is one at the start.
    ///   - isIgnored: whoever started it has said that it outlives the terminal, as `nohup` does.
    package init(isAtTerminal: Bool, isIgnored: Bool) { self = isAtTerminal && !isIgnored ? .stop : .note }

    /// To be asked at the start, before anything handles the signal.
    static func ofThisProcess() -> HangUp {
        var action = sigaction()
        let isKnown = sigaction(SIGHUP, nil, &action) == 0
        // SIG_IGN is the number 1, which cannot be compared as a function.
        let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        return HangUp(
            isAtTerminal: isatty(STDIN_FILENO) == 1 || isatty(STDERR_FILENO) == 1, isIgnored: isKnown && handler == 1)
    }

    /// What ends the daemon in order.
    var stopSignals: [UnixSignal] { self == .stop ? [.sigterm, .sigint, .sighup] : [.sigterm, .sigint] }
}

/// Says of each SIGHUP that nothing is read again for it, and goes on.
struct HangUpService: Service {
    let logger: Logger

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await cancelWhenGracefulShutdown {
            for await _ in signals {
                logger.notice(
                    "SIGHUP does nothing here: actors are read by themselves, config.yml counts from the next start")
            }
        }
    }
}
