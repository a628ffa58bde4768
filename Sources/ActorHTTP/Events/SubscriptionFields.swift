import ActorCore

/// What a caller wrote about a subscription: read strictly, so that a misspelled filter is no missing one.
struct SubscriptionFields: Sendable, Equatable {
    var sink: String?
    var types: [String]?
    /// Set to nothing by null.
    var source: String??
    var filters: [EventFilter]?
    var description: String?
    var enabled: Bool?
    /// The UUID of one job that it is about, or of a pipeline whose jobs it is about.
    var job: String?
    var pipeline: String?

    private static let longestText = 1024
    private static let longestURL = 2048
    private static let maxTypes = 64
    /// What the daemon answers and takes back without acting on it, so that an answer can be edited and sent.
    private static let ignored: Set<String> = [
        "id", "owner", "created", "updated", "waiting", "delivered", "given_up", "dropped", "disabled_reason",
        "previous_secret_expires",
    ]

    init(_ json: JSONValue) throws(ActorError) {
        for member in json.object ?? [] where !Self.ignored.contains(member.name) {
            let place = "/\(member.name.prefix(64))"
            switch member.name {
            case "sink": sink = try Self.url(member.value, at: place)
            case "types": types = try Self.types(member.value, at: place)
            case "source": source = .some(try Self.source(member.value, at: place))
            case "filters": filters = try EventFilter.list(member.value, at: place)
            case "description":
                guard let text = member.value.string, text.utf8.count <= Self.longestText else {
                    throw Self.wrong(place, "must be a text of at most \(Self.longestText) bytes")
                }
                description = text
            case "enabled":
                guard let flag = member.value.bool else { throw Self.wrong(place, "must be true or false") }
                enabled = flag
            case "job": job = try Self.uuid(member.value, at: place)
            case "pipeline": pipeline = try Self.uuid(member.value, at: place)
            case "protocol":
                guard member.value.string == "HTTP" else { throw Self.wrong(place, "must be HTTP") }
            default: throw Self.wrong(place, "is not known here")
            }
        }
        // Said in the words of events, which is what is kept.
        if let job { filters = (filters ?? []) + [.exact([EventFilter.Term("subject", job)])] }
        if let pipeline { filters = (filters ?? []) + [.exact([EventFilter.Term("pipeline", pipeline)])] }
    }

    private static func uuid(_ value: JSONValue, at place: String) throws(ActorError) -> String {
        guard let text = value.string?.lowercased(), text.utf8.count == 36,
            text.utf8.allSatisfy({ NameRules.isAlphanumeric($0) || $0 == UInt8(ascii: "-") })
        else { throw wrong(place, "must be a UUID") }
        return text
    }

    func apply(to subscription: inout Subscription, at now: Timestamp) {
        if let sink { subscription.sink = sink }
        if let types { subscription.types = types }
        if let source { subscription.source = source }
        if let filters { subscription.filters = filters }
        if let description { subscription.description = description }
        if let enabled, enabled != subscription.enabled { subscription.setEnabled(enabled, at: now) }
        subscription.updated = now
    }

    /// All that is not named goes back to what it is in a new subscription.
    func replacing() -> SubscriptionFields {
        var all = self
        all.types = types ?? []
        if source == nil { all.source = .some(nil) }
        all.filters = filters ?? []
        all.description = description ?? ""
        all.enabled = enabled ?? true
        return all
    }

    private static func types(_ value: JSONValue, at place: String) throws(ActorError) -> [String] {
        guard let items = value.array, items.count <= maxTypes else {
            throw wrong(place, "must be an array of at most \(maxTypes) event types")
        }
        var types: [String] = []
        for (index, item) in items.enumerated() {
            // One that never comes would be a subscription that silently tells nothing.
            guard let type = item.string, CloudEvent.types.contains(type) else {
                throw wrong("\(place)/\(index)", "must be one of \(CloudEvent.types.joined(separator: ", "))")
            }
            types.append(type)
        }
        return types
    }

    private static func source(_ value: JSONValue, at place: String) throws(ActorError) -> String? {
        if value.isNull { return nil }
        guard let text = value.string, !text.isEmpty, text.utf8.count <= longestURL else {
            throw wrong(place, "must be a text, or null")
        }
        return text
    }

    /// Whether the address may be called is decided when it is called: names change whom they mean.
    private static func url(_ value: JSONValue, at place: String) throws(ActorError) -> String {
        guard let text = value.string, text.utf8.count <= longestURL else {
            throw wrong(place, "must be a URL of at most \(longestURL) bytes")
        }
        let scheme = ["http://", "https://"].first { text.lowercased().hasPrefix($0) }
        guard let scheme else { throw wrong(place, "must begin with https:// or http://") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !text.contains("#") else {
            throw wrong(place, "has a character that no such URL has")
        }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty, authority.first != ":" else { throw wrong(place, "names no host") }
        guard !authority.contains("@") else { throw wrong(place, "must not carry credentials: deliveries are signed") }
        return text
    }

    static func wrong(_ place: String, _ problem: String) -> ActorError {
        ActorError(
            .invalidInput, "this is no subscription",
            details: [ActorError.Detail(place: place, problem: problem)])
    }
}
