package import ActorCore
import Glibc
import Synchronization

/// An executor that runs nothing: it answers by script, keeps what it was given, and notes orders that break the rules.
package final class ModelExecutor: Executor {
    /// How one command goes.
    package struct Play: Sendable, Equatable {
        package enum Length: Sendable, Equatable {
            case atOnce
            /// Until the task is cancelled or `release(id)` is called.
            case held
        }

        package var end: WorkResult.End
        /// Appended to the work's log file, cut at its bound.
        package var output: String
        package var length: Length

        package init(_ end: WorkResult.End = .exited(0), output: String = "", length: Length = .atOnce) {
            self.end = end
            self.output = output
            self.length = length
        }
    }

    private struct State {
        var plays: [[String]: [Play]] = [:]
        var works: [Work] = []
        var running: Set<String> = []
        var held: [String: CheckedContinuation<Bool, Never>] = [:]
        var results: [String: WorkResult] = [:]
        var lost: Set<String> = []
        var reclaimed: [String] = []
        var forgotten: [String] = []
        var isDetaching = false
        var violations: [String] = []
    }

    private let images: [String: [String]]
    private let state = Mutex(State())

    /// - Parameter images: the commands that images stand for.
    package init(images: [String: [String]] = [:]) { self.images = images }

    /// Sets how `command` goes, first, second and so on; the last one repeats. A command without a script exits with 0.
    package func script(_ command: [String], _ plays: Play...) {
        state.withLock { $0.plays[command] = plays }
    }

    /// Every work order, in the order of asking.
    package var works: [Work] { state.withLock { $0.works } }
    package var running: Set<String> { state.withLock { $0.running } }
    package var reclaimed: [String] { state.withLock { $0.reclaimed } }
    package var forgotten: [String] { state.withLock { $0.forgotten } }
    /// Orders that break the port's rules; a test ends with none.
    package var violations: [String] { state.withLock { $0.violations } }

    /// Lets a held command end as its script says; false when none is held under that id.
    @discardableResult
    package func release(_ id: String) -> Bool {
        let continuation = state.withLock { $0.held.removeValue(forKey: id) }
        continuation?.resume(returning: true)
        return continuation != nil
    }

    /// As if it had been started, and had gone down with the machine.
    package func lose(_ id: String) { state.withLock { _ = $0.lost.insert(id) } }

    package func run(_ work: Work) async -> WorkResult {
        if await isLost(work.id) { return Self.result(.evicted("the machine went down while it ran")) }
        if let known = state.withLock({ $0.results[work.id] }) { return known }
        if Task.isCancelled { return Self.result(.cancelled) }
        var work = work
        do throws(ActorError) {
            work.command = try command(of: work)
            work.arguments = []
        } catch {
            return Self.result(.couldNotStart(error.message))
        }
        let result = await perform(work)
        if ![.cancelled, .detached].contains(result.end) { state.withLock { $0.results[work.id] = result } }
        return result
    }

    private func perform(_ work: Work) async -> WorkResult {
        let play = state.withLock { state -> Play in
            state.violations += Self.faults(of: work, running: state.running)
            state.works.append(work)
            state.running.insert(work.id)
            guard let plays = state.plays[work.command], let first = plays.first else { return Play() }
            if plays.count > 1 { state.plays[work.command]?.removeFirst() }
            return first
        }
        defer { state.withLock { _ = $0.running.remove(work.id) } }
        guard !work.command.isEmpty else { return Self.result(.couldNotStart("the command is empty")) }
        if case .couldNotStart = play.end { return Self.result(play.end) }
        let log = Self.append(play.output, to: work)
        if play.length == .held, await !hold(work.id) {
            return Self.result(state.withLock { $0.isDetaching } ? .detached : .cancelled, log: log)
        }
        return Self.result(play.end, log: log)
    }

    package func reclaim(_ id: String) async {
        state.withLock { state in
            state.reclaimed.append(id)
            state.results[id] = nil
            state.lost.remove(id)
        }
    }

    package func forget(_ id: String) async {
        state.withLock { state in
            state.forgotten.append(id)
            state.results[id] = nil
            state.lost.remove(id)
        }
    }

    package func kept() async -> [String] {
        state.withLock { $0.running.union($0.results.keys).union($0.lost).sorted() }
    }

    package func isLost(_ id: String) async -> Bool { state.withLock { $0.lost.contains(id) } }

    package func detach() { state.withLock { $0.isDetaching = true } }

    package func admit(_ work: Work) throws(ActorError) { _ = try command(of: work) }

    private func command(of work: Work) throws(ActorError) -> [String] {
        guard let image = work.image else { return work.command + work.arguments }
        guard let own = images[image] else {
            throw ActorError(.invalidInput, "image \(image) is not known: list it in the model's images")
        }
        return (work.command.isEmpty ? own : work.command) + work.arguments
    }

    /// True when it was released, false when the task was cancelled.
    private func hold(_ id: String) async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let kept = state.withLock { state -> Bool in
                    if Task.isCancelled { return false }
                    state.held[id] = continuation
                    return true
                }
                if !kept { continuation.resume(returning: false) }
            }
        } onCancel: {
            state.withLock { $0.held.removeValue(forKey: id) }?.resume(returning: false)
        }
    }

    private static func faults(of work: Work, running: Set<String>) -> [String] {
        var faults: [String] = []
        if work.id.isEmpty || work.id.utf8.contains(UInt8(ascii: "/")) { faults.append("id \"\(work.id)\" is no name") }
        if running.contains(work.id) { faults.append("\(work.id) runs already") }
        if !work.workingDirectory.hasPrefix("/") { faults.append("\(work.id): the working directory is not absolute") }
        if !work.logFile.hasPrefix("/") { faults.append("\(work.id): the log file is not absolute") }
        if work.maxLogBytes < 0 { faults.append("\(work.id): the log's bound is negative") }
        if let limit = work.timeoutMilliseconds, limit <= 0 { faults.append("\(work.id): no time to run") }
        return faults
    }

    private static func append(_ output: String, to work: Work) -> (bytes: Int, truncated: Bool) {
        let all = Array(output.utf8)
        let kept = Array(all.prefix(max(0, work.maxLogBytes)))
        let descriptor = open(work.logFile, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            _ = write(descriptor, kept, kept.count)
            _ = close(descriptor)
        }
        return (kept.count, kept.count < all.count)
    }

    private static func result(_ end: WorkResult.End, log: (bytes: Int, truncated: Bool) = (0, false)) -> WorkResult {
        WorkResult(end: end, logBytes: log.bytes, logTruncated: log.truncated, milliseconds: 0)
    }
}
