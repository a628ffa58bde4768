/// What lies in the inbox at one moment.
package struct InboxEntry: Sendable, Equatable {
    /// The name of the file or folder, without its marker: a checked name, never a path.
    package let name: String
    /// Sum over its files.
    package let bytes: Int64
    package let files: Int
    /// Latest change of anything in it.
    package let modified: Timestamp
    /// A `<name>.done` marker lies beside it that is no older than anything in it (or `.done` in it).
    package let isMarkedDone: Bool
    /// The marker says `force`: it is analysed even when the same content was before.
    package let isForced: Bool
    /// What it says itself of its files; nil when it says nothing.
    package let manifest: InboxManifest?
    /// Why it can be no upload as it is, and what to do; nil when it can. Its name is for people then.
    package let obstacle: String?
    /// What is still to come of it over HTTP; nil when nothing is known to be.
    package let receiving: InboxReceiving?

    package init(
        name: String, bytes: Int64, files: Int, modified: Timestamp, isMarkedDone: Bool, isForced: Bool = false,
        manifest: InboxManifest? = nil, obstacle: String? = nil, receiving: InboxReceiving? = nil
    ) {
        self.receiving = receiving
        self.obstacle = obstacle
        self.name = name
        self.bytes = bytes
        self.files = files
        self.modified = modified
        self.isMarkedDone = isMarkedDone
        self.isForced = isForced
        self.manifest = manifest
    }
}

/// A list of checksums within an upload: `SHA256SUMS`, or the manifest of a BagIt bag.
package struct InboxManifest: Sendable, Equatable {
    /// Files that it names.
    package let listed: Int
    /// Those of them that are not there.
    package let missing: Int
    package let firstMissing: String?

    package init(listed: Int, missing: Int, firstMissing: String?) {
        self.listed = listed
        self.missing = missing
        self.firstMissing = firstMissing
    }
}

/// What is still to come of an upload over HTTP.
package struct InboxReceiving: Sendable, Equatable {
    /// When something came last of a file that is not whole; nil when there is no such file.
    package private(set) var part: Timestamp?
    /// When its sender said last that it will mark the upload done; nil when nobody has.
    package private(set) var open: Timestamp?

    package init(part: Timestamp? = nil, open: Timestamp? = nil) {
        self.part = part
        self.open = open
    }

    /// One more name of ``InboxParts``, last changed at `moment`.
    package mutating func note(_ kind: InboxParts.Kind, at moment: Timestamp) {
        switch kind {
        case .part: part = max(part ?? moment, moment)
        case .open: open = max(open ?? moment, moment)
        }
    }
}

/// How what is still to come of an upload is called in the inbox's folder of parts. The tilde stands in no upload's
/// name, so that no two uploads share a name here.
package enum InboxParts {
    package static let folder = ".parts"
    /// Below the folder of parts: what was brought in, and by whom.
    package static let brought = "brought"

    package enum Kind: Sendable {
        /// A file that is not whole.
        case part
        /// The note that the sender will mark the upload done.
        case open
    }

    /// - Parameter id: of the file, without a tilde.
    package static func part(of upload: String, _ id: String) -> String { "\(upload)~\(id).part" }
    package static func openNote(of upload: String) -> String { "\(upload)~open" }

    /// The upload that a name belongs to, and what it stands for.
    package static func read(_ name: String) -> (upload: String, kind: Kind)? {
        guard let tilde = name.firstIndex(of: "~") else { return nil }
        let rest = name[name.index(after: tilde)...]
        guard rest == "open" || rest.hasSuffix(".part") else { return nil }
        return (String(name[..<tilde]), rest == "open" ? .open : .part)
    }
}

/// A place in which uploads land.
package protocol Inbox: Sendable {
    /// What is there now, sorted by name; what can be no upload says why, what is still under way is left out.
    func scan() async throws(ActorError) -> [InboxEntry]
    /// Compares the files of an upload with the list that it brings: what does not agree, or nil when all does.
    func mismatch(in name: String) async throws(ActorError) -> String?
    /// A file of an upload that some program has open for writing; nil when there is none, or nobody can tell.
    func fileInWriting(in name: String) async throws(ActorError) -> String?
}

extension Inbox {
    /// An inbox that sees no lists has none to disagree with.
    package func mismatch(in name: String) async throws(ActorError) -> String? { nil }
    /// An inbox that sees no programs knows of none.
    package func fileInWriting(in name: String) async throws(ActorError) -> String? { nil }
}

/// One file of an upload or of a job's outputs.
package struct LabFile: Sendable, Equatable {
    /// Path below its folder, with slashes.
    package let path: String
    package let bytes: Int64
    /// Hex; of the content.
    package let sha256: String

    package init(path: String, bytes: Int64, sha256: String) {
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
    }
}

