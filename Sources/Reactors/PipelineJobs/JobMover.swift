import ActorCore

/// Moves a job from beside its manager: decided on the record as it is, committed at once, decided anew when the job
/// has moved meanwhile.
struct JobMover: Sendable {
    private static let tries = 8

    let context: any ReactorContext

    /// Answers the record as it was. Throws when the event is refused, which is recorded.
    func move(
        _ uuid: JobID, _ event: PipelineJobEvent, data: JSONValue = .null, by authority: JobAuthority
    ) async throws -> JobRecord {
        for _ in 0..<Self.tries {
            guard let record = try await context.job(uuid) else {
                throw ReactorFailure(.refused, JobRefusal.unknownJob(uuid).message)
            }
            let desk = JobDesk(
                record: record, now: context.now(), adminTokens: AdminTokens(settings: context.settings),
                execution: context.execution)
            let asked = PipelineJobMessage.Event(uuid: uuid, name: event.rawValue, token: nil, data: data)
            switch desk.verdict(on: asked, by: authority) {
            case .move(let status, let known, let change):
                context.change(change)
                try await JobTeller(context: context, settings: context.settings)
                    .moved(record, to: status, by: known, data: data)
                if try await isCommitted() { return record }
            case .refuse(let refusal, let change):
                if let change { context.change(change) }
                try await context.commit()
                context.reply(refusal.json(of: uuid))
                throw ReactorFailure(.refused, refusal.message)
            case .change: preconditionFailure("an event moves a job or is refused")
            }
        }
        throw ReactorFailure(.transient, "job \(uuid) moves all the time: \(event.rawValue) is tried again later")
    }

    /// False when somebody else was faster.
    private func isCommitted() async throws(ActorError) -> Bool {
        do throws(ActorError) {
            try await context.commit()
            return true
        } catch {
            guard error.code == .conflict else { throw error }
            return false
        }
    }
}
