package import ActorCore

/// What is known of a set of job files: which version is used, and what is wrong with it.
package struct JobSetDocument: Sendable, Equatable {
    package static let kind = "job-set"
    static let maxProblems = 200

    package let name: String
    /// Its folder, or the address of its repository.
    package var source: String
    package var branch: String?
    package var path: String?
    /// The commit whose job files run; nil for a folder, and before the first fetch.
    package var commit: String?
    package var files: Int
    package var invalid: [UploadDocument.Invalid]
    /// When it was looked at last, and when what is in it changed.
    package var checked: String?
    package var changed: String?
    /// Why the last look failed; what was there before goes on being used.
    package var error: String?

    package init(_ set: IngestSettings.JobSet) {
        name = set.name
        files = 0
        invalid = []
        switch set.source {
        case .folder(let folder): source = folder
        case .repository(let repository):
            source = repository.url
            branch = repository.branch
            path = repository.path
        }
    }

    /// Whether it is that of this source: another address or branch is another set, whatever its name.
    func isOf(_ set: IngestSettings.JobSet) -> Bool {
        let other = JobSetDocument(set)
        return source == other.source && branch == other.branch && path == other.path
    }

    /// Whether it was looked at so recently that it need not be again.
    func isFresh(now: Timestamp, milliseconds: Int64) -> Bool {
        guard error == nil, let moment = checked.flatMap(Timestamp.init(iso8601:)) else { return false }
        return (0..<milliseconds).contains(now.since(moment))
    }
}

extension JobSetDocument {
    package var json: JSONValue {
        [
            "name": .string(name), "source": .string(source), "branch": JSONValue(branch), "path": JSONValue(path),
            "commit": JSONValue(commit), "files": JSONValue(files),
            "invalid": .array(invalid.prefix(Self.maxProblems).map(\.json)),
            "state": .string(error != nil ? "unreachable" : invalid.isEmpty ? "good" : "invalid"),
            "checked": JSONValue(checked), "changed": JSONValue(changed), "error": JSONValue(error),
        ]
    }

    package init?(json: JSONValue) {
        guard let name = json["name"]?.string, let source = json["source"]?.string else { return nil }
        self.name = name
        self.source = source
        branch = json["branch"]?.string
        path = json["path"]?.string
        commit = json["commit"]?.string
        files = json["files"]?.int ?? 0
        invalid = (json["invalid"]?.array ?? []).map(UploadDocument.Invalid.init(json:))
        checked = json["checked"]?.string
        changed = json["changed"]?.string
        error = json["error"]?.string
    }
}
