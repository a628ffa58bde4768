package import ActorCore

/// What is known of one upload: where it came from, which jobs it led to, how far they are.
package struct UploadDocument: Sendable, Equatable {
    package static let kind = "upload"
    /// Files that are named one by one; of more only the number is kept.
    static let maxFiles = 1000

    /// Repeats of an upload that are named one by one; the last ones.
    static let maxDuplicates = 100

    /// How far its analysis is. `receiving` and `settling` come before: the upload is in the inbox then and has no
    /// document.
    package enum State: String, Sendable {
        /// Some of its jobs go on.
        case running
        /// All of its jobs ended well, or none applied.
        case done
        /// None of its jobs ended well, or its only job files are invalid.
        case failed
        /// Some of its job files led to an end that is good, others did not.
        case partlyFailed = "partly_failed"
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
        /// Why it did not end by itself.
        package var reason: String?
        package var run: Int
        /// Where the job file came from, when it is not the actor's own folder.
        package var commit: String?
    }

    /// A job file that waits for others to end well.
    package struct Waiting: Sendable, Equatable {
        package var file: String
        package var name: String
        package var after: [String]
        /// What will run, as the file was when the upload was taken.
        package var spec: JobSpec
        package var sha256: String
        package var commit: String?
        /// Why it cannot start as things stand; it can when a new run of what it waits for ends well.
        package var blocked: String?
    }

    /// The same content, uploaded again: nothing ran.
    package struct Duplicate: Sendable, Equatable {
        package var upload: String
        package var received: String
        package var execution: ExecutionID
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

    /// Its files went by a plan of the retention.
    package struct Removal: Sendable, Equatable {
        /// `archive`: a copy lies in the object store; `delete`.
        package let action: String
        package let plan: String
        package let at: String

        package init(action: String, plan: String, at: String) {
            self.action = action
            self.plan = plan
            self.at = at
        }
    }

    package let upload: String
    package let number: Int
    /// Under which key its files were claimed: the first execution, or that of the upload that brought them back.
    package internal(set) var execution: ExecutionID
    /// The name that its files lie under: its own, or that under which they came back.
    package internal(set) var place: String
    package var state: State
    package let received: String
    package var finished: String?
    package let bytes: Int64
    package let fileCount: Int
    package let files: JSONValue
    /// Of the content, whatever the upload is called.
    package let sha256: String
    /// What `metadata.json` holds.
    package let metadata: JSONValue?
    /// Why its archive could not be unpacked; no job file runs then.
    package let problem: String?
    /// What was left out of its archive.
    package let notes: [String]
    /// The folder of job files that the rule chose for it.
    package var folder: String?
    /// 1 is the first; each "rerun" counts.
    package var run: Int
    /// The execution that went through the job files last: a repeat of it after a crash changes nothing.
    package var lastChange: ExecutionID?
    package var jobs: [Job] = []
    package var waiting: [Waiting] = []
    package var duplicates: [Duplicate] = []
    package var invalid: [Invalid] = []
    package var skipped: [Skipped] = []
    package internal(set) var removal: Removal?

    /// The upload's name; `<name>.<number>` when the name was there before.
    package var id: String { Self.id(upload, number) }
    package var modality: Modality? { Modality(uuid: upload) }

    package static func id(_ upload: String, _ number: Int) -> String {
        number == 1 ? upload : "\(upload).\(number)"
    }

    /// - Parameter version: which content of this name it is, from 1.
    package init(
        _ claimed: ClaimedUpload, version: Int, sha256: String, execution: ExecutionID, received: Timestamp
    ) {
        self.upload = claimed.name
        self.place = claimed.name
        self.number = version
        self.sha256 = sha256
        self.metadata = claimed.metadata
        self.problem = claimed.problem
        self.notes = claimed.notes
        self.execution = execution
        self.state = .running
        self.received = received.iso8601
        self.bytes = claimed.files.reduce(0) { $0 + $1.bytes }
        self.fileCount = claimed.files.count
        self.files = .array(claimed.files.prefix(Self.maxFiles).map(\.json))
        self.run = 1
    }

    /// Forgets what the job files (or some of them) led to before, so that they can be gone through again.
    package mutating func clear(_ isMeant: (String) -> Bool) {
        jobs.removeAll { isMeant($0.file) }
        waiting.removeAll { isMeant($0.file) }
        invalid.removeAll { isMeant($0.file) }
        skipped.removeAll { isMeant($0.file) }
    }

    /// Job files whose latest job failed, or that could not be read.
    package var failedFiles: Set<String> {
        Set(jobs.filter { Self.hasFailed($0.status) }.map(\.file) + invalid.map(\.file))
    }

    /// False when the job is none of this upload's latest.
    package mutating func update(_ job: JobID, status: PipelineJobState, now: Timestamp) -> Bool {
        guard let index = jobs.firstIndex(where: { $0.uuid == job }) else { return false }
        jobs[index].status = status.rawValue
        settle(now: now)
        return true
    }

    /// The job was taken out of the catalogue. What it had come to before stays; one that had not ended has failed.
    /// False when it is none of this upload's latest.
    package mutating func lose(_ gone: DeletedJob, now: Timestamp) -> Bool {
        guard let index = jobs.firstIndex(where: { $0.uuid == gone.uuid }) else { return false }
        guard Self.isOpen(jobs[index].status) else { return true }
        guard Self.isOpen(gone.status.rawValue) else { return update(gone.uuid, status: gone.status, now: now) }
        jobs[index].reason = "\(gone.action == "cancel" ? "cancelled" : "deleted") by \(gone.by)"
        return update(gone.uuid, status: .failed, now: now)
    }

    package mutating func note(_ duplicate: Duplicate) {
        guard !duplicates.contains(where: { $0.execution == duplicate.execution }) else { return }
        duplicates = (duplicates + [duplicate]).suffix(Self.maxDuplicates)
    }

    /// False when these files are not the ones that its jobs are given.
    package mutating func remove(_ removal: Removal, key: ExecutionID) -> Bool {
        guard key == execution else { return false }
        self.removal = removal
        return true
    }

    /// The same content came again, under this key and name, after its files had been removed.
    package mutating func restore(under key: ExecutionID, as name: String) {
        execution = key
        place = name
        removal = nil
    }

    /// Why its jobs cannot run again; nil when they can.
    package var whyGone: String? {
        removal.map { removal in
            let copy = removal.action == "archive" ? " (a copy lies in the object store)" : ""
            return "its files were removed at \(removal.at) by \(removal.plan)\(copy): upload them again"
        }
    }

    private static func isOpen(_ status: String) -> Bool {
        ["CREATED", "RUNNING", "RESET"].contains(status)
    }

    private static func hasFailed(_ status: String) -> Bool { ["FAILED", "REJECTED"].contains(status) }

    /// What a job file of this upload has come to, for those that wait for it.
    package func standing(of file: String) -> JobFileOrder.Standing {
        if let job = jobs.first(where: { $0.file == file }) {
            if Self.isOpen(job.status) { return .underWay }
            return Self.hasFailed(job.status) ? .stopped("whose job is \(job.status)") : .succeeded
        }
        if let waiting = waiting.first(where: { $0.file == file }) {
            return waiting.blocked == nil ? .underWay : .stopped("which cannot start")
        }
        if skipped.contains(where: { $0.file == file }) { return .stopped("which is not for this upload") }
        if invalid.contains(where: { $0.file == file }) { return .stopped("which is invalid") }
        return .stopped("which is not there")
    }

    /// Takes out what may start now, and marks what cannot.
    package mutating func release() -> [Waiting] {
        var started: [Waiting] = []
        // Blocking one may block those behind it.
        for _ in 0...waiting.count {
            let before = waiting
            for index in waiting.indices {
                switch JobFileOrder.verdict(after: waiting[index].after, { standing(of: $0) }) {
                case .start: waiting[index].blocked = nil
                case .wait: waiting[index].blocked = nil
                case .blocked(let reason): waiting[index].blocked = reason
                }
            }
            if waiting == before { break }
        }
        for item in waiting where JobFileOrder.verdict(after: item.after, { standing(of: $0) }) == .start {
            started.append(item)
        }
        waiting.removeAll { item in started.contains { $0.file == item.file } }
        return started
    }

    /// How many of its job files have come to what.
    package var counts: JSONValue {
        let open = jobs.count { Self.isOpen($0.status) }
        let failed = jobs.count { Self.hasFailed($0.status) }
        return [
            "jobs": JSONValue(jobs.count), "running": JSONValue(open),
            "succeeded": JSONValue(jobs.count - open - failed), "failed": JSONValue(failed),
            "waiting": JSONValue(waiting.count { $0.blocked == nil }),
            "blocked": JSONValue(waiting.count { $0.blocked != nil }),
            "invalid": JSONValue(Set(invalid.map(\.file)).count), "skipped": JSONValue(skipped.count),
        ]
    }

    /// Decides the state from what the jobs are. True when this brought the upload to its end.
    @discardableResult
    package mutating func settle(now: Timestamp) -> Bool {
        let wasOver = finished != nil
        let isUnderWay = jobs.contains { Self.isOpen($0.status) } || waiting.contains { $0.blocked == nil }
        guard !isUnderWay else {
            state = .running
            finished = nil
            return false
        }
        let failures = jobs.count { Self.hasFailed($0.status) }
        let hasTrouble = failures > 0 || !invalid.isEmpty || !waiting.isEmpty || problem != nil
        state = !hasTrouble ? .done : jobs.count > failures ? .partlyFailed : .failed
        finished = finished ?? now.iso8601
        return !wasOver
    }
}
