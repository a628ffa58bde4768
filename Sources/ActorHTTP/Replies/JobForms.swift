import ActorAPI
import ActorCore

/// The shapes in which a job and its history can be asked for: as the first generation wrote them (the default), as
/// the second did, or with all that is kept.
enum JobForm: String, CaseIterable {
    case first = "1"
    case second = "2"
    case full

    /// As `?form=` says; `generation` is taken as well.
    init(_ query: FormItems) throws(ActorError) {
        guard let word = query.first("form") ?? query.first("generation"), !word.isEmpty else {
            self = .first
            return
        }
        guard let form = JobForm(rawValue: word) else {
            throw ActorError(
                .invalidInput, "form must be 1, 2 or full",
                details: [ActorError.Detail(place: "form", problem: "\"\(word.prefix(32))\" is none")])
        }
        self = form
    }

    /// What happened, in order.
    func history(_ lines: [JobLedgerLine]) -> JSONValue {
        .array(lines.filter { $0.entry.refusal == nil }.map(line))
    }

    /// What was refused, in order.
    func refused(_ lines: [JobLedgerLine]) -> JSONValue {
        .array(lines.filter { $0.entry.refusal != nil }.map(line))
    }

    private func line(_ line: JobLedgerLine) -> JSONValue {
        let entry = line.entry
        switch self {
        case .first:
            var body: JSONValue = ["date": .string(entry.date.catalogue), "data": entry.data]
            if let reason = entry.refusal { body = body.setting("reason", .string(reason)) }
            return .object([JSONValue.Member(entry.name.uppercased(), body)])
        case .second:
            var body: JSONValue = [
                "name": .string(entry.name), "date": .string(entry.date.wholeSeconds), "data": entry.data,
                "uuid": .string(line.uuid),
            ]
            if let reason = entry.refusal { body = body.setting("reason", .string(reason)) }
            return body
        case .full: return HistoryPayload(line).json
        }
    }

    func job(_ payload: JobPayload, _ record: JobRecord) -> JSONValue {
        switch self {
        case .first: payload.json
        case .second: second(payload, record)
        case .full: payload.json.setting("last_event", .string(record.lastEvent.rawValue))
        }
    }

    /// The record of the second generation (PipelineJobs, section 5.2), as far as it is kept here.
    private func second(_ payload: JobPayload, _ record: JobRecord) -> JSONValue {
        var value: JSONValue = [
            "uuid": .string(payload.uuid), "pipeline_uuid": .string(payload.pipelineUUID),
            "archive_path": .string(record.path), "data": record.data, "session": .string(record.session),
            "state": .string(record.status.rawValue), "last_event": .string(record.lastEvent.rawValue),
            "updated": .string(record.updated.wholeSeconds), "history": payload.history ?? .null,
            "child_of": .array((record.childOf ?? []).map { .string($0) }),
            "generated_by": [.string(record.pipeline.rawValue)],
            "_properties": [
                "created_date": .string(record.created.wholeSeconds),
                "modified_date": .string(record.updated.wholeSeconds), "revision": JSONValue(record.revision),
            ],
            "_admin": ["owner": .string(record.owner)], "_visible": true,
        ]
        for (name, member) in [("callback", payload.callback), ("token", payload.token)] {
            if let member { value = value.setting(name, .string(member)) }
        }
        return payload.history == nil ? value.removing("history") : value
    }
}

extension Timestamp {
    /// `2018-09-18T01:50:15.284+0000`, as the catalogue's first generation wrote a moment.
    fileprivate var catalogue: String { "\(iso8601.dropLast())+0000" }

    /// The second generation kept whole seconds.
    fileprivate var wholeSeconds: String {
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        return Timestamp(milliseconds: (rest < 0 ? seconds - 1 : seconds) * 1000).catalogue
    }
}

extension HistoryPayload {
    init(_ line: JobLedgerLine) {
        let entry = line.entry
        self.init(
            name: entry.name, date: entry.date.iso8601, data: entry.data, executionID: entry.execution?.rawValue,
            reason: entry.refusal, number: line.number, hash: line.hash, uuid: line.uuid)
    }
}

extension JobPayload {
    init(
        _ record: JobRecord, history: JSONValue?, callback: String?, isTrusted: Bool, archiveFolder: String?
    ) {
        self.init(
            uuid: record.uuid.rawValue, pipelineUUID: record.pipeline.rawValue,
            generation: record.generation.rawValue, status: record.status.rawValue,
            lastEvent: record.lastEvent.rawValue.uppercased(), history: history, path: record.path, data: record.data,
            childOf: record.childOf, subject: record.subject, actorID: record.actor?.rawValue,
            executionID: record.execution?.rawValue, session: record.session, owner: record.owner,
            created: record.created.iso8601, updated: record.updated.iso8601, started: record.started?.iso8601,
            revision: record.revision, callback: callback, token: isTrusted ? record.token : nil,
            tokenExpires: isTrusted ? record.key.expires?.iso8601 : nil, archiveFolder: archiveFolder)
    }
}
