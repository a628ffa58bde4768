package import ActorCore

/// The parts of a pipeline as its id sees them (PipelineJobs, sections 4.2 and 7.2).
package enum PipelineComponents {
    /// What a component is: the first class whose keys are all there.
    package enum Class: String, Sendable, CaseIterable {
        case agaveApp = "agave_app"
        case abacoActor = "abaco_actor"
        case agaveJob = "agave_job"
        case deployedContainer = "deployed_container"
        case webService = "web_service"

        fileprivate var required: [String] {
            switch self {
            case .agaveApp: ["id", "inputs", "parameters"]
            case .abacoActor: ["id", "image"]
            case .agaveJob: ["appId", "id"]
            case .deployedContainer: ["image", "hostname"]
            case .webService: ["uri"]
            }
        }

        /// What takes part in the id of a pipeline.
        fileprivate var kept: [String] {
            switch self {
            case .agaveApp: ["id", "modules", "inputs", "outputs", "parameters", "uuid"]
            case .abacoActor: ["id", "image", "options", "uuid"]
            case .agaveJob: ["appId", "id", "uuid"]
            case .deployedContainer: ["image", "hostname", "hash", "options", "uuid"]
            case .webService: ["uri", "identifier", "options", "uuid"]
            }
        }
    }

    package static func `class`(of component: JSONValue) -> Class? {
        Class.allCases.first { kind in kind.required.allSatisfy { component[$0] != nil } }
    }

    /// Second generation: in the order given, each cut down to the keys of its class; those of no class are dropped.
    package static func classified(_ components: [JSONValue]) -> [JSONValue] {
        components.compactMap { component in
            guard let kind = `class`(of: component), let members = component.object else { return nil }
            return .object(members.filter { kind.kept.contains($0.name) })
        }
    }

    /// First generation: `appId` or `actorId` is called `id`; what has none is dropped; in the order of the ids.
    package static func identified(_ components: [JSONValue]) -> [JSONValue] {
        let named = components.compactMap { component -> (id: String, value: JSONValue)? in
            var value = component
            for name in ["appId", "actorId"] {
                if let id = component[name] { value = value.removing(name).setting("id", id) }
            }
            return value["id"]?.string.map { ($0, value) }
        }
        // The sort of the original is stable and by code point.
        return named.enumerated().sorted { left, right in
            let (one, other) = (left.element.id.unicodeScalars, right.element.id.unicodeScalars)
            if one.elementsEqual(other) { return left.offset < right.offset }
            return one.lexicographicallyPrecedes(other)
        }.map(\.element.value)
    }
}
