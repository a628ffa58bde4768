package import ActorCore

/// What the ingest is told or asked.
package enum IngestMessage: Sendable, Equatable {
    /// From the inbox watcher: `name` has settled. With `force` it is analysed even if its content was before.
    case upload(name: String, force: Bool)
    /// From the pipeline jobs manager; of a job that was taken out of the catalogue with the id of its upload.
    case job(JobID, upload: String?)
    /// From a person: run the job files again for an upload (its id in the catalogue): all of them, one, or those that
    /// failed.
    case rerun(upload: String, file: String?, onlyFailed: Bool)
    /// From a person or an instrument: `path` on this machine is an upload called `name`.
    /// With `isListed` it was named before it had to be there: it is waited for, as long as attempts last.
    case bring(name: String, path: String, force: Bool, isListed: Bool)
    /// The same for what lies at an address.
    case fetch(RemoteUpload)
    /// From the daemon, a person or a webhook: look at the sets of job files again, or at one of them.
    case refresh(set: String?)
    /// From the retention: the files that were claimed under this key are gone.
    case removed(upload: String, key: ExecutionID, action: String, plan: String)
    /// From the daemon: a file that lists uploads has changed.
    case lists
    /// Something that is only asked.
    case question(IngestQuestion)

    package static func decode(_ json: JSONValue?) throws(ReactorFailure) -> IngestMessage {
        switch json?["kind"]?.string {
        case "upload":
            guard let name = json?["name"]?.string, NameRules.isUploadName(name) else {
                throw ReactorFailure(.refused, "/name: must be the name of an upload in the inbox")
            }
            return .upload(name: name, force: json?["force"]?.bool ?? false)
        case "job":
            guard let uuid = json?["uuid"]?.string.flatMap(TypedUUID.normalized) else {
                throw ReactorFailure(.refused, "/uuid: must be the UUID of a job")
            }
            let subject = json?["data"]?["job_data"]
            let upload = subject?["upload"]?.string.map { UploadDocument.id($0, subject?["number"]?.int ?? 1) }
            return .job(JobID(uuid), upload: upload)
        case "rerun":
            guard let upload = json?["upload"]?.string, !upload.isEmpty else {
                throw ReactorFailure(.refused, "/upload: must be the id of an upload, as the list of uploads has it")
            }
            return .rerun(
                upload: upload, file: json?["file"]?.string, onlyFailed: json?["failed"]?.bool ?? false)
        case "removed":
            guard let upload = json?["upload"]?.string, let key = json?["key"]?.string,
                let action = json?["action"]?.string, let plan = json?["plan"]?.string
            else { throw ReactorFailure(.refused, "/upload: upload, key, action and plan must be texts") }
            return .removed(upload: upload, key: ExecutionID(key), action: action, plan: plan)
        case "lists": return .lists
        case "bring": return try bring(json)
        case "refresh": return .refresh(set: json?["set"]?.string)
        case nil where json?["path"] != nil: return try bring(json)
        case "fetch": return try fetch(json)
        case nil where json?["url"] != nil: return try fetch(json)
        case let kind?: return .question(try IngestQuestion.decode(kind, json ?? .null))
        case nil:
            throw ReactorFailure(
                .refused, "/kind: must be upload, job, rerun, plan, render, names, chain, or give uuid and path or url")
        }
    }

    private static func fetch(_ json: JSONValue?) throws(ReactorFailure) -> IngestMessage {
        guard let name = json?["uuid"]?.string, NameRules.isUploadName(name) else {
            throw ReactorFailure(
                .refused, "/uuid: must be a name of letters, digits and ._-+=@, with no leading dot, at most 200 bytes")
        }
        guard let url = json?["url"]?.string, url.utf8.count <= 8192,
            url.hasPrefix("https://") || url.hasPrefix("http://")
        else { throw ReactorFailure(.refused, "/url: must be an address that begins with https:// or http://") }
        let digest = json?["sha256"]?.string
        if let digest, Hexadecimal.bytes(digest)?.count != 32 {
            throw ReactorFailure(.refused, "/sha256: must be 64 hexadecimal digits")
        }
        let force = json?["force"]?.bool ?? false
        return .fetch(RemoteUpload(url: url, name: name, sha256: digest, force: force))
    }

    private static func bring(_ json: JSONValue?) throws(ReactorFailure) -> IngestMessage {
        guard let name = json?["uuid"]?.string ?? json?["name"]?.string, NameRules.isUploadName(name) else {
            throw ReactorFailure(
                .refused, "/uuid: must be a name of letters, digits and ._-+=@, with no leading dot, at most 200 bytes")
        }
        guard let path = json?["path"]?.string, path.hasPrefix("/"), path.utf8.count <= 4096,
            !path.utf8.contains(0)
        else { throw ReactorFailure(.refused, "/path: must be an absolute path on the daemon's machine") }
        return .bring(
            name: name, path: path, force: json?["force"]?.bool ?? false, isListed: json?["listed"]?.bool ?? false)
    }
}

