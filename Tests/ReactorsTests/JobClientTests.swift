import ActorCore
import ActorTesting
import Reactors
import Testing

/// `context.jobs` as a Reactor uses it, and what the actor that keeps the jobs makes of its messages.
@Suite struct JobClientTests {
    private static let pipeline = PipelineID("f0f417f2-ba8b-5ac4-b421-255b69553391")

    /// Makes a job of each message and moves it as the message says.
    private actor Analyst: Reactor {
        func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {
            let now = context.now()
            context.change(
                .registerPipeline(
                    PipelineRecord(uuid: JobClientTests.pipeline, name: "analyses", components: [], created: now)))
            let draft = JobDraft(
                pipeline: JobClientTests.pipeline, generation: .first, data: envelope.json?["data"],
                session: "solid-snake", actor: context.actor, execution: context.execution, owner: context.owner,
                tenant: context.tenant)
            let job = try await context.jobs.setup(draft)
            for word in envelope.json?["then"]?.array ?? [] {
                switch word.string {
                case "run": try context.jobs.run(job)
                case "update": try context.jobs.update(job, ["roadrunner": "meep-meep!"])
                case "finish": try context.jobs.finish(job)
                case "fail": try context.jobs.fail(job, ["why": "no beats"])
                case "cancel": try context.jobs.cancel(job)
                default: throw ReactorFailure(.permanent, "no such word")
                }
            }
            context.reply([
                "uuid": .string(job.uuid.rawValue), "callback": .string(try context.jobs.callback(job)),
            ])
        }
    }

    private let world = TestWorld()
    private let analyst = Analyst()

    /// Delivers a message and then all that it caused to the actor that keeps the jobs; answers the first reply.
    @discardableResult private func analyse(_ body: JSONValue) async throws -> JSONValue {
        try await world.deliver(envelope(body), to: analyst, as: TestContext.Setup())
        let reply = world.read { $0.replies[ExecutionID("execution")] }
        let mail = world.read { $0.mail }
        world.change { $0.mail = [] }
        for message in mail {
            #expect(message.address == .alias(JobClient.manager))
            try await world.deliver(
                envelope(message.body), to: PipelineJobsReactor(archive: MemoryLab()), as: TestContext.Setup())
        }
        return try #require(reply)
    }

    @Test func aJobIsMadeAndMovedToItsEnd() async throws {
        let reply = try await analyse(["data": ["n": 1], "then": ["run", "update", "finish"]])
        let job = try #require(world.read { $0.jobs.values.first })
        #expect(job.status == .finished && job.session == "solid-snake")
        let lines = world.read { $0.history[job.uuid] ?? [] }
        #expect(lines.map(\.name) == ["create", "run", "update", "finish"])
        #expect(lines.map(\.data) == [.null, .null, ["roadrunner": "meep-meep!"], .null])
        #expect(reply["uuid"]?.string == job.uuid.rawValue)
        #expect(reply["callback"]?.string?.contains("token=\(job.token)&uuid=\(job.uuid)") == true)
    }

    @Test func theSameDataIsTheSameJob() async throws {
        let first = try await analyse(["data": ["n": 1], "then": ["run"]])
        #expect(try await analyse(["data": ["n": 1], "then": ["fail"]]) == first)
        try await analyse(["data": ["n": 2]])
        let jobs = world.read { $0.jobs.values.map(\.status) }
        #expect(Set(jobs) == [.failed, .created] && jobs.count == 2)
    }

    @Test func whatNeverRanCanBeCancelled() async throws {
        try await analyse(["data": ["n": 1], "then": ["cancel"]])
        #expect(world.read { $0.jobs.isEmpty && $0.deletedJobs.map(\.action) == ["cancel"] })
        try await analyse(["data": ["n": 1], "then": ["run"]])
        await #expect(throws: ReactorFailure.self) { try await analyse(["data": ["n": 1], "then": ["cancel"]]) }
        #expect(world.read { $0.jobs.values.map(\.status) } == [.running])
    }
}
