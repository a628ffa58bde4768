import ActorCore
import Glibc

/// Why a command never ran, or not to its end, in words for its owner.
struct Unstartable: Error, Equatable {
    let reason: String
    /// For want of something that this machine may have again in a moment.
    let isTransient: Bool

    init(_ reason: String, isTransient: Bool = false) {
        self.reason = reason
        self.isTransient = isTransient
    }

    var end: WorkResult.End { isTransient ? .engineFailed(reason) : .couldNotStart(reason) }

    /// What kept a command from becoming itself, as its supervisor told it.
    static func of(stage: String, number: Int32) -> Unstartable {
        let isTransient = isTransient(number)
        switch (stage, number) {
        case ("program", ENOEXEC):
            return Unstartable("it is not a program: a script's first line must be #! and its interpreter")
        case ("program", E2BIG): return Unstartable("its arguments and environment are too long: pass data in files")
        case ("program", ENOENT), ("program", EACCES), ("program", ENOTDIR):
            return Unstartable(
                "it could not be started: the interpreter named in its first line does not exist or may not be run")
        case ("program", _):
            return Unstartable("it could not be started: \(Launch.text(of: number))", isTransient: isTransient)
        case ("user", _), ("group", _), ("privileges", _):
            return Unstartable(
                "it could not become the user of executors.process.user: \(Launch.text(of: number)); the daemon has to "
                    + "run as root for that")
        case ("folder", _):
            return Unstartable(
                "its working directory could not be entered: \(Launch.text(of: number))", isTransient: isTransient)
        case ("cgroup", _):
            return Unstartable(
                "its cgroup could not be joined: \(Launch.text(of: number)); see executors.process.cgroup",
                isTransient: true)
        default: return Unstartable("\(stage): \(Launch.text(of: number))", isTransient: isTransient)
        }
    }

    static func isTransient(_ number: Int32) -> Bool {
        [ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EAGAIN, EIO].contains(number)
    }
}

/// A work order that was checked: the program that was found, and its strings as execve takes them, each with its NUL.
struct Launch: Sendable, Equatable {
    /// Absolute.
    let program: String
    /// The first is the name that the program was called by.
    let arguments: [[UInt8]]
    /// `NAME=value` each.
    let environment: [[UInt8]]
    let workingDirectory: String

    static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    /// The longest string that execve takes, its closing NUL included (MAX_ARG_STRLEN, execve(2)).
    static let longestString = 131_072

    /// Blocking: looks at the file system.
    /// - Parameter pythonPath: a folder for the end of PYTHONPATH.
    init(_ work: Work, pythonPath: String? = nil) throws(Unstartable) {
        guard let name = work.command.first, !name.isEmpty else {
            throw Unstartable("the command is empty: give a program and its arguments")
        }
        let entries = try Self.environment(of: work, pythonPath: pythonPath)
        environment = entries.map { Array("\($0.name)=\($0.value)\0".utf8) }
        arguments = try Self.arguments(of: work)
        workingDirectory = work.workingDirectory
        try Self.checkFolder(work.workingDirectory)
        // The house's own or that of an actor.yml: of a message no PATH arrives here (VariableRules).
        let path = entries.last { $0.name == "PATH" }?.value ?? Self.defaultPath
        program = try Self.find(name, path: path, workingDirectory: work.workingDirectory)
        try Self.checkInterpreter(of: program)
    }