/// What can be asked without anything being done.
package enum IngestQuestion: Sendable, Equatable {
    /// Which job files would run for an upload of this name, in order.
    case plan(UploadFacts, tree: [String]?, file: String?)
    /// The same for uploads that are there: what `file` would do for each of them.
    case backfill(file: String, uploads: [String])
    /// A job file's text as it would be submitted.
    case render(text: String, uuid: String, mode: JobTemplate.Mode?, variables: [String: String])
    /// Which uploads the keys of a bucket are.
    case names([String])
    /// What a message does to a chain file.
    case chain(csv: String, updates: [[(word: String, rows: [Int])]], asOriginal: Bool)
    /// How the later listener would call a job, and where it looks for an upload.
    case listener(name: String, index: Int?, asOriginal: Bool)

    package static func == (left: Self, right: Self) -> Bool { String(describing: left) == String(describing: right) }

    static func decode(_ kind: String, _ json: JSONValue) throws(ReactorFailure) -> IngestQuestion {
        func text(_ name: String) throws(ReactorFailure) -> String {
            guard let text = json[name]?.string else { throw ReactorFailure(.refused, "/\(name): must be text") }
            return text
        }
        func texts(_ name: String) -> [String] { (json[name]?.array ?? []).compactMap(\.string) }
        switch kind {
        case "plan":
            if let file = json["file"]?.string, json["uploads"] != nil {
                return .backfill(file: file, uploads: texts("uploads"))
            }
            let files = texts("files")
            let facts = UploadFacts(
                name: try text(json["uuid"] == nil ? "name" : "uuid"), files: files,
                bytes: Int64(json["bytes"]?.int ?? 0), metadata: json["metadata"] ?? .null)
            return .plan(facts, tree: json["tree"].map(Self.tree), file: json["file"]?.string)
        case "render":
            let mode = try json["mode"].map { (value) throws(ReactorFailure) in
                guard let mode = value.string.flatMap(JobTemplate.Mode.init(rawValue:)) else {
                    throw ReactorFailure(.refused, "/mode: must be uuid or envsubst")
                }
                return mode
            }
            var variables: [String: String] = [:]
            for member in json["variables"]?.object ?? [] { variables[member.name] = member.value.string }
            let uuid = json["uuid"]?.string ?? variables["UUID"] ?? ""
            return .render(text: try text("text"), uuid: uuid, mode: mode, variables: variables)
        case "names": return .names(texts("keys"))
        case "chain":
            let updates = json["updates"]?.array ?? json["update"].map { [$0] } ?? []
            return .chain(
                csv: try text("csv"), updates: updates.map(Self.update),
                asOriginal: json["as_original"]?.bool ?? false)
        case "listener":
            return .listener(
                name: try text("name"), index: json["index"]?.int, asOriginal: json["as_original"]?.bool ?? false)
        default:
            throw ReactorFailure(
                .refused, "/kind: must be upload, job, rerun, bring, refresh, plan, render, names, chain or listener")
        }
    }

    private static func update(_ json: JSONValue) -> [(word: String, rows: [Int])] {
        (json.object ?? []).map { ($0.name, ($0.value.array ?? []).compactMap(\.int)) }
    }

    /// `{"jobs/ephys": ["b.yaml"]}` as paths below the folder of job files; a leading `jobs/` is left off.
    private static func tree(_ json: JSONValue) -> [String] {
        (json.object ?? []).flatMap { folder in
            let parts = folder.name.split(separator: "/").map(String.init)
            let base = (parts.first == "jobs" ? Array(parts.dropFirst()) : parts)
            return (folder.value.array ?? []).compactMap(\.string).map { (base + [$0]).joined(separator: "/") }
        }
    }
}
