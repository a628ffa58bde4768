import ActorAPI
import ActorCore
import HTTPTypes
import Hummingbird

/// The published state machine, as a table and as a picture; `?machine=` asks for an earlier edition.
struct StateMachineRoutes {
    func add(to table: RouteTable) {
        table.on(Paths.stateMachine, [.get: read])
        table.on(Paths.stateMachineDrawing, [.get: drawing])
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        .json(Self.table(try Self.edition(request)))
    }

    @Sendable private func drawing(_ request: Request, _ context: HTTPContext) async throws -> Response {
        .bytes(StateMachineDrawing(edition: try Self.edition(request)).svg.utf8, type: StateMachineDrawing.contentType)
    }

    private static func edition(_ request: Request) throws(ActorError) -> PipelineJobMachine.Edition {
        let query = request.formItems
        guard let word = query.first("machine") ?? query.first("generation"), !word.isEmpty else { return .current }
        guard let edition = PipelineJobMachine.Edition(named: word) else {
            let names = PipelineJobMachine.Edition.allCases.map(\.rawValue).joined(separator: ", ")
            throw ActorError(
                .invalidInput, "machine must be one of \(names)",
                details: [ActorError.Detail(place: "machine", problem: "\"\(word.prefix(32))\" is none")])
        }
        return edition
    }

    /// `events` by name, and `transitions` cell by cell: null where an event is refused.
    private static func table(_ edition: PipelineJobMachine.Edition) -> JSONValue {
        let states = PipelineJobMachine.states(of: edition)
        let events = PipelineJobMachine.events(of: edition)
        let rules = PipelineJobMachine.transitions(of: edition)
        return [
            "machine": .string(edition.rawValue), "initial": .string(PipelineJobState.created.rawValue),
            "states": .array(states.map { .string($0.rawValue) }),
            "events": .array(
                events.compactMap { event in
                    rules[event].map { rule in
                        TransitionPayload(
                            name: event.rawValue, sources: rule.sources.map(\.rawValue), target: rule.target?.rawValue
                        ).json
                    }
                }),
            "transitions": .object(
                states.map { state in
                    JSONValue.Member(
                        state.rawValue,
                        .object(
                            events.map { event in
                                JSONValue.Member(
                                    event.rawValue,
                                    JSONValue(
                                        PipelineJobMachine.destination(of: event, from: state, edition)?.rawValue))
                            }))
                }),
            "machines": .array(PipelineJobMachine.Edition.allCases.map { .string($0.rawValue) }),
        ]
    }
}
