import ActorCore

/// How callbacks and outputs of a pipeline's jobs are treated: by the pipeline's own settings, else the manager's.
struct PipelineTreatment: Sendable {
    /// Bytes of data that an event may carry unless the settings say otherwise.
    static let standardDataBytes = 1_048_576
    /// Room for what stands in the place of what is too long.
    private static let leastDataBytes = 512

    private let house: JSONValue
    private let pipeline: JSONValue

    /// - Parameters:
    ///   - house: the manager's settings.
    ///   - pipeline: `settings` of the pipeline's record.
    init(house: JSONValue, pipeline: JSONValue?) {
        self.house = house
        self.pipeline = pipeline ?? [:]
    }

    private func value(_ name: String) -> JSONValue? {
        for settings in [pipeline, house] {
            if let value = settings[name], !value.isNull { return value }
        }
        return nil
    }

    var maxDataBytes: Int { max(Self.leastDataBytes, value("max_data_bytes")?.int ?? Self.standardDataBytes) }

    /// Whether a job that is FINISHED is indexed without being asked to.
    var indexesFinished: Bool { value("index_when_finished")?.bool ?? false }

    /// The actor that indexes; nil for none: then `index` and `indexed` only move the job.
    var indexer: String? {
        guard let word = house["job_indexer"] else { return "jobs-indexer" }
        return word.string.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Patterns of all jobs of the pipeline, in the order in which they are used.
    var patterns: [JSONValue] {
        (value("archive_patterns")?.array ?? []) + (value("product_patterns")?.array ?? [])
    }

    /// A list of requests that the indexer will take.
    static func filters(_ json: JSONValue, at place: String) throws(ReactorFailure) -> [JSONValue] {
        guard let items = json.array, items.count <= IndexMessage.maxFilters else {
            throw ReactorFailure(
                .refused,
                "\(place): must be a list of at most \(IndexMessage.maxFilters) objects with patterns and level")
        }
        for (index, item) in items.enumerated() {
            do throws(ReactorFailure) {
                _ = try IndexRequest(item)
            } catch {
                throw ReactorFailure(.refused, "\(place)/\(index): \(error.message)")
            }
        }
        return items
    }

    /// Throws what of a pipeline's settings cannot be used here.
    static func check(_ settings: JSONValue) throws(ReactorFailure) {
        for member in settings.object ?? [] where !member.value.isNull {
            if let wrong = JobSettings.treatment[member.name]?(member.value, "settings/\(member.name)") {
                throw ReactorFailure(.refused, "\(wrong.place): \(wrong.problem)")
            }
        }
        guard let callbacks = settings["callbacks"], !callbacks.isNull else { return }
        guard callbacks.object != nil else {
            guard callbacks.string != nil else {
                throw ReactorFailure(.refused, "settings/callbacks: must be the name of a callback map, or one")
            }
            return
        }
        do throws(ActorError) {
            _ = try CallbackMap(name: "callbacks", json: callbacks, at: "settings/callbacks")
        } catch {
            throw ReactorFailure(.refused, error.description)
        }
    }

    /// Throws when a pipeline's settings name a table of callbacks that is not there: its jobs would never hear of any.
    ///
    /// - Parameter house: settings that list, as `callback_maps`, the names of the manager's own tables.
    static func checkTable(_ settings: JSONValue?, _ house: JSONValue) throws(ReactorFailure) {
        guard let name = settings?["callbacks"]?.string else { return }
        let own = (house["callback_maps"]?.array ?? []).compactMap(\.string)
        let names = (CallbackMap.builtIn.keys + own).sorted()
        guard !names.contains(name) else { return }
        throw ReactorFailure(
            .refused,
            "settings/callbacks: there is no table \(name.prefix(64)); there are \(names.joined(separator: ", ")) "
                + "(list one of your own under callback_maps in the config.yml of pipelines-manager too)")
    }

    /// - Parameter name: what the callback's URL asks for.
    func map(named name: String?) throws -> CallbackMap {
        if let name { return try map(name) }
        if let own = value("callbacks"), own.object != nil { return try Self.own("callbacks", own) }
        return try map(value("callbacks")?.string ?? CallbackMap.standard)
    }

    private func map(_ name: String) throws -> CallbackMap {
        if let own = house["callback_maps"]?[name] { return try Self.own(name, own) }
        if let map = CallbackMap.builtIn[name] { return map }
        throw JobRefusal(.invalidInput, CallbackMap.missing(name, in: house))
    }

    private static func own(_ name: String, _ json: JSONValue) throws -> CallbackMap {
        do throws(ActorError) {
            return try CallbackMap(name: name, json: json, at: "/callback_maps/\(name)")
        } catch {
            throw JobRefusal(.invalidInput, error.description)
        }
    }
}
