package import ActorCore
import Glibc
import Synchronization

/// A job engine that runs nothing: jobs go one state further at each look, as their commands say, and it counts what
/// it was asked. It forgets, refuses and loses answers when a test says so.
package final class ModelJobEngine: JobEngine {
    /// What goes wrong with the next calls, first come first served.
    package enum Trouble: Sendable, Equatable {
        case failure(EngineFailure)
        /// It does what it is asked, and the answer is lost.
        case answerLost
        case none
    }

    package struct Submission: Sendable, Equatable {
        package let id: String
        package let order: JobOrder
        package var observation: EngineObservation
        /// States to come, the next one first.
        package var ahead: [EngineObservation]
        package var isGone = false
    }

    private struct State {
        var submissions: [Submission] = []
        var troubles: [Trouble] = []
        var cancelled: [String] = []
        var forgotten: [String] = []
        var kept: [String] = []
        var overridden: [EngineEnd] = []
        var isHeld = false
    }

    package let name: String
    package let retriesItself: Bool
    package let leavesThings: Bool
    private let state = Mutex(State())

    package init(name: String = "model", retriesItself: Bool = false, leavesThings: Bool = false) {
        self.name = name
        self.retriesItself = retriesItself
        self.leavesThings = leavesThings
    }

    package var submissions: [Submission] { state.withLock(\.submissions) }
    package var cancelled: [String] { state.withLock(\.cancelled) }
    package var forgotten: [String] { state.withLock(\.forgotten) }
    package var kept: [String] { state.withLock(\.kept) }

    package func trouble(_ troubles: Trouble...) { state.withLock { $0.troubles += troubles } }
    /// The next jobs that are submitted end so, whatever their commands are.
    package func end(next ends: EngineEnd...) { state.withLock { $0.overridden += ends } }
    /// Jobs stay as they are.
    package func hold(_ isHeld: Bool) { state.withLock { $0.isHeld = isHeld } }
    /// The engine knows nothing of any job any more.
    package func lose() {
        state.withLock { state in
            for index in state.submissions.indices { state.submissions[index].isGone = true }
        }
    }

    package func preview(_ order: JobOrder) throws(EngineFailure) -> String {
        order.steps.map { "\($0.phase.rawValue)/\($0.name): \(($0.command + $0.args).joined(separator: " "))" }
            .joined(separator: "\n")
    }

    package func find(_ run: EngineRun) async throws(EngineFailure) -> String? {
        try attend { state in state.submissions.first { $0.order.run.name == run.name && !$0.isGone }?.id }
    }

    package func submit(_ order: JobOrder) async throws(EngineFailure) -> String {
        try attend { state in
            if let known = state.submissions.first(where: { $0.order.run.name == order.run.name && !$0.isGone }) {
                return known.id
            }
            let id = "model-\(state.submissions.count + 1)"
            let override = state.overridden.isEmpty ? nil : state.overridden.removeFirst()
            state.submissions.append(
                Submission(
                    id: id, order: order, observation: EngineObservation(.pending, reason: "Resources"),
                    ahead: Self.life(of: order, ending: override)))
            return id
        }
    }

    package func look(_ runs: [EngineRun]) async throws(EngineFailure) -> [JobID: EngineObservation] {
        try attend { state in
            var observations: [JobID: EngineObservation] = [:]
            for run in runs {
                guard
                    let index = state.submissions.firstIndex(where: { $0.order.run.name == run.name && !$0.isGone })
                else { continue }
                observations[run.job] = state.submissions[index].observation
                guard !state.isHeld, !state.submissions[index].ahead.isEmpty else { continue }
                let order = state.submissions[index].order
                // What lasts goes on until somebody cancels it.
                let isLasting = order.steps.contains { $0.command == ExecutorSuite.Command.lasts }
                if isLasting, state.submissions[index].ahead.count == 1 { continue }
                state.submissions[index].observation = state.submissions[index].ahead.removeFirst()
            }
            return observations
        }
    }

    package func pause(milliseconds: Int64) async throws { await Task.yield() }

    package func cancel(_ run: EngineRun, graceSeconds: Int) async throws(EngineFailure) {
        try attend { state in
            state.cancelled.append(run.name)
            guard let index = state.submissions.firstIndex(where: { $0.order.run.name == run.name }) else { return }
            if case .ended = state.submissions[index].observation.phase { return }
            state.submissions[index].observation = EngineObservation(.ended(EngineEnd(.cancelled)))
            state.submissions[index].ahead = []
        }
    }

    package func keepLogs(_ run: EngineRun, maxBytes: Int) async throws(EngineFailure) {
        let steps = try attend { state in
            state.kept.append(run.name)
            return state.submissions.first { $0.order.run.name == run.name }?.order.steps ?? []
        }
        for step in steps where step.command == ExecutorSuite.Command.prints {
            let bytes = Array("0123456789\n".utf8.prefix(maxBytes))
            let descriptor = open(run.logFile(step.phase, step.name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { continue }
            _ = write(descriptor, bytes, bytes.count)
            _ = close(descriptor)
        }
    }

    package func forget(_ run: EngineRun) async throws(EngineFailure) {
        try attend { state in
            state.forgotten.append(run.name)
            for index in state.submissions.indices where state.submissions[index].order.run.name == run.name {
                state.submissions[index].isGone = true
            }
        }
    }

    /// One call: what goes wrong comes before it or takes its answer away.
    private func attend<Value>(_ body: (inout State) -> Value) throws(EngineFailure) -> Value {
        let (value, failure): (Value?, EngineFailure?) = state.withLock { state in
            let trouble = state.troubles.isEmpty ? .none : state.troubles.removeFirst()
            switch trouble {
            case .failure(let failure): return (nil, failure)
            case .answerLost:
                _ = body(&state)
                return (nil, EngineFailure(.unreachable, "the answer was lost"))
            case .none: return (body(&state), nil)
            }
        }
        if let value { return value }
        throw failure ?? EngineFailure(.unreachable, "no answer")
    }

    /// Pending, running, ended; containers as their commands say.
    private static func life(of order: JobOrder, ending override: EngineEnd?) -> [EngineObservation] {
        var steps: [EngineObservation.Step] = []
        var end = EngineEnd(.succeeded, exitCode: 0)
        for step in order.steps {
            let own = Self.end(of: step.command)
            steps.append(EngineObservation.Step(step.phase, step.name, .ended(own), milliseconds: 10))
            if !own.succeeded {
                end = end.succeeded ? own : end
                if step.phase == .initial { break }
            }
        }
        let running = EngineObservation(.running, node: "n1")
        guard let override else { return [running, EngineObservation(.ended(end), node: "n1", steps: steps)] }
        return [running, EngineObservation(.ended(override), node: "n1")]
    }

    private static func end(of command: [String]) -> EngineEnd {
        switch command {
        case ExecutorSuite.Command.fails: .exited(3)
        case ExecutorSuite.Command.dies: .exited(137)
        case ExecutorSuite.Command.missing: EngineEnd(.failed, exitCode: 127)
        default: .exited(0)
        }
    }
}
