internal import ActorCore
internal import Foundation

/// Finds the folder of the Python packages that scripts import, `sdk/python` of the repository.
enum PythonPackages {
    /// What has to lie in it.
    private static let mark = "reactors/__init__.py"
    /// From the folder of the binary: as it is installed, and as it is built (`.build/release`, and the folder that
    /// this is a link to).
    private static let places = ["../share/reactord/python", "../../sdk/python", "../../../sdk/python"]

    /// Nil when they are nowhere to be found: scripts that import them have to install them.
    static func folder(_ settings: Settings) throws(ActorError) -> String? {
        if let given = settings.executors.process.pythonPath {
            guard isUsable(given) else { throw refusal(given, settings) }
            return given
        }
        guard let binary = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            return nil
        }
        let folder = (binary as NSString).deletingLastPathComponent
        return places.map { ("\(folder)/\($0)" as NSString).standardizingPath }.first { isOurs($0) && isUsable($0) }
    }

    /// A colon parts one folder from the next in PYTHONPATH.
    static func isUsable(_ folder: String) -> Bool {
        !folder.contains(":") && FileManager.default.fileExists(atPath: "\(folder)/\(mark)")
    }

    static func refusal(_ folder: String, _ settings: Settings) -> ActorError {
        ActorError(
            .cannotStart, "executors.process.python_path cannot be used",
            details: [
                ActorError.Detail(
                    place: settings.file ?? "config.yml",
                    problem: "executors.process.python_path: \(folder) has no \(mark) in it, or a colon in its name; "
                        + "name the folder sdk/python of the repository, or leave the key out")
            ])
    }

    /// What nobody named must not be anybody's: a stranger's folder of that name would be run by every script.
    private static func isOurs(_ folder: String) -> Bool {
        var status = stat()
        guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return false }
        return [0, geteuid()].contains(status.st_uid) && status.st_mode & S_IWOTH == 0
    }
}
