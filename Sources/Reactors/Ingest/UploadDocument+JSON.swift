package import ActorCore

extension UploadDocument {
    package var json: JSONValue {
        [
            "upload": .string(upload), "number": JSONValue(number), "state": .string(state.rawValue),
            "received": .string(received), "finished": JSONValue(finished), "bytes": .int(bytes),
            "modality": JSONValue(modality?.rawValue), "folder": JSONValue(folder), "run": JSONValue(run),
            "sha256": .string(sha256), "metadata": metadata ?? .null, "counts": counts,
            "problem": JSONValue(problem), "notes": .array(notes.map { .string($0) }),
            "jobs": .array(jobs.map(\.json)), "waiting": .array(waiting.map(\.json)),
            "invalid": .array(invalid.map(\.json)), "duplicates": .array(duplicates.map(\.json)),
            "skipped": .array(skipped.map { ["file": .string($0.file), "reason": .string($0.reason)] }),
            "file_count": JSONValue(fileCount), "files": files, "execution_id": .string(execution.rawValue),
            "place": .string(place), "removed": removal?.json ?? .null, "last_change": JSONValue(lastChange?.rawValue),
        ]
    }

    /// Nil when it is not what ``json`` wrote.
    package init?(json: JSONValue) {
        guard let upload = json["upload"]?.string, let number = json["number"]?.int,
            let execution = json["execution_id"]?.string, let state = State(stored: json["state"]?.string ?? ""),
            let received = json["received"]?.string
        else { return nil }
        self.upload = upload
        self.number = number
        self.execution = ExecutionID(execution)
        self.state = state
        self.received = received
        self.finished = json["finished"]?.string
        self.bytes = Int64(json["bytes"]?.int ?? 0)
        self.fileCount = json["file_count"]?.int ?? 0
        self.files = json["files"] ?? .array([])
        self.sha256 = json["sha256"]?.string ?? ""
        self.metadata = json["metadata"]
        self.problem = json["problem"]?.string
        self.notes = (json["notes"]?.array ?? []).compactMap(\.string)
        self.folder = json["folder"]?.string
        self.removal = json["removed"].flatMap(Removal.init(json:))
        self.run = json["run"]?.int ?? 1
        self.lastChange = json["last_change"]?.string.map { ExecutionID($0) }
        self.waiting = (json["waiting"]?.array ?? []).compactMap(Waiting.init(json:))
        self.duplicates = (json["duplicates"]?.array ?? []).compactMap(Duplicate.init(json:))
        // Documents of earlier versions name it only in the list of repeats.
        self.place =
            json["place"]?.string ?? duplicates.last { $0.execution.rawValue == execution }?.upload ?? upload
        self.jobs = (json["jobs"]?.array ?? []).compactMap(Job.init(json:))
        self.invalid = (json["invalid"]?.array ?? []).map(Invalid.init(json:))
        self.skipped = (json["skipped"]?.array ?? []).map {
            Skipped(file: $0["file"]?.string ?? "", reason: $0["reason"]?.string ?? "")
        }
    }
}

extension UploadDocument.State {
    /// Documents of the first version said `processing`.
    fileprivate init?(stored text: String) {
        self.init(rawValue: text == "processing" ? "running" : text)
    }
}

extension UploadDocument.Waiting {
    fileprivate var json: JSONValue {
        [
            "file": .string(file), "name": .string(name), "after": .array(after.map { .string($0) }),
            "spec": spec.json, "sha256": .string(sha256), "commit": JSONValue(commit),
            "blocked": JSONValue(blocked),
        ]
    }

    fileprivate init?(json: JSONValue) {
        guard let file = json["file"]?.string, let spec = json["spec"],
            let checked = try? JobSpec(json: spec, at: "/spec")
        else { return nil }
        self.init(
            file: file, name: json["name"]?.string ?? file,
            after: (json["after"]?.array ?? []).compactMap(\.string), spec: checked,
            sha256: json["sha256"]?.string ?? "", commit: json["commit"]?.string,
            blocked: json["blocked"]?.string)
    }
}

extension UploadDocument.Duplicate {
    fileprivate var json: JSONValue {
        [
            "upload": .string(upload), "received": .string(received),
            "execution_id": .string(execution.rawValue),
        ]
    }

    fileprivate init?(json: JSONValue) {
        guard let upload = json["upload"]?.string, let execution = json["execution_id"]?.string else { return nil }
        self.init(upload: upload, received: json["received"]?.string ?? "", execution: ExecutionID(execution))
    }
}

extension UploadDocument.Removal {
    fileprivate var json: JSONValue { ["action": .string(action), "plan": .string(plan), "at": .string(at)] }

    fileprivate init?(json: JSONValue) {
        guard let action = json["action"]?.string, let plan = json["plan"]?.string, let at = json["at"]?.string
        else { return nil }
        self.init(action: action, plan: plan, at: at)
    }
}

extension UploadDocument.Job {
    fileprivate var json: JSONValue {
        let value: JSONValue = [
            "file": .string(file), "name": .string(name), "job_name": .string(jobName),
            "uuid": .string(uuid.rawValue), "status": .string(status), "run": JSONValue(run),
        ]
        let reasoned = reason.map { value.setting("reason", .string($0)) } ?? value
        return commit.map { reasoned.setting("commit", .string($0)) } ?? reasoned
    }

    fileprivate init?(json: JSONValue) {
        guard let uuid = json["uuid"]?.string else { return nil }
        self.init(
            file: json["file"]?.string ?? "", name: json["name"]?.string ?? "",
            jobName: json["job_name"]?.string ?? "", uuid: JobID(uuid), status: json["status"]?.string ?? "",
            reason: json["reason"]?.string, run: json["run"]?.int ?? 1, commit: json["commit"]?.string)
    }
}

extension UploadDocument.Invalid {
    init(json: JSONValue) {
        self.init(file: json["file"]?.string ?? "", line: json["line"]?.int, reason: json["reason"]?.string ?? "")
    }

    var json: JSONValue {
        ["file": .string(file), "line": JSONValue(line), "reason": .string(reason)]
    }
}

extension LabFile {
    var json: JSONValue {
        ["path": .string(path), "bytes": .int(bytes), "sha256": .string(sha256)]
    }

    init?(json: JSONValue) {
        guard let path = json["path"]?.string, let sha256 = json["sha256"]?.string else { return nil }
        self.init(path: path, bytes: Int64(json["bytes"]?.int ?? 0), sha256: sha256)
    }
}
