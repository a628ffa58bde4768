import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

/// `/api/v1/events`: what was committed, as it happens (server-sent events).
struct EventRoutes {
    private static let heartbeat = Duration.seconds(15)

    private enum Line: Sendable {
        case event(PublishedEvent)
        case heartbeat
    }

    let front: HTTPFront

    func add(to table: RouteTable) { table.on(Paths.events, [.get: stream]) }

    @Sendable private func stream(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let choice = EventChoice(request.formItems)
        let events = front.system.events.subscribe()
        let backlog = front.system.limits.eventBacklog
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                try await writer.write(ByteBuffer(string: ": connected\n\n"))
                let (lines, sink) = AsyncStream.makeStream(of: Line.self, bufferingPolicy: .bufferingOldest(backlog))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        await Self.pass(events, choice, to: sink)
                        sink.finish()
                    }
                    group.addTask { try await Self.beat(sink) }
                    for await line in lines { try await writer.write(ByteBuffer(string: Self.text(line))) }
                    group.cancelAll()
                }
                try await writer.finish(nil)
            })
    }

    /// Ends with the bus, with the daemon, or when the reader cannot keep up.
    private static func pass(
        _ events: AsyncStream<PublishedEvent>, _ choice: EventChoice, to sink: AsyncStream<Line>.Continuation
    ) async {
        await cancelWhenGracefulShutdown {
            for await event in events where choice.includes(event.event) {
                if case .dropped = sink.yield(.event(event)) { return }
            }
        }
    }

    private static func beat(_ sink: AsyncStream<Line>.Continuation) async throws {
        while !Task.isCancelled {
            try? await Task.sleep(for: heartbeat)
            sink.yield(.heartbeat)
        }
    }

    /// One event in the format of the HTML standard's event streams.
    private static func text(_ line: Line) -> String {
        switch line {
        case .heartbeat: ": still here\n\n"
        case .event(let event):
            "id: \(event.number)\nevent: \(event.event.type)\ndata: "
                + JSONWriter.string(event.event.json.setting("at", JSONValue(event.at))) + "\n\n"
        }
    }
}

/// Which events a reader of the stream wants: `?job=UUID`, `?pipeline=UUID`, `?type=job.moved`; all that are given
/// hold.
private struct EventChoice: Sendable {
    private let job: JobID?
    private let pipeline: PipelineID?
    private let types: Set<String>

    init(_ query: FormItems) {
        let value = { (name: String) in query.first(name).flatMap { $0.isEmpty ? nil : $0 } }
        job = value("job").map { JobID($0.lowercased()) }
        pipeline = value("pipeline").map { PipelineID($0.lowercased()) }
        types = Set((value("type") ?? "").split(separator: ",").map(String.init))
    }

    func includes(_ event: CommittedEvent) -> Bool {
        (job == nil || event.job == job) && (pipeline == nil || event.pipeline == pipeline)
            && (types.isEmpty || types.contains(event.type))
    }
}
