package import ActorCore

/// What a job's callback URL was called with, before it is known what that means: the pipeline says by which table.
package struct CallbackMessage: Sendable, Equatable {
    package var uuid: JobID
    package var token: String?
    /// `event=` of the URL.
    package var event: String?
    /// `status=` or `state=` of the URL.
    package var status: String?
    /// `map=` of the URL: the table to read the status by.
    package var map: String?
    /// `persistent=true` of the URL: record what is said again, again.
    package var isPersistent = false
    /// The whole body.
    package var data: JSONValue
    package var note: String?

    package init(uuid: JobID, token: String?, data: JSONValue) {
        self.uuid = uuid
        self.token = token
        self.data = data
    }
}

/// Decides what a callback means.
package struct JobCallbackReader: Sendable {
    package enum Outcome: Sendable, Equatable {
        /// `status` is to be remembered with it, so that it is not recorded again.
        case event(PipelineJobMessage.Event, status: String?)
        /// The platform said so before.
        case repeated(status: String)
        /// The table says that this is no news of the job.
        case nothing(status: String)
        case unclear
    }

    package let map: CallbackMap
    /// Statuses of the job so far, the latest last.
    package let seen: [String]
    /// Bytes of data that an event may carry.
    package let maxDataBytes: Int

    package init(map: CallbackMap, seen: [String], maxDataBytes: Int) {
        self.map = map
        self.seen = seen
        self.maxDataBytes = maxDataBytes
    }

    package func read(_ message: CallbackMessage) -> Outcome {
        // An event that is named says all; a table that is named, or the body, may say more.
        let reading = map.read(status: message.status, body: message.data)
        let named = message.event.flatMap { $0.isEmpty ? nil : $0 }
        let isStatusFirst = !map.eventFirst && message.status != nil && reading?.event != nil
        if let named, !isStatusFirst { return .event(event(named, message), status: nil) }
        guard let reading else { return .unclear }
        guard let event = reading.event else { return .nothing(status: reading.status) }
        if !message.isPersistent, map.isRepeat(reading.status, seen: seen) { return .repeated(status: reading.status) }
        return .event(self.event(event, message), status: reading.status)
    }

    private func event(_ name: String, _ message: CallbackMessage) -> PipelineJobMessage.Event {
        var data = message.data
        if data.isNull, let note = message.note { data = ["note": .string(note)] }
        return PipelineJobMessage.Event(uuid: message.uuid, name: name, token: message.token, data: bounded(data))
    }

    /// The job has moved whatever the platform sent along: what is too long is told by its size and hash. The body
    /// itself is not kept.
    private func bounded(_ data: JSONValue) -> JSONValue {
        let bytes = JSONWriter.bytes(data)
        guard bytes.count > maxDataBytes else { return data }
        return [
            "omitted": "the body is longer than an event's data may be", "bytes": JSONValue(bytes.count),
            "limit": JSONValue(maxDataBytes), "sha256": .string(Fingerprint.sha256(bytes)),
        ]
    }
}
