/// How the states of some job platform become events of a PipelineJob: a table, as data.
package struct CallbackMap: Sendable, Equatable {
    /// What must be in a callback's body for an event.
    package struct Rule: Sendable, Equatable {
        /// Place and the texts that may stand there; no texts: anything but null, false and 0.
        package let when: [(place: JSONPlace, values: [String])]
        /// What the platform would call this: tells repeats apart.
        package let status: String
        /// Nil: nothing happens.
        package let event: String?

        package init(when: [(place: JSONPlace, values: [String])], status: String, event: String?) {
            self.when = when
            self.status = status
            self.event = event
        }

        package static func == (left: Rule, right: Rule) -> Bool {
            left.status == right.status && left.event == right.event
                && left.when.elementsEqual(right.when) { $0.place == $1.place && $0.values == $1.values }
        }

        func holds(for body: JSONValue) -> Bool {
            when.allSatisfy { place, values in
                guard let value = place.value(in: body), !value.isNull else { return false }
                if values.isEmpty { return value != .bool(false) && value != .int(0) }
                return JSONPlace.word(value).map { values.contains($0) } ?? false
            }
        }
    }

    /// How often one status of one job is recorded.
    package enum Repeats: String, Sendable, CaseIterable {
        /// Once: the platform tells each status once, and what comes again was sent again.
        case oncePerJob = "once_per_job"
        /// Again when another status came between: a job may be queued twice.
        case onceInARow = "once_in_a_row"
        case always
    }

    package var name: String
    /// For people.
    package var summary: String
    /// Looked at first, in order.
    package var rules: [Rule] = []
    /// Where the status stands in a body, for callbacks whose URL has none.
    package var places: [JSONPlace] = []
    /// Status in upper case to event; nil: nothing happens.
    package var statuses: [String: String?]
    /// The event of a status that is not listed; nil: nothing happens.
    package var otherwise: String?
    package var repeats = Repeats.onceInARow
    /// Statuses that are news each time.
    package var recurring: Set<String> = []
    /// Whether `event=` of the URL beats a status that is listed with an event.
    package var eventFirst = true

    package init(_ name: String, _ summary: String, statuses: [String: String?], otherwise: String? = "update") {
        self.name = name
        self.summary = summary
        self.statuses = statuses
        self.otherwise = otherwise
    }

    /// What a callback says.
    package struct Reading: Sendable, Equatable {
        /// In upper case, cut to what a status may be.
        package let status: String
        package let event: String?

        package init(status: String, event: String?) {
            self.status = status
            self.event = event
        }
    }

    private static let longestStatus = 64

    /// By the URL's status, else by the body. Nil when neither says anything.
    package func read(status: String?, body: JSONValue) -> Reading? {
        if let status, !status.isEmpty { return look(up: status) }
        if let rule = rules.first(where: { $0.holds(for: body) }) {
            return Reading(status: rule.status.uppercased(), event: rule.event)
        }
        for place in places {
            if let word = place.value(in: body).flatMap(JSONPlace.word), !word.isEmpty { return look(up: word) }
        }
        return nil
    }

    /// `CANCELLED by 1000` and `CANCELLED+` are `CANCELLED` to who knows only that.
    private func look(up text: String) -> Reading {
        let word = String(text.uppercased().prefix(Self.longestStatus))
        if let event = statuses[word] { return Reading(status: word, event: event) }
        let first = String(word.prefix { $0 != " " && $0 != "+" })
        if let event = statuses[first] { return Reading(status: first, event: event) }
        return Reading(status: word, event: otherwise)
    }

    /// Whether a status was recorded already.
    ///
    /// - Parameter seen: the statuses of the job so far, the latest last.
    package func isRepeat(_ status: String, seen: [String]) -> Bool {
        if recurring.contains(status) { return false }
        return switch repeats {
        case .always: false
        case .onceInARow: seen.last == status
        case .oncePerJob: seen.contains(status)
        }
    }
}

extension CallbackMap {
    private static let maxEntries = 500

