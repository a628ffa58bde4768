package import ActorCore

/// What is kept of a job while an engine has it: little, for the watch reads all of them; the order lies beside.
package struct EngineJobDocument: Sendable, Equatable {
    package static let kind = EngineJobNote.kind
    /// The message that ordered the job, under the same id.
    package static let orderKind = "engine-order"

    package let job: JobID
    package let engine: String
    /// Job and attempt in a form that every engine takes.
    package let title: String
    /// The execution whose run folder the job uses.
    package let execution: ExecutionID
    /// Folder of its logs, absolute.
    package let logs: String
    package var machine: RemoteJobMachine
    /// The last thing that the watch saw and that was handled.
    package var seen: String
    /// Counts what was handled; a message for an earlier state is out of date.
    package var revision: Int

    package init(
        job: JobID, engine: String, title: String, execution: ExecutionID, logs: String, machine: RemoteJobMachine
    ) {
        self.job = job
        self.engine = engine
        self.title = title
        self.execution = execution
        self.logs = logs
        self.machine = machine
        self.seen = ""
        self.revision = 1
    }

    package var run: EngineRun {
        EngineRun(
            job: job, attempt: machine.attempt, name: EngineRun.name(title, job: job, attempt: machine.attempt),
            id: machine.id, logs: logs)
    }

    /// What the watch of the engine is to know.
    package var note: EngineJobNote {
        EngineJobNote(
            engine: engine, run: run, isFollowed: machine.isFollowed, isOpen: machine.isOpen, wake: machine.wake,
            seen: seen, revision: revision)
    }

    package var json: JSONValue {
        note.json.setting("title", .string(title)).setting("execution", .string(execution.rawValue))
            .setting("machine", machine.json)
    }

    /// Nil when it is not what ``json`` wrote.
    package init?(json: JSONValue) {
        guard let note = EngineJobNote(json: json), let title = json["title"]?.string,
            let execution = json["execution"]?.string,
            let machine = json["machine"].flatMap(RemoteJobMachine.init(json:))
        else { return nil }
        self.init(
            job: note.run.job, engine: note.engine, title: title, execution: ExecutionID(execution),
            logs: note.run.logs, machine: machine)
        seen = note.seen
        revision = note.revision
    }
}
