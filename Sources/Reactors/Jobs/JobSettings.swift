import ActorCore

/// What the `config.yml` of those who keep jobs and pipelines may say.
enum JobSettings {
    typealias Rules = [String: ReactorSettings.Rule]

    /// Of what tokens are made.
    private static let keys: Rules = [
        "token_pepper": ReactorSettings.text, "admin_token_secret": ReactorSettings.text,
        "admin_token_key": ReactorSettings.text, "admin_token_lifetime_seconds": ReactorSettings.positive,
    ]
    private static let telling: Rules = [
        "events_manager": ReactorSettings.text, "state_enter": ReactorSettings.flag,
        "state_exit": ReactorSettings.flag,
    ]
    private static let patterns: Rules = [
        "archive_patterns": ReactorSettings.decoded(PipelineTreatment.filters),
        "product_patterns": ReactorSettings.decoded(PipelineTreatment.filters),
    ]

    /// How jobs are treated, which a pipeline may say for its own.
    static let treatment: Rules = merged(
        patterns,
        [
            "max_data_bytes": ReactorSettings.notNegative, StallMachine.setting: ReactorSettings.notNegative,
            "index_when_finished": ReactorSettings.flag,
        ])

    static let pipelines = ReactorSettings(
        merged(
            keys,
            [
                "callback_maps": ReactorSettings.must("be a list of names") { value in
                    value.array?.allSatisfy { $0.string != nil } ?? false
                }
            ]))

    static let indexer = ReactorSettings(
        merged(
            telling, patterns,
            [
                "process_uuid": ReactorSettings.must("be a UUID") {
                    $0.string.flatMap(TypedUUID.normalized) != nil
                }
            ]))

    static let manager = ReactorSettings(
        merged(
            keys, telling, treatment,
            [
                "unknown_pipelines": ReactorSettings.oneOf("refuse", "register"),
                "token_hours": ReactorSettings.decoded(PipelineSettings.hours),
                "token_events": ReactorSettings.decoded(PipelineSettings.tokenEvents),
                "callbacks": ReactorSettings.anything, "callback_maps": ReactorSettings.mapping,
                "stall_check_seconds": ReactorSettings.positive, "job_indexer": ReactorSettings.text,
            ]), whole: callbackMaps)

    private static func merged(_ parts: Rules...) -> Rules {
        parts.reduce(into: [:]) { all, part in all.merge(part) { first, _ in first } }
    }

    /// Each map can be read, and the one that is used is there.
    @Sendable private static func callbackMaps(_ settings: JSONValue) -> [ActorError.Detail] {
        var problems: [ActorError.Detail] = []
        func read(_ name: String, _ json: JSONValue, at place: String) {
            do throws(ActorError) {
                _ = try CallbackMap(name: name, json: json, at: place)
            } catch {
                problems += error.details
            }
        }
        let own = settings["callback_maps"]?.object ?? []
        for map in own { read(map.name, map.value, at: "/callback_maps/\(map.name)") }
        guard let used = settings["callbacks"], !used.isNull else { return problems }
        guard let name = used.string else {
            // One that is written out.
            read("callbacks", used, at: "/callbacks")
            return problems
        }
        let names = CallbackMap.builtIn.keys + own.map(\.name)
        if !names.contains(name) {
            problems.append(
                .init(place: "/callbacks", problem: "is none of \(names.sorted().joined(separator: ", "))"))
        }
        return problems
    }
}
