import ActorCore
import Glibc

/// One container's way from nothing to its result. Every step asks first what is there, so that it may be taken by any
/// daemon, any number of times.
struct ContainerRun: Sendable {
    let name: String
    private let work: Work
    private let executor: ContainerExecutor
    private var engine: EngineAPI { executor.engine }

    init(_ work: Work, _ executor: ContainerExecutor) {
        self.work = work
        self.executor = executor
        self.name = executor.order.name(work.id)
    }

    func play() async throws(EngineTrouble) -> WorkResult {
        var log: ContainerLog?
        var isLogWhole = false
        var isLate = false
        // Whether it was ever seen: what is gone after that was taken away.
        var wasThere = false
        while true {
            guard let state = try await engine.inspect(name) else {
                if wasThere { return Self.takenAway }
                try await create()
                wasThere = true
                continue
            }
            if state.phase == .leaving {
                if wasThere { return Self.takenAway }
                await executor.files.pause(milliseconds: 100)
                if Task.isCancelled { throw .cancelled }
                continue
            }
            wasThere = true
            if log == nil { log = try await open(state) }
            guard let log else { continue }
            switch state.phase {
            case .leaving: continue
            case .created:
                if let refusal = try await start(state) { return refusal }
            case .running:
                if let left = millisecondsLeft(state), left <= 0 {
                    isLate = true
                    try await engine.stop(name, graceSeconds: executor.settings.graceSeconds)
                    continue
                }
                isLogWhole = try await follow(state, log)
                // An engine that says it runs and that it does not is asked again, not at once.
                await executor.files.pause(milliseconds: 20)
            case .ended:
                if !isLogWhole { try await copy(log) }
                return try await result(state, log, isLate: isLate)
            }
        }
    }

    private static let takenAway = WorkResult(end: .evicted("its container was removed while it ran"))

    /// Stops and removes it: nobody takes up a container that somebody wanted to end.
    func cancel() async -> WorkResult {
        try? await engine.stop(name, graceSeconds: executor.settings.graceSeconds)
        var bytes = 0
        var milliseconds: Int64 = 0
        var isCut = false
        if let state = try? await engine.inspect(name), let log = try? await open(state) {
            try? await copy(log)
            (bytes, isCut) = await executor.files.perform { (log.bytes, log.isCut) }
            milliseconds = state.milliseconds
        }
        try? await engine.remove(name)
        return WorkResult(end: .cancelled, logBytes: bytes, logTruncated: isCut, milliseconds: milliseconds)
    }

    // MARK: Making and starting

    private func create() async throws(EngineTrouble) {
        let image = work.image ?? ""
        if executor.settings.pull == .always { try await engine.pull(image) }
        let (file, paths) = (work.logFile, work.mounts.map(\.host))
        let prepared = await executor.files.perform {
            Result<Int, Unstartable> { () throws(Unstartable) in
                for path in paths { try Self.checkIsItself(path) }
                return try ContainerLog.size(file)
            }
        }
        let offset = try unwrap(prepared)
        let body = executor.order.body(work, logOffset: offset)
        switch try await engine.create(name, body) {
        case .made, .existed: return
        case .imageMissing:
            guard executor.settings.pull == .ifNotPresent else {
                throw .refused(
                    "image \(image) is not on this machine: pull it, or set executors.container.pull to IfNotPresent")
            }
            try await engine.pull(image)
            if case .imageMissing = try await engine.create(name, body) {
                throw .refused("image \(image) is not on this machine, although it was pulled")
            }
        }
    }

    /// The engine follows links as root: a link below a folder that is allowed must not lead out of it.
    private static func checkIsItself(_ path: String) throws(Unstartable) {
        guard let real = realpath(path, nil) else { throw Unstartable("the mount \(path) does not exist: create it") }
        defer { free(real) }
        guard String(cString: real) == path else {
            throw Unstartable("the mount \(path) leads through a symbolic link: name \(String(cString: real)) itself")
        }
    }

    /// - Returns: the result when it can never start.
    private func start(_ state: ContainerState) async throws(EngineTrouble) -> WorkResult? {
        do throws(EngineTrouble) {
            try await engine.start(name)
            return nil
        } catch {
            guard case .failing = error, let after = try await engine.inspect(name), after.phase != .running,
                after.started == nil, case .couldNotStart(let why) = after.end(limit: nil, tellsMemory: true)
            else { throw error }
            throw .refused(why)
        }
    }

    // MARK: While it runs

    private func millisecondsLeft(_ state: ContainerState) -> Int64? {
        guard let limit = work.timeoutMilliseconds, let started = state.started else { return nil }
        return limit - executor.clock.now().since(started)
    }

    /// Returns when it has ended or its time is up; true when its whole output was taken.
    private func follow(_ state: ContainerState, _ log: ContainerLog) async throws(EngineTrouble) -> Bool {
        let left = millisecondsLeft(state)
        let outcome = await withTaskGroup(of: Result<Bool, EngineTrouble>?.self) { group in
            group.addTask {
                do throws(EngineTrouble) {
                    let isWhole = try await read(log, follow: true)
                    try await engine.wait(name)
                    return .success(isWhole)
                } catch {
                    return .failure(error)
                }
            }
            if let left {
                group.addTask {
                    try? await executor.clock.sleep(milliseconds: left)
                    return nil
                }
            }
            let first = await group.next()
            group.cancelAll()
            return first ?? nil
        }
        if Task.isCancelled { throw .cancelled }
        return try outcome?.get() ?? false
    }

    // MARK: Output

    private func open(_ state: ContainerState) async throws(EngineTrouble) -> ContainerLog {
        let (file, limit) = (work.logFile, work.maxLogBytes)
        let offset = state.logOffset ?? 0
        return try unwrap(
            await executor.files.perform {
                Result<ContainerLog, Unstartable> { () throws(Unstartable) in
                    try ContainerLog(file, offset: offset, limit: limit)
                }
            })
    }

    private func copy(_ log: ContainerLog) async throws(EngineTrouble) { _ = try await read(log, follow: false) }

    /// Tells the container's output to its log again, from the beginning; true when it was told to its end.
    private func read(_ log: ContainerLog, follow: Bool) async throws(EngineTrouble) -> Bool {
        await executor.files.perform { log.rewind() }
        let stream = try await engine.logs(name, follow: follow)
        var frames = LogFrames()
        do throws(ActorError) {
            while let bytes = try await stream.next() {
                let output = frames.take(bytes)
                guard await executor.files.perform({ log.append(output) }) else {
                    stream.close()
                    break
                }
            }
            return true
        } catch {
            // An answer that breaks off is looked at again; it says nothing about the container.
            if error.code == .cancelled { throw .cancelled }
            return false
        }
    }

    private func result(
        _ state: ContainerState, _ log: ContainerLog, isLate: Bool
    ) async throws(EngineTrouble) -> WorkResult {
        let tellsMemory = state.memoryBytes > 0 ? try await !engine.isPodman() : true
        let end = isLate ? .timedOut : state.end(limit: work.timeoutMilliseconds, tellsMemory: tellsMemory)
        let (bytes, isCut) = await executor.files.perform { (log.bytes, log.isCut) }
        return WorkResult(end: end, logBytes: bytes, logTruncated: isCut, milliseconds: state.milliseconds)
    }

    private func unwrap<Value>(_ result: Result<Value, Unstartable>) throws(EngineTrouble) -> Value {
        switch result {
        case .success(let value): return value
        case .failure(let problem): throw problem.isTransient ? .failing(problem.reason) : .refused(problem.reason)
        }
    }
}
