/// The name of a command: the execution it belongs to, a dash, and what tells it from others of that execution.
package struct WorkID: Sendable, Hashable {
    package let text: String

    package init(_ text: String) { self.text = text }

    /// - Parameter run: counted from 1; an attempt that was cut off and the one that goes on with it share a number.
    package init(_ execution: ExecutionID, run: Int) { text = "\(execution)-\(run)" }

    package var execution: ExecutionID { ExecutionID(String(text.prefix { $0 != "-" })) }
}
