package import ActorCore

/// What the retention is asked.
package enum RetentionMessage: Sendable, Equatable {
    /// What would be removed now: a new plan, which removes nothing.
    case plan
    case show(String)
    case approve(String)
    case apply(String)
    /// Sets the tags that an upload has beside those of its `metadata.json`.
    case tag(upload: String, tags: [String])

    package static func decode(_ json: JSONValue?) throws(ReactorFailure) -> RetentionMessage {
        switch json?["kind"]?.string {
        case "plan": return .plan
        case "show": return .show(try planID(json))
        case "approve": return .approve(try planID(json))
        case "apply": return .apply(try planID(json))
        case "tag":
            guard let upload = json?["upload"]?.string, NameRules.isUploadName(upload) else {
                throw ReactorFailure(.refused, "/upload: must be the id of an upload")
            }
            let values = json?["tags"]?.array ?? [.null]
            let tags = values.compactMap(\.string)
            guard tags.count == values.count, tags.count <= 100, tags.allSatisfy(NameRules.isUploadName) else {
                throw ReactorFailure(.refused, "/tags: must be a list of at most 100 words")
            }
            return .tag(upload: upload, tags: tags)
        default:
            throw ReactorFailure(
                .refused, "/kind: must be \"plan\", \"show\", \"approve\", \"apply\" or \"tag\"")
        }
    }

    private static func planID(_ json: JSONValue?) throws(ReactorFailure) -> String {
        guard let id = json?["plan"]?.string, NameRules.isUploadName(id) else {
            throw ReactorFailure(.refused, "/plan: must be the id of a plan, as \"reactord retention plan\" shows it")
        }
        return id
    }
}