/// An upload that was taken out of the inbox.
package struct ClaimedUpload: Sendable, Equatable {
    /// The upload's name: the UUID of the experiment.
    package let name: String
    /// Tells this upload of that name from an earlier one: `1`, `2`, …
    package let number: Int
    /// Absolute folder with its files.
    package let folder: String
    package let files: [LabFile]
    /// What its `metadata.json` holds; nil when it has none that can be read.
    package let metadata: JSONValue?
    /// Why its archive could not be unpacked; the archive is its only file then.
    package let problem: String?
    /// What was left out of its archive.
    package let notes: [String]

    package init(
        name: String, number: Int, folder: String, files: [LabFile], metadata: JSONValue? = nil,
        problem: String? = nil, notes: [String] = []
    ) {
        self.problem = problem
        self.notes = notes
        self.metadata = metadata
        self.name = name
        self.number = number
        self.folder = folder
        self.files = files
    }
}

/// A job file as it lies below an actor's folder.
package struct JobFile: Sendable, Equatable {
    /// Path below the folder of its set, with slashes: `ephys/beats.yaml`.
    package let path: String
    package let text: [UInt8]
    /// The set it belongs to; nil for the actor's own folder.
    package let set: String?
    /// The commit it was read at, when its set is a repository.
    package let commit: String?

    /// How it is named everywhere: its path, behind the name of its set.
    package var id: String { self.set.map { "\($0):\(path)" } ?? path }

    package init(path: String, text: [UInt8], set: String? = nil, commit: String? = nil) {
        self.path = path
        self.text = text
        self.set = set
        self.commit = commit
    }

    /// The same as a member of a set.
    package func of(_ set: String, _ commit: String?) -> JobFile {
        JobFile(path: path, text: text, set: set, commit: commit)
    }
}

/// The folders of one job run.
package struct RunFolders: Sendable, Equatable {
    /// Scratch, shared by the steps of the job.
    package let work: String
    /// Its content becomes the archive.
    package let output: String
    /// Where each step's log goes.
    package let logs: String

    package init(work: String, output: String, logs: String) {
        self.work = work
        self.output = output
        self.logs = logs
    }
}

/// Files of the lab: uploads, job files, run folders, archive. Every call may be repeated after a crash.
package protocol LabFiles: Sendable {
    /// Takes an upload out of the inbox. `key` names this taking: a repeat answers what the first one took.
    func claim(_ name: String, key: String) async throws(ActorError) -> ClaimedUpload
    /// What was taken under this key, as ``claim(_:key:)`` answered it; never anything from the inbox. Throws
    /// `notFound` when nothing was, or when its files are gone.
    func held(_ name: String, key: String) async throws(ActorError) -> ClaimedUpload
    /// Copies a file or folder of this machine into the inbox, whole, and marks it done. `path` must lie below one of
    /// `allowed`, links resolved. `key` names this bringing: a repeat changes nothing. Throws `unavailable` while
    /// another upload of that name lies in the inbox.
    func bring(
        _ path: String, as name: String, allowed: [String], force: Bool, key: String
    ) async throws(ActorError)
    /// The whole lines of a file that lists uploads, without the last one if it is still being written.
    func lines(of list: String) async throws(ActorError) -> [String]
    /// All `*.yaml` and `*.yml` below `folder`/jobs, sorted by path.
    func jobFiles(in folder: String) async throws(ActorError) -> [JobFile]
    /// The same of `folder` itself. Throws `notFound` when there is no such folder.
    func jobFiles(below folder: String) async throws(ActorError) -> [JobFile]
    /// Makes the folders of a run; with `fresh`, work and output are emptied first.
    func prepareRun(_ id: String, fresh: Bool) async throws(ActorError) -> RunFolders
    /// Moves the output of a run to its archive path, all at once; a repeat answers what is there.
    func publish(_ id: String, to archivePath: String) async throws(ActorError) -> [LabFile]
    /// Shows what a job has left beside the files of its upload, as `derived/<path>`, in place of what was there. `key`
    /// is that of the upload's taking. The files are those of the archive under a second name; a repeat is no harm.
    func derive(_ archivePath: String, of name: String, key: String, as path: String) async throws(ActorError)
    /// The last `limit` bytes of a step's log.
    func tail(of logFile: String, limit: Int) async -> String
    /// The absolute folder behind an archive path.
    func archiveFolder(_ archivePath: String) -> String
}

/// A parsed YAML document with the line of every value.
package struct ParsedDocument: Sendable, Equatable {
    package let value: JSONValue
    /// JSON pointer to line (1 is the first).
    package let lines: [String: Int]

    package init(value: JSONValue, lines: [String: Int]) {
        self.value = value
        self.lines = lines
    }
}

/// Reads YAML from untrusted hands: no tags, no alias bombs, bounded size and depth, no duplicate keys.
package protocol DocumentReader: Sendable {
    /// Throws `invalidInput`; its details name `file:line`.
    func read(yaml: [UInt8], file: String) throws(ActorError) -> ParsedDocument
}
