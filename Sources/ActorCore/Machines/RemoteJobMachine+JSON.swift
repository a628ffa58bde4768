extension EngineEnd {
    package var json: JSONValue {
        var value: JSONValue = ["kind": .string(kind.rawValue)]
        if let exitCode { value = value.setting("exit_code", JSONValue(exitCode)) }
        if let signal { value = value.setting("signal", JSONValue(signal)) }
        if let message { value = value.setting("message", .string(message)) }
        return value
    }

    package init?(json: JSONValue) {
        guard let kind = json["kind"]?.string.flatMap(Kind.init(rawValue:)) else { return nil }
        self.init(
            kind, exitCode: json["exit_code"]?.int, signal: json["signal"]?.int, message: json["message"]?.string)
    }
}

/// As it travels from the watch of an engine to the actor that keeps the job.
extension EngineObservation {
    package var json: JSONValue {
        var value: JSONValue = ["steps": .array(steps.map(\.json))]
        switch phase {
        case .pending: value = value.setting("phase", "pending")
        case .running: value = value.setting("phase", "running")
        case .ended(let end): value = value.setting("phase", "ended").setting("end", end.json)
        }
        if let reason { value = value.setting("reason", .string(reason)) }
        if let node { value = value.setting("node", .string(node)) }
        if let started { value = value.setting("started", .int(started.milliseconds)) }
        return value
    }

    package init?(json: JSONValue) {
        switch json["phase"]?.string {
        case "pending": phase = .pending
        case "running": phase = .running
        case "ended":
            guard let end = json["end"].flatMap(EngineEnd.init(json:)) else { return nil }
            phase = .ended(end)
        default: return nil
        }
        reason = json["reason"]?.string
        node = json["node"]?.string
        started = json["started"]?.int.map { Timestamp(milliseconds: Int64($0)) }
        steps = (json["steps"]?.array ?? []).compactMap(Step.init(json:))
    }
}

extension EngineObservation.Step {
    fileprivate var json: JSONValue {
        var value: JSONValue = ["phase": .string(phase.rawValue), "name": .string(name)]
        if !place.isEmpty { value = value.setting("place", .string(place)) }
        switch state {
        case .waiting: value = value.setting("state", "waiting")
        case .running: value = value.setting("state", "running")
        case .ended(let end): value = value.setting("state", "ended").setting("end", end.json)
        }
        if let milliseconds { value = value.setting("milliseconds", .int(milliseconds)) }
        return value
    }

    fileprivate init?(json: JSONValue) {
        guard let phase = json["phase"]?.string.flatMap(JobPhase.init(rawValue:)), let name = json["name"]?.string
        else { return nil }
        let state: State
        switch json["state"]?.string {
        case "waiting": state = .waiting
        case "running": state = .running
        default:
            guard let end = json["end"].flatMap(EngineEnd.init(json:)) else { return nil }
            state = .ended(end)
        }
        self.init(
            phase, name, place: json["place"]?.string ?? "", state,
            milliseconds: json["milliseconds"]?.int.map { Int64($0) })
    }
}

/// As it is kept between two messages of a job.
extension RemoteJobMachine {
    package var json: JSONValue {
        var value: JSONValue = [
            "attempt": JSONValue(attempt), "failures": JSONValue(failures), "tries_failed": JSONValue(triesFailed),
            "engine_losses": JSONValue(engineLosses), "rules": rules.json, "state": stateJSON,
            "told_steps": .array(toldSteps.sorted().map { .string($0) }),
        ]
        if let id { value = value.setting("id", .string(id)) }
        if let began { value = value.setting("began", .int(began.milliseconds)) }
        if let stop { value = value.setting("stop", .string(stop.rawValue)) }
        if let lastWord { value = value.setting("last_word", .string(lastWord)) }
        return value
    }

    private var stateJSON: JSONValue {
        switch state {
        case .waiting(let at): ["name": "waiting", "at": .int(at.milliseconds)]
        case .following(let absentSince):
            ["name": "following", "absent_since": absentSince.map { .int($0.milliseconds) } ?? .null]
        case .stopping(let why, let at, let hasAsked):
            [
                "name": "stopping", "why": .string(why.rawValue), "at": .int(at.milliseconds),
                "has_asked": .bool(hasAsked),
            ]
        case .keeping(let end, let step, let at):
            ["name": "keeping", "end": end.json, "step": JSONValue(step), "at": .int(at.milliseconds)]
        case .leaving(let at): ["name": "leaving", "at": .int(at.milliseconds)]
        case .over: ["name": "over"]
        }
    }

    /// Nil when it is not what ``json`` wrote.
    package init?(json: JSONValue) {
        guard let attempt = json["attempt"]?.int, let kept = json["state"], let state = Self.state(kept) else {
            return nil
        }
        self.init(rules: Rules(json: json["rules"] ?? .null), now: Timestamp(milliseconds: 0))
        self.state = state
        self.attempt = attempt
        id = json["id"]?.string
        failures = json["failures"]?.int ?? 0
        triesFailed = json["tries_failed"]?.int ?? 0
        engineLosses = json["engine_losses"]?.int ?? 0
        began = Self.moment(json["began"])
        stop = json["stop"]?.string.flatMap(Stop.init(rawValue:))
        lastWord = json["last_word"]?.string
        toldSteps = Set((json["told_steps"]?.array ?? []).compactMap(\.string))
    }

    private static func state(_ json: JSONValue) -> State? {
        let at = moment(json["at"]) ?? Timestamp(milliseconds: 0)
        switch json["name"]?.string {
        case "waiting": return .waiting(at: at)
        case "following": return .following(absentSince: moment(json["absent_since"]))
        case "stopping":
            guard let why = json["why"]?.string.flatMap(Stop.init(rawValue:)) else { return nil }
            return .stopping(why, at: at, hasAsked: json["has_asked"]?.bool ?? false)
        case "keeping":
            guard let end = json["end"].flatMap(EngineEnd.init(json:)) else { return nil }
            return .keeping(end, step: json["step"]?.string, at: at)
        case "leaving": return .leaving(at: at)
        case "over": return .over
        default: return nil
        }
    }

    private static func moment(_ json: JSONValue?) -> Timestamp? {
        json?.int.map { Timestamp(milliseconds: Int64($0)) }
    }
}

extension RemoteJobMachine.Rules {
    fileprivate var json: JSONValue {
        var value: JSONValue = [
            "retries": JSONValue(retries), "engine_retries": JSONValue(engineRetries),
            "lost_ms": .int(lostMilliseconds),
        ]
        if let deadlineMilliseconds { value = value.setting("deadline_ms", .int(deadlineMilliseconds)) }
        if let keptMilliseconds { value = value.setting("kept_ms", .int(keptMilliseconds)) }
        return value
    }

    fileprivate init(json: JSONValue) {
        let standard = Self()
        self.init(
            retries: json["retries"]?.int ?? 0, deadlineMilliseconds: json["deadline_ms"]?.int.map { Int64($0) },
            keptMilliseconds: json["kept_ms"]?.int.map { Int64($0) },
            engineRetries: json["engine_retries"]?.int ?? standard.engineRetries,
            lostMilliseconds: json["lost_ms"]?.int.map { Int64($0) } ?? standard.lostMilliseconds)
    }
}
