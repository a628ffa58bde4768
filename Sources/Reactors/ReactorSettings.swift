package import ActorCore

/// The keys that a Reactor's `config.yml` takes, and what each of them must be.
///
/// A key that nobody knows is a mistake, not a wish: `token_hour: 1` must not leave tokens valid for three days.
package struct ReactorSettings: Sendable {
    /// Tells what is wrong with a value that is there; nil when nothing is.
    typealias Rule = @Sendable (JSONValue) -> String?
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
            guard !member.value.isNull, let problem = rule(member.value) else { return [] }
            return [.init(place: place, problem: problem)]
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
    static let anything: Rule = { _ in nil }
    static let text: Rule = { $0.string == nil ? "must be text: put it in quotes" : nil }
    static let flag: Rule = { $0.bool == nil ? "must be true or false" : nil }
    static let list: Rule = { $0.array == nil ? "must be a list" : nil }
    static let mapping: Rule = { $0.object == nil ? "must be a mapping (key: value)" : nil }
    static let notNegative: Rule = { ($0.double ?? -1) >= 0 ? nil : "must be a number, 0 or more" }
    static let positive: Rule = { ($0.double ?? 0) > 0 ? nil : "must be a number above 0" }

    static func oneOf(_ words: String...) -> Rule {
        { value in
            value.string.map(words.contains) == true ? nil : "must be \(words.joined(separator: " or "))"
        }
    }

    /// What a decoder that throws says about it; its words begin with `place`, which is known here.
    static func decoded(
        _ place: String, _ decode: @escaping @Sendable (JSONValue, String) throws(ReactorFailure) -> Void
    ) -> Rule {
        { value in
            do throws(ReactorFailure) {
                try decode(value, place)
                return nil
            } catch {
                return error.message.hasPrefix("\(place): ")
                    ? String(error.message.dropFirst(place.count + 2)) : error.message
            }
        }
    }
}
