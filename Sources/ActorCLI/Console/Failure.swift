/// How a command ends; the numbers are documented in `--help` and must stay.
package enum Exit: Int32, Sendable {
    case ok = 0
    /// The daemon refused, or the work failed.
    case failed = 1
    case usage = 2
    case unreachable = 3
    case unauthorized = 4
}

/// Why a command gives up: one line for a person, one number for a script.
package struct Failure: Error, Sendable, CustomStringConvertible {
    package let exit: Exit
    package let message: String

    package init(_ exit: Exit, _ message: String) {
        self.exit = exit
        self.message = message
    }

    package var description: String { message }
}
