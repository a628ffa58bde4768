import Testing

@testable import ActorRuntime

@Suite struct OwnTokenTests {
    private let token = OwnToken("rxe_r42")

    @Test(arguments: [
        ("", ""), ("nothing", "nothing"), ("rxe_r42", "*****"), ("a rxe_r42, rxe_r42rxe_r42.", "a *****, **********."),
        ("rxe_r4", "rxe_r4"), ("rrxe_r42", "r*****"), ("rxe_rxe_r42r", "rxe_*****r"),
    ])
    func struck(text: String, shown: String) {
        #expect(String(decoding: token.struck(from: Array(text.utf8)), as: UTF8.self) == shown)
    }

    @Test(arguments: [("", 0), ("abc", 0), ("abcr", 1), ("rxe_", 4), ("arxe_r4", 6), ("rxe_r", 5), ("rxe_r42", 0)])
    func whatMayBeItsBeginningIsHeldBack(text: String, count: Int) {
        #expect(token.unfinished(Array(text.utf8)) == count)
    }
}