    /// Why nothing can be read by this table; nil when it is there.
    ///
    /// - Parameter settings: the manager's, with the tables of its own house.
    package static func refusal(of name: String, in settings: JSONValue) -> String? {
        builtIn[name] == nil && settings["callback_maps"]?[name] == nil ? missing(name, in: settings) : nil
    }

    /// What is said of a table that is not there.
    package static func missing(_ name: String, in settings: JSONValue) -> String {
        let own = (settings["callback_maps"]?.object ?? []).map(\.name)
        let names = (builtIn.keys + own).sorted().joined(separator: ", ")
        return "there is no callback map \(name.prefix(64)); there are \(names)"
    }

    /// As it is published, and as `callback_maps` in a configuration takes it.
    package var json: JSONValue {
        [
            "summary": .string(summary),
            "rules": .array(
                rules.map { rule in
                    [
                        "when": .object(
                            rule.when.map { .init($0.place.text, .array($0.values.map { .string($0) })) }),
                        "status": .string(rule.status), "event": JSONValue(rule.event),
                    ]
                }),
            "status_at": .array(places.map { .string($0.text) }),
            "statuses": .object(
                statuses.sorted { $0.key < $1.key }.map { .init($0.key, JSONValue($0.value)) }),
            "otherwise": JSONValue(otherwise), "repeats": .string(repeats.rawValue),
            "recurring": .array(recurring.sorted().map { .string($0) }), "event_first": .bool(eventFirst),
        ]
    }

    /// Throws the place and what is wrong there.
    package init(name: String, json: JSONValue, at place: String) throws(ActorError) {
        func wrong(_ field: String, _ problem: String) -> ActorError {
            ActorError(
                .invalidInput, "callback map \(name) cannot be used",
                details: [ActorError.Detail(place: "\(place)/\(field)", problem: problem)])
        }
        func event(_ value: JSONValue, _ field: String) throws(ActorError) -> String? {
            if value.isNull { return nil }
            guard let text = value.string, PipelineJobEvent(rawValue: text) != nil else {
                let names = PipelineJobEvent.allCases.map(\.rawValue).joined(separator: ", ")
                throw wrong(field, "must be null or one of \(names)")
            }
            return text
        }
        let known = [
            "summary", "rules", "status_at", "statuses", "otherwise", "repeats", "recurring", "event_first",
        ]
        guard let members = json.object, members.count <= Self.maxEntries else {
            throw wrong("", "must be a mapping")
        }
        if let odd = members.first(where: { !known.contains($0.name) }) {
            throw wrong(odd.name, "is not known here; there are \(known.joined(separator: ", "))")
        }
        var statuses: [String: String?] = [:]
        for member in json["statuses"]?.object ?? [] {
            statuses[member.name.uppercased()] = .some(try event(member.value, "statuses/\(member.name)"))
        }
        self.init(name, json["summary"]?.string ?? "", statuses: statuses)
        if let value = json["otherwise"] { otherwise = try event(value, "otherwise") }
        for item in json["status_at"]?.array ?? [] {
            guard let at = item.string.flatMap(JSONPlace.init) else {
                throw wrong("status_at", "must be a list of places such as /status/phase")
            }
            places.append(at)
        }
        if let text = json["repeats"] {
            guard let repeats = text.string.flatMap(Repeats.init) else {
                throw wrong("repeats", "must be one of \(Repeats.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            self.repeats = repeats
        }
        recurring = Set((json["recurring"]?.array ?? []).compactMap { $0.string?.uppercased() })
        eventFirst = json["event_first"]?.bool ?? true
        for (index, item) in (json["rules"]?.array ?? []).enumerated() {
            var when: [(place: JSONPlace, values: [String])] = []
            for condition in item["when"]?.object ?? [] {
                guard let at = JSONPlace(condition.name) else {
                    throw wrong("rules/\(index)/when", "must name places such as /status/phase")
                }
                let values = condition.value.array ?? [condition.value]
                when.append((at, values.compactMap(JSONPlace.word)))
            }
            guard !when.isEmpty else { throw wrong("rules/\(index)/when", "must name at least one place") }
            let name = try event(item["event"] ?? .null, "rules/\(index)/event")
            rules.append(Rule(when: when, status: item["status"]?.string ?? "rule \(index + 1)", event: name))
        }
    }
}
