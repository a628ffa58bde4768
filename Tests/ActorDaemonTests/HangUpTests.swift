import Foundation
import Testing

@testable import ActorDaemon

@Suite("starts and hang-ups")
struct HangUpTests {
    @Test("SIGHUP ends a daemon at a terminal, unless it was started to outlive it, and no other")
    func meaning() {
        #expect(HangUp(isAtTerminal: true, isIgnored: false) == .stop)
        #expect(HangUp(isAtTerminal: true, isIgnored: true) == .note)
        #expect(HangUp(isAtTerminal: false, isIgnored: false) == .note)
    }

    @Test("a port that may not be taken is told from one that is taken")
    func ports() {
        #expect(House.refusal(of: "127.0.0.1:80", number: EACCES).contains("may not take a port below 1024"))
        for number in [EADDRINUSE, nil] {
            #expect(House.refusal(of: "127.0.0.1:80", number: number).contains("is the port taken"))
        }
    }
}
