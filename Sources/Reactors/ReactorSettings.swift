package import ActorCore

/// The keys that a Reactor's `config.yml` takes, and what each of them must be.
///
/// A key that nobody knows is a mistake, not a wish: `token_hour: 1` must not leave tokens valid for three days.
package struct ReactorSettings: Sendable {
    /// Tells what is wrong with a value that is there, and where; nil when nothing is. The second is its place.
    typealias Rule = @Sendable (JSONValue, String) -> ActorError.Detail?
    /// Tells what is wrong with the settings as a whole, each with its JSON pointer.
    typealias Whole = @Sendable (JSONValue) -> [ActorError.Detail]

    private let rules: [String: Rule]
    private let whole: Whole

    init(_ rules: [String: Rule] = [:], whole: @escaping Whole = { _ in [] }) {
        self.rules = rules
        self.whole = whole
    }

    /// All that is wrong, each with its JSON pointer. A key without a value (`~`) is as good as none.
    package func problems(in settings: JSONValue) -> [ActorError.Detail] {
        let strange = (settings.object ?? []).flatMap { member -> [ActorError.Detail] in
            let place = "/\(member.name)"
            guard let rule = rules[member.name] else { return [.init(place: place, problem: unknown)] }
            return member.value.isNull ? [] : [rule(member.value, place)].compactMap(\.self)
        }
        return strange + whole(settings).filter { found in !strange.contains { $0.place == found.place } }
    }

    private var unknown: String {
        rules.isEmpty ? "is not known: it takes none" : "is none of \(rules.keys.sorted().joined(separator: ", "))"
    }

    func verify(_ settings: JSONValue) throws(ActorError) {
        let problems = problems(in: settings)
        guard problems.isEmpty else {
            throw ActorError(.invalidInput, "the actor's config.yml is not as it should be", details: problems)
        }
    }
}

/// A Reactor that does not start with settings which it would misread: its mail waits until they are mended.
package protocol ConfiguredReactor: Reactor {
    static var settings: ReactorSettings { get }
}

extension ConfiguredReactor {
    package func prepare(_ setup: any ReactorSetup) async throws { try Self.settings.verify(setup.settings) }
}

// MARK: What values must be

extension ReactorSettings {
    static let anything: Rule = { _, _ in nil }
    static let text = must("be text: put it in quotes") { $0.string != nil }
    static let flag = must("be true or false") { $0.bool != nil }
    static let list = must("be a list") { $0.array != nil }
    static let mapping = must("be a mapping (key: value)") { $0.object != nil }
    static let notNegative = must("be a number, 0 or more") { ($0.double ?? -1) >= 0 }
    static let positive = must("be a number above 0") { ($0.double ?? 0) > 0 }
    static let delay = must("be a number of seconds, 0 or more, at most a day (86400)") {
        (0...86400).contains($0.double ?? -1)
    }
    static let period = must("be a number of seconds above 0, at most a day (86400)") {
        let seconds = $0.double ?? 0
        return seconds > 0 && seconds <= 86400
    }

    static func must(_ be: String, _ holds: @escaping @Sendable (JSONValue) -> Bool) -> Rule {
        { value, place in holds(value) ? nil : .init(place: place, problem: "must \(be)") }
    }

    static func oneOf(_ words: String...) -> Rule {
        must("be \(words.joined(separator: " or "))") { $0.string.map(words.contains) == true }
    }

    /// What a decoder that is told the place says about a value.
    static func decoded<Value>(
        _ decode: @escaping @Sendable (JSONValue, String) throws(ReactorFailure) -> Value
    ) -> Rule {
        { value, place in
            do throws(ReactorFailure) {
                _ = try decode(value, place)
                return nil
            } catch {
                return detail(of: error)
            }
        }
    }

    /// Of a failure whose words are `PLACE: PROBLEM`.
    static func detail(of failure: ReactorFailure) -> ActorError.Detail {
        let parts = failure.message.split(separator: ": ", maxSplits: 1).map(String.init)
        return parts.count == 2
            ? .init(place: parts[0], problem: parts[1]) : .init(place: "", problem: failure.message)
    }
}
