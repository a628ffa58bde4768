import ActorCore
import Foundation
import Testing

@testable import ActorStore

/// Bodies that are too long to wait in memory wait in the store alone.
@Suite struct LongBodyTests {
    private static let long = NewMessage.mostKept + 1

    @Test func pagesLeaveThemOutAndTheirPlaceHasThem() async throws {
        try await withStore { store, _ in
            let sizes = [20, NewMessage.mostKept, Self.long]
            let sent = sizes.map { message("m\($0)", bytes: $0) }
            let answers = try await store.append(sent)
            let page = try await store.ready()
            #expect(page.map(\.message.bodyBytes) == sizes)
            #expect(page.map(\.message.body.count) == [20, NewMessage.mostKept, 0])
            #expect(page.map(\.message.hasBody) == [true, true, false])
            for (answer, envelope) in zip(answers, page) {
                guard case .accepted(let accepted) = answer else { throw CancellationError() }
                #expect(accepted.execution == envelope.execution && accepted.rank == envelope.rank)
            }
            let place = try #require(try await store.place(of: page[2].execution, countingTo: 0))
            #expect(page[2].whole(place.envelope.message).message == sent[2])
        }
    }

    /// What ends without its body counts no less, and is parked with it.
    @Test func whatEndsWithoutItsBodyIsParkedWithItAndCountedOut() async throws {
        try await withStore { store, _ in
            _ = try await store.append([message("long", bytes: Self.long), message("short")])
            let waiting = try await store.ready()
            let attempt = AttemptRecord(
                execution: waiting[0].execution, number: 1, started: noon, finished: noon, outcome: .interrupted)
            try await store.complete(
                Completion(
                    waiting[0], hasBegun: false, attempt: attempt, disposition: .park(reason: "test"), status: .error))
            let letters = try await store.deadLetters(DeadLetterQuery(limit: 9))
            #expect(letters.map(\.message.body.count) == [DeadLetterQuery.mostShown])
            #expect(letters.map(\.message.bodyBytes) == [Self.long])
            let letter = try #require(try await store.deadLetter(letters[0].id))
            #expect(letter.message == message("long", bytes: Self.long))
            // One byte more than what waits now would have with another short one.
            let rules = AcceptRules(maxWaitingBytes: 40)
            guard case .accepted = try await store.append([message("next")], rules: rules)[0] else {
                Issue.record("the bytes of what has left still count")
                return
            }
        }
    }
}
