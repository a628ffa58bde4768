package import ActorCore
import Foundation

/// Reads `config.yml`: variables over `secrets.json` over the file, strictly, all problems at once.
package enum SettingsLoader {
    /// Keys whose default is `~`: a variable fills them even when the file leaves them out.
    static let open: [[String]] = [
        ["server", "public_url"], ["auth", "tokens_file"], ["inbox", "folder"], ["archive", "folder"],
        ["pipelines", "updates_nonce"], ["executors", "process", "python_path"], ["executors", "container", "runtime"],
        ["executors", "kubernetes", "kubeconfig"], ["executors", "kubernetes", "context"],
        ["executors", "argo", "server"], ["executors", "slurm", "partition"], ["executors", "slurm", "account"],
        ["executors", "slurm", "binaries"],
        ["connectors", "s3", "endpoint"], ["connectors", "s3", "access_key"], ["connectors", "s3", "secret_key"],
        ["connectors", "s3", "session_token"],
        ["connectors", "ica", "api_key"], ["connectors", "basespace", "access_token"],
        ["connectors", "ec2", "endpoint"], ["connectors", "ec2", "access_key"], ["connectors", "ec2", "secret_key"],
    ]

    /// - Parameters:
    ///   - file: nil takes `config.yml` of the current folder, and the defaults when there is none.
    ///   - secretsFile: nil takes `secrets.json` beside it.
    /// - Throws: `invalidInput` with one detail for each problem.
    package static func load(
        file: String?, environment: [String: String], secretsFile: String? = nil
    ) throws(ActorError) -> Settings {
        let path = absolute(file ?? "config.yml", from: FileManager.default.currentDirectoryPath)
        let home = (path as NSString).deletingLastPathComponent
        let secrets = try SecretsFile.load(secretsFile ?? home + "/secrets.json")
        let text: [UInt8]
        do {
            text = try BoundedFile.read(path, limit: 1_048_576).bytes
        } catch let error where error.code == .notFound && file == nil {
            var settings = try read([], file: nil, home: home, environment: environment, secrets: secrets)
            settings.warnings += secrets.warnings
            return settings
        } catch {
            let reason = error.code == .notFound ? "it is not there; name another with --config" : error.message
            throw ActorError(
                .invalidInput, "\(path) cannot be used", details: [ActorError.Detail(place: path, problem: reason)])
        }
        var settings = try read(text, file: path, home: home, environment: environment, secrets: secrets)
        settings.warnings += secrets.warnings
        return settings
    }

    /// The same from text in memory.
    package static func read(
        _ text: [UInt8], file: String?, home: String, environment: [String: String], secrets: SecretsFile
    ) throws(ActorError) -> Settings {
        let name = file ?? "config.yml"
        let document = try YAMLReader().read(yaml: text, file: name)
        let filled = VariableOverrides.apply(to: opened(document.value)) { keys in
            let variable = VariableOverrides.variable(for: keys)
            return (environment[variable] ?? secrets[variable]).map { (variable, $0) }
        }
        let problems = ProblemCollector(file: name, lines: document.lines, origins: filled.origins)
        var settings = Settings(file: file, home: home)
        settings.secrets = secrets
        SettingsReader(problems: problems, home: home).read(filled.value, into: &settings)
        guard problems.problems.isEmpty else {
            throw ActorError(
                .invalidInput, "\(name) cannot be used",
                details: problems.problems.map { ActorError.Detail(place: $0.place, problem: $0.reason) })
        }
        return settings
    }

    /// The file's tree with every key of `open` in it.
    private static func opened(_ value: JSONValue) -> JSONValue {
        guard value.isNull || value.object != nil else { return value }
        var tree = value.isNull ? .object([]) : value
        for keys in open { tree = adding(keys[...], to: tree) }
        return tree
    }

    private static func adding(_ keys: ArraySlice<String>, to tree: JSONValue) -> JSONValue {
        guard let key = keys.first, tree.object != nil else { return tree }
        guard keys.count > 1 else { return tree[key] == nil ? tree.setting(key, .null) : tree }
        let child = tree[key] ?? .null
        let start: JSONValue = child.isNull ? .object([]) : child
        return tree.setting(key, adding(keys.dropFirst(), to: start))
    }

    static func absolute(_ path: String, from folder: String) -> String {
        let whole = path.hasPrefix("/") ? path : "\(folder)/\(path)"
        return (whole as NSString).standardizingPath
    }
}
