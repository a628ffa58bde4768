/// Which variables may be given to a program by those who use it.
package enum VariableRules {
    /// Who wants to set a variable. A folder's actor.yml is the house itself and may set all of them.
    package enum Setter: Sendable {
        /// Whoever may send.
        case message
        /// Who has made the actor over HTTP: its accounts are its owner's, the machine that it runs on is not.
        case owner
    }

    /// What a variable would change that its setter has no say in.
    package enum Refusal: Sendable, Equatable {
        /// What programs load, run, trust, or read their settings from.
        case program
        /// With whose credentials a program works, and where it sends them.
        case account
        /// What the daemon and the SDK tell a script themselves.
        case house

        /// Goes on after the variable's name and a colon.
        package var reason: String {
            switch self {
            case .program: "it changes which programs, libraries or settings files are used"
            case .account: "it changes whose credentials are used, or where they are sent"
            case .house: "it is for the daemon or the actor's owner to set"
            }
        }
    }

    /// Whether it can be a variable at all: no `=` in its name, no NUL in either.
    package static func canBeVariable(_ name: String, _ value: String) -> Bool {
        !name.isEmpty && !name.utf8.contains(0) && !name.utf8.contains(UInt8(ascii: "=")) && !value.utf8.contains(0)
    }

    /// Why a variable may not be set; nil where it only tells a program something.
    ///
    /// Refused are the names that the documentation of a loader, shell, interpreter or tool gives such a meaning, and
    /// nothing that only resembles them: whoever sends a measurement under a name of its own does not send it again.
    package static func refusal(of name: String, _ value: String, by setter: Setter) -> Refusal? {
        if isOfProgram(name, value) { return .program }
        if setter == .owner { return nil }
        if isOfAccount(name) { return .account }
        return isOfHouse(name) ? .house : nil
    }

    private static func isOfProgram(_ name: String, _ value: String) -> Bool {
        if VariableNames.programs.contains(name) { return true }
        if VariableNames.programStems.contains(where: { name.utf8.starts(with: $0.utf8) }) { return true }
        if isPythonSwitch(name) || isOption(name, value) { return true }
        // npm reads these in capitals, in small letters, or in both.
        let lower = name.lowercased()
        return lower.hasPrefix("npm_config_") || lower.hasPrefix("pnpm_config_")
    }

    private static func isOfAccount(_ name: String) -> Bool {
        if VariableNames.accounts.contains(name) { return true }
        if VariableNames.accountStems.contains(where: { name.utf8.starts(with: $0.utf8) }) { return true }
        return VariableNames.proxies.contains(name.lowercased())
    }

    /// What the SDK takes for settings and secrets (`_REACTOR…`), what the daemon says, and the SDK's switch that sends
    /// nothing.
    private static func isOfHouse(_ name: String) -> Bool {
        name.utf8.starts(with: "_REACTOR".utf8) || name.utf8.starts(with: "REACTORD".utf8) || name == "LOCALONLY"
    }

    /// PYTHONPATH, PYTHONSTARTUP and all others that the interpreter writes in one word; PYTHON and PYTHON_VERSION are
    /// anybody's.
    private static func isPythonSwitch(_ name: String) -> Bool {
        guard name.utf8.starts(with: "PYTHON".utf8), let next = name.utf8.dropFirst(6).first else { return false }
        return (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(next)
    }

    /// Ordinary names that a program reads its options from: `zip` runs what its `-TT` says, `uv` installs from where
    /// its index is. A postal code and a dose pass.
    private static func isOption(_ name: String, _ value: String) -> Bool {
        switch name {
        case "ZIP":
            var before = UInt8(ascii: " ")
            for byte in value.utf8 {
                if byte == UInt8(ascii: "-"), !NameRules.isAlphanumeric(before) { return true }
                before = byte
            }
            return false
        case "UV_INDEX":
            return !value.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: ".")
            }
        default: return false
        }
    }
}
