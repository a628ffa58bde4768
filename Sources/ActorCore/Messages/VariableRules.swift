/// Which variables may be given to a program by those who use it.
package enum VariableRules {
    /// Names through which a variable would change what a program is instead of what it is told.
    private static let refused: Set<String> = [
        "BASH_ENV", "ENV", "IFS", "SHELLOPTS", "BASHOPTS", "GLIBC_TUNABLES", "GCONV_PATH", "PYTHONPATH",
        "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PERL5OPT", "PERL5LIB", "RUBYOPT", "RUBYLIB",
        "NODE_OPTIONS", "NODE_PATH", "JAVA_TOOL_OPTIONS",
    ]

    /// Whether it can be a variable at all: no `=` in its name, no NUL in either.
    package static func canBeVariable(_ name: String, _ value: String) -> Bool {
        !name.isEmpty && !name.utf8.contains(0) && !name.utf8.contains(UInt8(ascii: "=")) && !value.utf8.contains(0)
    }

    package static func isRefused(_ name: String) -> Bool {
        refused.contains(name) || name.hasPrefix("LD_") || name.hasPrefix("BASH_FUNC_")
    }
}
