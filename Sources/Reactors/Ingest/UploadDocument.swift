package import ActorCore

/// What is known of one upload: where it came from, which jobs it led to, how far they are.
package struct UploadDocument: Sendable, Equatable {
    package static let kind = "upload"
    /// Files that are named one by one; of more only the number is kept.
    static let maxFiles = 1000

    /// How far its analysis is.
    package enum State: String, Sendable {
        /// Some of its jobs go on.
        case processing
        /// All of its jobs ended well, or none applied.
        case done
        /// One of its jobs failed, or its only job files are invalid.
        case failed
    }

    /// A job of the upload: the latest run of one job file.
    package struct Job: Sendable, Equatable {
        package var file: String
        /// As the file says it.
        package var name: String
        /// As engines take it.
        package var jobName: String
        package var uuid: JobID
        package var status: String
        package var run: Int
    }

    /// One thing that is wrong with a job file, for whoever wrote it.
    package struct Invalid: Sendable, Equatable {
        package var file: String
        package var line: Int?
        package var reason: String
    }

    /// A job file that does not apply to this upload, and why.
    package struct Skipped: Sendable, Equatable {
        package var file: String
        package var reason: String
    }

    package let upload: String
    package let number: Int
    /// Under which key it was claimed: the first execution.
    package let execution: ExecutionID
    package var state: State
    package let received: String
    package var finished: String?
    package let bytes: Int64
    package let fileCount: Int
    package let files: JSONValue
    /// 1 is the first; each "rerun" counts.
    package var run: Int
    package var jobs: [Job] = []
    package var invalid: [Invalid] = []
    package var skipped: [Skipped] = []

    /// The upload's name; `<name>.<number>` when the name was there before.
    package var id: String { Self.id(upload, number) }
    package var modality: Modality? { Modality(uuid: upload) }

    package static func id(_ upload: String, _ number: Int) -> String {
        number == 1 ? upload : "\(upload).\(number)"
    }

    package init(_ claimed: ClaimedUpload, execution: ExecutionID, received: Timestamp) {
        self.upload = claimed.name
        self.number = claimed.number
        self.execution = execution
        self.state = .processing
        self.received = received.iso8601
        self.bytes = claimed.files.reduce(0) { $0 + $1.bytes }
        self.fileCount = claimed.files.count
        self.files = .array(claimed.files.prefix(Self.maxFiles).map(\.json))
        self.run = 1
    }

    /// Forgets what the job files (or one of them) led to before, so that they can be gone through again.
    package mutating func clear(file: String?) {
        jobs.removeAll { file == nil || $0.file == file }
        invalid.removeAll { file == nil || $0.file == file }
        skipped.removeAll { file == nil || $0.file == file }
    }

    /// False when the job is none of this upload's latest.
    package mutating func update(_ job: JobID, status: PipelineJobState, now: Timestamp) -> Bool {
        guard let index = jobs.firstIndex(where: { $0.uuid == job }) else { return false }
        jobs[index].status = status.rawValue
        settle(now: now)
        return true
    }

    /// Decides the state from what the jobs are.
    package mutating func settle(now: Timestamp) {
        let states = jobs.compactMap { PipelineJobState(rawValue: $0.status) }
        if states.contains(where: { [.created, .running, .reset].contains($0) }) {
            state = .processing
            finished = nil
            return
        }
        let hasFailed = states.contains(.failed) || states.contains(.rejected) || (jobs.isEmpty && !invalid.isEmpty)
        state = hasFailed ? .failed : .done
        finished = finished ?? now.iso8601
    }
}

extension UploadDocument {
    package var json: JSONValue {
        [
            "upload": .string(upload), "number": JSONValue(number), "state": .string(state.rawValue),
            "received": .string(received), "finished": JSONValue(finished), "bytes": .int(bytes),
            "modality": JSONValue(modality?.rawValue), "run": JSONValue(run),
            "jobs": .array(jobs.map(\.json)), "invalid": .array(invalid.map(\.json)),
            "skipped": .array(skipped.map { ["file": .string($0.file), "reason": .string($0.reason)] }),
            "file_count": JSONValue(fileCount), "files": files, "execution_id": .string(execution.rawValue),
        ]
    }

    /// Nil when it is not what ``json`` wrote.
    package init?(json: JSONValue) {
        guard let upload = json["upload"]?.string, let number = json["number"]?.int,
            let execution = json["execution_id"]?.string, let state = State(rawValue: json["state"]?.string ?? ""),
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
        self.run = json["run"]?.int ?? 1
        self.jobs = (json["jobs"]?.array ?? []).compactMap(Job.init(json:))
        self.invalid = (json["invalid"]?.array ?? []).map {
            Invalid(file: $0["file"]?.string ?? "", line: $0["line"]?.int, reason: $0["reason"]?.string ?? "")
        }
        self.skipped = (json["skipped"]?.array ?? []).map {
            Skipped(file: $0["file"]?.string ?? "", reason: $0["reason"]?.string ?? "")
        }
    }
}

extension UploadDocument.Job {
    fileprivate var json: JSONValue {
        [
            "file": .string(file), "name": .string(name), "job_name": .string(jobName),
            "uuid": .string(uuid.rawValue), "status": .string(status), "run": JSONValue(run),
        ]
    }

    fileprivate init?(json: JSONValue) {
        guard let uuid = json["uuid"]?.string else { return nil }
        self.init(
            file: json["file"]?.string ?? "", name: json["name"]?.string ?? "",
            jobName: json["job_name"]?.string ?? "", uuid: JobID(uuid), status: json["status"]?.string ?? "",
            run: json["run"]?.int ?? 1)
    }
}

extension UploadDocument.Invalid {
    fileprivate var json: JSONValue {
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
