package import ActorCore

/// Decides the order of a job's containers: init containers one after another, then the main ones together;
/// a failed try is repeated from the start as often as the job allows.
package struct JobRunMachine: Sendable {
    /// What the shell is to do next.
    package enum Action: Sendable, Equatable {
        /// Make empty folders for this try, then say ``prepared()``.
        case prepare(attempt: Int)
        /// Run these at once; say ``ended(_:_:)`` for each.
        case run([JobStep])
        /// Tell how this step ended.
        case report(JobStep, StepReport)
        /// All is well: publish the output and finish.
        case publish
        /// The job failed because of this step.
        case fail(JobStep, StepReport)
    }

    private enum State {
        /// Nothing happened yet. Goes to `preparing`.
        case idle
        /// The folders of this try are being made. Goes to `running`.
        case preparing(attempt: Int)
        /// These steps run; `failed` are those of the same phase that did not succeed. Goes to itself (next step),
        /// `preparing` (next try) or `ended`.
        case running(attempt: Int, phase: JobStep.Phase, open: [JobStep], failed: [Failure])
        /// The outcome was given out; nothing may follow.
        case ended
    }

    private struct Failure: Sendable {
        let step: JobStep
        let report: StepReport
    }

    private let initNames: [String]
    private let mainNames: [String]
    private let tries: Int
    private var state = State.idle

    package init(_ spec: JobSpec) {
        self.init(
            initContainers: spec.initContainers.map(\.name), containers: spec.containers.map(\.name),
            backoffLimit: spec.backoffLimit)
    }

    package init(initContainers: [String], containers: [String], backoffLimit: Int = 0) {
        precondition(!containers.isEmpty, "a job has at least one main container")
        self.initNames = initContainers
        self.mainNames = containers
        self.tries = backoffLimit + 1
    }

    package mutating func start() -> Action {
        guard case .idle = state else { preconditionFailure("a run starts once") }
        state = .preparing(attempt: 1)
        return .prepare(attempt: 1)
    }

    package mutating func prepared() -> Action {
        guard case .preparing(let attempt) = state else { preconditionFailure("no try was being prepared") }
        return initNames.isEmpty ? runMain(attempt) : runInit(0, attempt)
    }

    package mutating func ended(_ step: JobStep, _ report: StepReport) -> [Action] {
        guard case .running(let attempt, let phase, var open, var failed) = state,
            let position = open.firstIndex(of: step)
        else { preconditionFailure("the step \(step.title) was not running") }
        open.remove(at: position)
        if !report.succeeded { failed.append(Failure(step: step, report: report)) }
        let told = Action.report(step, report)
        guard open.isEmpty else {
            state = .running(attempt: attempt, phase: phase, open: open, failed: failed)
            return [told]
        }
        // Several may have failed side by side: the first as the file lists them is the one that is named.
        if let first = failed.min(by: { $0.step.index < $1.step.index }) {
            return [told, giveUpOrRetry(attempt, first, isFinal: failed.contains { $0.report.isFinal })]
        }
        switch phase {
        case .initial where step.index + 1 < initNames.count: return [told, runInit(step.index + 1, attempt)]
        case .initial: return [told, runMain(attempt)]
        case .main:
            state = .ended
            return [told, .publish]
        }
    }

    private mutating func runInit(_ index: Int, _ attempt: Int) -> Action {
        let step = JobStep(.initial, initNames[index], index: index, attempt: attempt)
        state = .running(attempt: attempt, phase: .initial, open: [step], failed: [])
        return .run([step])
    }

    private mutating func runMain(_ attempt: Int) -> Action {
        let steps = mainNames.enumerated().map { JobStep(.main, $1, index: $0, attempt: attempt) }
        state = .running(attempt: attempt, phase: .main, open: steps, failed: [])
        return .run(steps)
    }

    private mutating func giveUpOrRetry(_ attempt: Int, _ failure: Failure, isFinal: Bool) -> Action {
        guard attempt < tries, !isFinal else {
            state = .ended
            return .fail(failure.step, failure.report)
        }
        state = .preparing(attempt: attempt + 1)
        return .prepare(attempt: attempt + 1)
    }
}
