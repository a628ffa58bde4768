package import ActorCore

/// What the ingest is told: an upload landed, one of its jobs moved, or an upload is to be analysed again.
package enum IngestMessage: Sendable, Equatable {
    /// From the inbox watcher: `name` has settled.
    case upload(name: String)
    /// From the pipeline jobs manager.
    case job(JobID)
    /// From a person: run the job files again for an upload (its id in the catalogue), all of them or one.
    case rerun(upload: String, file: String?)

    package static func decode(_ json: JSONValue?) throws(ReactorFailure) -> IngestMessage {
        switch json?["kind"]?.string {
        case "upload":
            guard let name = json?["name"]?.string, NameRules.isUploadName(name) else {
                throw ReactorFailure(.refused, "/name: must be the name of an upload in the inbox")
            }
            return .upload(name: name)
        case "job":
            guard let uuid = json?["uuid"]?.string.flatMap(TypedUUID.normalized) else {
                throw ReactorFailure(.refused, "/uuid: must be the UUID of a job")
            }
            return .job(JobID(uuid))
        case "rerun":
            guard let upload = json?["upload"]?.string, !upload.isEmpty else {
                throw ReactorFailure(.refused, "/upload: must be the id of an upload, as the list of uploads has it")
            }
            return .rerun(upload: upload, file: json?["file"]?.string)
        default:
            throw ReactorFailure(.refused, "/kind: must be \"upload\", \"job\" or \"rerun\"")
        }
    }
}
