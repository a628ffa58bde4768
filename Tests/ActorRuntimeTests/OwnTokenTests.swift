import ActorCore
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

    private static let owners: [(Set<Role>?, Bool, Set<Role>)] = [
        ([.limited], false, [.limited]), ([.user], false, [.user]), ([.admin], false, [.user]),
        ([.privileged], false, [.user]), ([.limited, .user], false, [.user]), ([], false, []),
        // The house does not name the owner: what is on record counts; else its word does.
        (nil, false, [.user]), (nil, true, [.limited]), ([.user], true, [.user]), ([.limited], true, [.limited]),
    ]

    @Test(arguments: owners)
    func anExecutionIsNeverMoreThanItsOwner(configured: Set<Role>?, isMadeByLimited: Bool, roles: Set<Role>) {
        let tokens = ExecutionTokens(code: nil) { user, tenant in user == "ada" && tenant == "LAB" ? configured : nil }
        let now = Timestamp(milliseconds: 0)
        var spec = ActorSpec(
            id: ActorID("R4Xo"), tenant: "LAB", name: "one", run: .image("i"), owner: "ada", created: now, updated: now)
        spec.definition = ActorDefinition(image: "i")
        spec.definition?.isOfLimitedUser = isMadeByLimited
        let token = tokens.issue(for: ExecutionID("R4Xp"), of: spec)
        #expect(tokens.principal(token) == Principal(username: "ada", tenant: "LAB", roles: roles))
    }

    @Test(arguments: [("", 0), ("abc", 0), ("abcr", 1), ("rxe_", 4), ("arxe_r4", 6), ("rxe_r", 5), ("rxe_r42", 0)])
    func whatMayBeItsBeginningIsHeldBack(text: String, count: Int) {
        #expect(token.unfinished(Array(text.utf8)) == count)
    }
}