    /// Exactly what was given, the later of two of one name, and PATH and LANG where they are missing; PYTHONPATH with
    /// one more folder, behind those of the actor's own.
    private static func environment(
        of work: Work, pythonPath: String?
    ) throws(Unstartable) -> [EnvironmentEntry] {
        var values: [String: String] = [:]
        var order: [String] = []
        for entry in work.environment {
            guard !entry.name.isEmpty, !entry.name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "=") }) else {
                throw Unstartable(
                    "\"\(printable(entry.name))\" cannot be the name of an environment variable: rename it")
            }
            guard !entry.value.utf8.contains(0) else {
                throw Unstartable("the environment variable \(entry.name) holds a NUL byte: pass it in a file")
            }
            guard entry.name.utf8.count + entry.value.utf8.count + 2 <= longestString else {
                throw Unstartable(
                    "the environment variable \(entry.name) is longer than 128 KiB, Linux's limit: pass it in a file"
                )
            }
            if values.updateValue(entry.value, forKey: entry.name) == nil { order.append(entry.name) }
        }
        if let pythonPath {
            if values["PYTHONPATH"] == nil { order.append("PYTHONPATH") }
            let folders = [values["PYTHONPATH"] ?? "", pythonPath]
            values["PYTHONPATH"] = folders.filter { !$0.isEmpty }.joined(separator: ":")
        }
        for (name, value) in [("PATH", defaultPath), ("LANG", "C.UTF-8")] where values[name] == nil {
            values[name] = value
            order.append(name)
        }
        return order.map { EnvironmentEntry($0, values[$0] ?? "") }
    }

    private static func arguments(of work: Work) throws(Unstartable) -> [[UInt8]] {
        for (index, argument) in work.command.enumerated() {
            guard !argument.utf8.contains(0) else {
                throw Unstartable("argument \(index) of the command holds a NUL byte: pass it in a file")
            }
            guard argument.utf8.count < longestString else {
                throw Unstartable(
                    "argument \(index) of the command is longer than 128 KiB (Linux's limit): pass it in a file")
            }
        }
        return work.command.map { Array($0.utf8) + [0] }
    }

    private static func checkFolder(_ path: String) throws(Unstartable) {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw Unstartable("the working directory \"\(printable(path))\" is not an absolute path")
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw Unstartable("the working directory \(path) does not exist: create it, or correct the path")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw Unstartable("the working directory \(path) is not a folder")
        }
        guard access(path, X_OK) == 0 else {
            throw Unstartable("the working directory \(path) may not be entered: chmod +x \(path)")
        }
    }

    /// A name with a slash is a path from the working directory; any other is looked up in PATH, as execvp(3) does.
    private static func find(_ name: String, path: String, workingDirectory: String) throws(Unstartable) -> String {
        if name.utf8.contains(UInt8(ascii: "/")) {
            let program = absolute(name, in: workingDirectory)
            switch verdict(on: program) {
            case .runnable: return program
            case .missing: throw Unstartable("the program \(program) does not exist: correct the path, or install it")
            case .folder: throw Unstartable("the program \(program) is a folder: name the program in it")
            case .notExecutable:
                throw Unstartable("the program \(program) is not executable: chmod +x \(program)")
            }
        }
        var found: String?
        for folder in path.split(separator: ":", omittingEmptySubsequences: true) {
            let program = absolute("\(folder)/\(name)", in: workingDirectory)
            switch verdict(on: program) {
            case .runnable: return program
            case .notExecutable: found = found ?? program
            case .missing, .folder: continue
            }
        }
        if let found { throw Unstartable("the program \(found) is not executable: chmod +x \(found)") }
        throw Unstartable(
            "the program \(printable(name)) does not exist in PATH (\(path)): install it, or give its path with a slash"
        )
    }

    /// The kernel says of a script only that something is not there; here is known what.
    private static func checkInterpreter(of program: String) throws(Unstartable) {
        let descriptor = open(program, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        // What may be run but not be read is left to the kernel.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 2, bytes.starts(with: "#!".utf8) else { return }
        let line = bytes[2..<count].prefix { $0 != UInt8(ascii: "\n") }
        let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard let first = words.first, line.count + 2 < count else { return }
        // `env` takes the CR for a part of the name too; other interpreters may forgive one behind an option.
        if line.last == UInt8(ascii: "\r"), words.count == 1 || first.suffix(4).elementsEqual("/env".utf8) {
            throw Unstartable(
                "\(program) could not be started: its first line ends with CR, as Windows writes it, so the "
                    + "interpreter named there does not exist: sed -i 's/\\r$//' \(program)")
        }
        let interpreter = String(decoding: first, as: UTF8.self)
        guard interpreter.hasPrefix("/"), access(interpreter, F_OK) != 0, errno == ENOENT else { return }
        throw Unstartable(
            "\(program) could not be started: the interpreter named in its first line does not exist: "
                + "\(printable(interpreter))")
    }

    private static func absolute(_ path: String, in folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }

    private enum Verdict { case runnable, missing, folder, notExecutable }

    private static func verdict(on path: String) -> Verdict {
        var status = stat()
        guard stat(path, &status) == 0 else { return .missing }
        if status.st_mode & S_IFMT == S_IFDIR { return .folder }
        return access(path, X_OK) == 0 ? .runnable : .notExecutable
    }

    /// Text from a message, fit for one line of an error.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(200).map { $0.value < 0x20 ? "?" : $0 }))
    }

    /// Opens the log for appending: a regular file, never through a link that the command may have laid.
    static func openLog(_ path: String) throws(Unstartable) -> Int32 {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        let descriptor = open(path, flags, 0o600)
        let problem = errno
        guard descriptor >= 0 else {
            throw Unstartable(
                "the log file \(path) cannot be opened: \(text(of: problem))",
                isTransient: Unstartable.isTransient(problem))
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw Unstartable("the log file \(path) is not a regular file: remove it")
        }
        return descriptor
    }

    static func text(of number: Int32) -> String {
        // strerror is not thread-safe in general; these are the errors that matter here.
        switch number {
        case ENOENT: "no such file or folder"
        case EACCES: "permission denied"
        case ELOOP: "it is a symbolic link"
        case ENOSPC: "no space left on the disk"
        case EMFILE, ENFILE: "too many open files"
        case ENOTDIR: "a part of the path is not a folder"
        case EROFS: "the file system is read-only"
        case ENOMEM, EAGAIN: "the machine has no room for another process"
        default: "error \(number)"
        }
    }
}
