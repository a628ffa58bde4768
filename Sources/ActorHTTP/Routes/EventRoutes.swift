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

    let front: HTTPFront

    func add(to table: RouteTable) { table.on(Paths.events, [.get: stream]) }

    @Sendable private func stream(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let choice = try choice(request.formItems, caller)
        let fields = request.headers
        let front = self.front
        let events = front.system.events.subscribe(where: choice.includes)
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                try await writer.write(ByteBuffer(string: ": connected\n\n"))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await Self.beat(events) { await front.stillLetsIn(caller, by: fields) } }
                    group.addTask {
                        try? await gracefulShutdown()
                        events.close()
                    }
                    while let batch = await events.next() {
                        try await writer.write(ByteBuffer(string: Self.text(batch)))
                    }
                    group.cancelAll()
                }
                try await writer.finish(nil)
            })
    }

    private func choice(_ query: FormItems, _ caller: Caller) throws(ActorError) -> EventChoice {
        var choice = try EventChoice(query)
        if let word = query.first("actor"), !word.isEmpty {
            choice.actor = try front.actor(word, caller, .read).id
        }
        if !caller.isAdmin {
            // Asked at each event: a permission that is taken away during the stream is gone.
            let system = front.system
            choice.isReadable = { id in system.spec(id).map { Access.level(of: caller, on: $0) >= .read } ?? false }
        }
        return choice
    }

    /// Until who reads is not let in any more.
    private static func beat(_ events: EventReader, while isLetIn: () async -> Bool) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: heartbeat)
            guard await isLetIn() else { return events.close() }
            events.nudge()
        }
    }

    /// In the format of the HTML standard's event streams; a word that says nothing when there is none.
    private static func text(_ events: [PublishedEvent]) -> String {
        if events.isEmpty { return ": still here\n\n" }
        return events.reduce(into: "") { text, published in
            text += "id: \(published.number)\nevent: \(published.event.type)\ndata: "
            text += JSONWriter.string(published.event.json.setting("at", JSONValue(published.at))) + "\n\n"
        }
    }
}

/// Which events a reader of the stream wants: `?actor=NAME`, `?job=UUID`, `?pipeline=UUID`, `?type=job.moved`; all
/// that are given hold. What is about an actor is told to those who may read it.
private struct EventChoice: Sendable {
    var actor: ActorID?
    var isReadable: @Sendable (ActorID) -> Bool = { _ in true }
    private let job: JobID?
    private let pipeline: PipelineID?
    private let kinds: Set<CommittedEvent.Kind>

    init(_ query: FormItems) throws(ActorError) {
        let value = { (name: String) in query.first(name).flatMap { $0.isEmpty ? nil : $0 } }
        job = value("job").map { JobID($0.lowercased()) }
        pipeline = value("pipeline").map { PipelineID($0.lowercased()) }
        var kinds: Set<CommittedEvent.Kind> = []
        for word in (value("type") ?? "").split(separator: ",") {
            let name = word.hasPrefix(CloudEvent.typePrefix) ? word.dropFirst(CloudEvent.typePrefix.count) : word
            guard let kind = CommittedEvent.Kind(rawValue: String(name)) else {
                let all = CommittedEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw ActorError(.invalidInput, "type: there is no event \(name.prefix(64)); there are \(all)")
            }
            kinds.insert(kind)
        }
        self.kinds = kinds
    }

    @Sendable func includes(_ event: CommittedEvent) -> Bool {
        (actor == nil || event.actor == actor) && (job == nil || event.job == job)
            && (pipeline == nil || event.pipeline == pipeline) && (kinds.isEmpty || kinds.contains(event.kind))
            && (event.actor.map(isReadable) ?? true)
    }
}
