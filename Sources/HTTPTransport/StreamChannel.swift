import ActorCore
import Synchronization

/// What the bytes of a streamed answer go through, from libcurl's thread to their one reader; it holds few of them.
final class StreamChannel: Sendable {
    private enum Step: Sendable {
        case bytes([UInt8])
        case end(ActorError?)
    }

    private struct State {
        var bytes: [UInt8] = []
        /// libcurl was told to wait until the bytes are taken.
        var isHeld = false
        var hasEnded = false
        var error: ActorError?
        var reader: CheckedContinuation<Step, Never>?
    }

    /// Bytes that wait for the reader; one piece of libcurl's (at most 512 KiB) is taken whole.
    private static let most = 262_144
    private let state = Mutex(State())

    /// For libcurl's thread: false when the bytes have to be offered again later.
    func offer(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if bytes.isEmpty { return true }
        let (reader, isTaken) = state.withLock { state -> (CheckedContinuation<Step, Never>?, Bool) in
            if let reader = state.reader {
                state.reader = nil
                return (reader, true)
            }
            guard state.bytes.isEmpty || state.bytes.count + bytes.count <= Self.most else {
                state.isHeld = true
                return (nil, false)
            }
            state.bytes.append(contentsOf: bytes)
            return (nil, true)
        }
        reader?.resume(returning: .bytes(Array(bytes)))
        return isTaken
    }

    /// For libcurl's thread: nothing follows what was offered.
    func finish(_ error: ActorError?) {
        let reader = state.withLock { state -> CheckedContinuation<Step, Never>? in
            if state.hasEnded { return nil }
            state.hasEnded = true
            state.error = error
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: .end(error))
    }

    /// - Parameter goOn: lets the held transfer go on; called after what it waits for was taken.
    func next(goOn: @Sendable () -> Void) async throws(ActorError) -> [UInt8]? {
        let step = await withCheckedContinuation { continuation in
            let (step, wasHeld) = state.withLock { state -> (Step?, Bool) in
                if !state.bytes.isEmpty {
                    defer {
                        state.bytes = []
                        state.isHeld = false
                    }
                    return (.bytes(state.bytes), state.isHeld)
                }
                if state.hasEnded { return (.end(state.error), false) }
                precondition(state.reader == nil, "a streamed answer has one reader")
                state.reader = continuation
                return (nil, false)
            }
            if wasHeld { goOn() }
            if let step { continuation.resume(returning: step) }
        }
        switch step {
        case .bytes(let bytes): return bytes
        case .end(let error?): throw error
        case .end(nil): return nil
        }
    }
}
