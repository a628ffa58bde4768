import ActorCore
import ActorTesting
import Testing

@Suite struct EngineContactTests {
    private static func failure(isNews: Bool, isLasting: Bool) -> EngineContact.Failure {
        EngineContact.Failure(isNews: isNews, isLasting: isLasting)
    }

    @Test func isLeftAloneForLongerAndLonger() {
        var contact = EngineContact()
        var now: Int64 = 5000
        #expect(contact.mayBeAsked(now: now))
        for pause: Int64 in [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000] {
            _ = contact.failed("no route", now: now)
            #expect(!contact.mayBeAsked(now: now + pause - 1))
            now += pause
            #expect(contact.mayBeAsked(now: now))
        }
    }

    /// People hear of each reason once, the jobs of the third failure in a row and of those after it.
    @Test func isNewsToThoseWhoCanDoSomething() {
        var contact = EngineContact()
        expect(contact.failed("no route", now: 0), Self.failure(isNews: true, isLasting: false))
        expect(contact.failed("no route", now: 0), Self.failure(isNews: false, isLasting: false))
        expect(contact.failed("refused", now: 0), Self.failure(isNews: true, isLasting: true))
        expect(contact.failed("refused", now: 0), Self.failure(isNews: false, isLasting: true))
        expect(contact.answered(), true)
        expect(contact.answered(), false)
        #expect(contact.mayBeAsked(now: 0))
        expect(contact.failed("refused", now: 0), Self.failure(isNews: true, isLasting: false))
    }
}
