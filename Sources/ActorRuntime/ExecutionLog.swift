/// What an execution has printed.
package struct ExecutionLog: Sendable {
    package let bytes: [UInt8]
    package let truncated: Bool
    /// The execution has ended: nothing will be added.
    package let isFinal: Bool
}
