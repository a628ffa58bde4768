package import ActorCore
import Foundation
import Reactors

/// Reads `actors/*`: one folder, one actor. A bad folder never touches another one.
package struct ActorFolderLoader: Sendable {
    /// What the folders are read against.
    package struct Context: Sendable {
        package var tenant: String
        /// Owner of actors that name none.
        package var owner: String
        package var environment: [String: String]
        package var secrets: SecretsFile
        /// Finds schemas that do not compile; nil leaves that to the caller.
        package var compiler: (any SchemaCompiler)?
        /// Names of built-in reactors; nil accepts any.
        package var builtins: Set<String>?

        package init(
            tenant: String, owner: String, environment: [String: String] = [:], secrets: SecretsFile = SecretsFile(),
            compiler: (any SchemaCompiler)? = nil, builtins: Set<String>? = nil
        ) {
            self.tenant = tenant
            self.owner = owner
            self.environment = environment
            self.secrets = secrets
            self.compiler = compiler
            self.builtins = builtins
        }
    }

    /// More folders than any house has; the rest is reported.
    static let maxActors = 1000

    package let context: Context
    /// By which folders with a mistake go on; nil leaves them out.
    package let kept: KeptDeclarations?

    package init(context: Context, kept: KeptDeclarations? = nil) {
        self.context = context
        self.kept = kept
    }

    /// Blocking: call it from a thread that may wait.
    package func load(folder: String) -> LoadedFolders {
        var result = LoadedFolders()
        let found = found(in: folder)
        result.isAway = found.map { $0.isEmpty && kept?.isAnother(folder) == true } ?? true
        let folders = (result.isAway ? kept?.names : found) ?? []
        if result.isAway { result.problem = Problem(file: folder, reason: absence(isEmpty: found != nil)) }
        if folders.count > Self.maxActors {
            result.problem = Problem(
                file: folder, reason: "it has \(folders.count) folders; the first \(Self.maxActors) are read")
        }
        var loaded: [(folder: String, actor: LoadedActor)] = []
        for name in folders.prefix(Self.maxActors) {
            let one = load(one: name, in: folder)
            if !one.problems.isEmpty, !result.isAway {
                result.quarantined.append(QuarantinedFolder(folder: name, problems: one.problems))
            }
            guard var actor = one.actor else { continue }
            if result.isAway { actor.absence = result.problem?.description }
            loaded.append((name, actor))
        }
        if !result.isAway { kept?.forget(allBut: folders, of: folder) }
        // A copy of a folder in which the name was left as it is does not take the original's place.
        var owners: [String: String] = [:]
        for (name, actor) in loaded.filter({ $0.folder == $0.actor.spec.name })
            + loaded.filter({ $0.folder != $0.actor.spec.name })
        {
            let words = [actor.spec.name, actor.spec.id.rawValue].filter { !$0.isEmpty }
            if let word = words.first(where: { owners[$0] != nil }), let other = owners[word] {
                result.quarantined.append(clash(name, with: other, over: word, in: folder))
                continue
            }
            for word in words { owners[word] = name }
            result.actors.append(actor)
            if let place = result.quarantined.firstIndex(where: { $0.folder == name }) {
                result.quarantined[place].goesOn = true
            }
        }
        result.actors.sort { $0.spec.name < $1.spec.name }
        return result
    }

    /// The folders of actors, sorted; nil when it cannot be read.
    private func found(in folder: String) -> [String]? {
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        return names?.filter { name in
            guard !name.hasPrefix("."), !name.hasPrefix("_") else { return false }
            return isFolder("\(folder)/\(name)") || Self.absence(of: "\(folder)/\(name)") != nil
        }
    }

    /// Why an entry of the folder of actors shows nothing of what it stands for; nil when it does, or was taken away.
    private static func absence(of path: String) -> String? {
        var facts = stat()
        guard stat(path, &facts) != 0 else { return nil }
        let number = errno
        if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
            return "it is a link to \(target), which is not there: is its disk mounted? Mount it, or remove the link "
                + "if its actor is to go"
        }
        guard lstat(path, &facts) == 0 || errno != ENOENT else { return nil }
        return "it cannot be looked at (\(String(cString: strerror(number)))): is its disk mounted?"
    }

    /// A disk that is not mounted takes nobody's actors with it: they are known as they were declared, and their mail
    /// waits, since what they run is not there.
    private func absence(isEmpty: Bool) -> String {
        let reason =
            isEmpty
            ? "it is empty and not the folder that was read before; is its disk mounted?"
            : "the folder of the actors cannot be read; set actors.folder in config.yml"
        guard let kept, !kept.names.isEmpty else { return reason }
        return "\(reason) The mail of its actors waits until they are there again; if they are to go, remove "
            + kept.folder
    }

    private func clash(_ name: String, with other: String, over word: String, in folder: String) -> QuarantinedFolder {
        let reason = "the name or id \(word) is taken by the folder \(other); names and ids must be unique"
        return QuarantinedFolder(
            folder: name, problems: [Problem(file: "\(folder)/\(name)/actor.yml", reason: reason)])
    }

    private func isFolder(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    /// As its folder says, else as it said before the mistake that is in it now.
    private func load(one name: String, in parent: String) -> (actor: LoadedActor?, problems: [Problem]) {
        let folder = SettingsLoader.absolute("\(parent)/\(name)", from: FileManager.default.currentDirectoryPath)
        let files = ActorFiles(folder: folder)
        if let absence = Self.absence(of: folder) {
            // It is where the link leads, as it was read.
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: folder)
            let place = target.map { SettingsLoader.absolute($0, from: parent) } ?? folder
            var actor = kept?.files(of: name, folder: place).flatMap { try? load($0, name: name) }
            let wait = actor == nil ? "" : "; until then its mail waits"
            actor?.absence = "\(folder): \(absence)\(wait)"
            return (actor, [Problem(file: folder, reason: absence + wait)])
        }
        do {
            var actor = try load(files, name: name)
            let problem = kept?.keep(files, of: name) { copy in (try? load(copy, name: name)) != nil }
            actor.warnings += [problem].compactMap(\.self)
            return (actor, [])
        } catch {
            return (kept?.files(of: name, folder: folder).flatMap { try? load($0, name: name) }, error.all)
        }
    }

    private func load(_ files: ActorFiles, name: String) throws(Problems) -> LoadedActor {
        guard let declaration = try files.read("actor.yml") else {
            throw Problems([
                Problem(
                    file: files.path("actor.yml"),
                    reason: "it is missing: a folder of an actor needs at least name and run in it")
            ])
        }
        let document = try files.parse(declaration, "actor.yml")
        let problems = ProblemCollector(file: files.path("actor.yml"), lines: document.lines)
        var spec = ActorFileReader(problems: problems, context: context, isKept: files.isKept)
            .read(document.value, folder: name)
        spec.folder = files.folder
        var all = problems.problems
        let configuration = collecting(&all) { () throws(Problems) in try settings(files, actor: spec.name) }
        spec.settings = configuration??.value ?? .object([])
        spec.schemas = collecting(&all) { () throws(Problems) in try schemas(files) } ?? []
        let samples = collecting(&all) { () throws(Problems) in try files.list("samples", ending: ".json") } ?? []
        guard all.isEmpty else { throw Problems(all) }
        let missing = spec.secrets.filter { context.secrets[$0] == nil && context.environment[$0] == nil }
        let warnings =
            missing.map {
                Problem(
                    file: problems.file, line: problems.line(of: "/secrets"),
                    reason: "it may see the secret \($0), but secrets.json has none of that name")
            } + unusable(spec.webhookSecrets, problems)
        let fingerprint = Fingerprint.of(
            declaration: document.value, configuration: configuration??.source, spec: spec, files: files)
        return LoadedActor(
            spec: spec, fingerprint: fingerprint, samples: samples, warnings: warnings,
            settingProblems: configuration?.map { settingProblems(spec, $0) } ?? [])
    }

    private func settingProblems(_ spec: ActorSpec, _ configuration: Configuration) -> [Problem] {
        guard case .builtin(let name) = spec.run, let known = Catalog.settings[name] else { return [] }
        for detail in known.problems(in: spec.settings) {
            configuration.problems.report(detail.place, "\(Pointer.dotted(detail.place)) \(detail.problem)")
        }
        return configuration.problems.problems
    }

    private struct Configuration {
        let value: JSONValue
        let source: [UInt8]
        /// Knows where each value comes from.
        let problems: ProblemCollector
    }

    private func unusable(_ webhookSecrets: [String], _ problems: ProblemCollector) -> [Problem] {
        webhookSecrets
            .filter { WebhookSecret(context.environment[$0] ?? context.secrets[$0] ?? "") == nil }
            .map {
                Problem(
                    file: problems.file, line: problems.line(of: "/webhook_secrets"),
                    reason: "nothing is signed with the secret \($0): secrets.json has no whsec_… text of that name")
            }
    }

    private func collecting<Value>(
        _ all: inout [Problem], _ body: () throws(Problems) -> Value
    ) -> Value? {
        do {
            return try body()
        } catch {
            all += error.all
            return nil
        }
    }

    /// The actor's `config.yml`. A `~` or a text in it is taken from `_REACTOR_<ACTOR>_<KEY>`, else `_REACTOR_<KEY>`,
    /// each from the environment first and then from `secrets.json`.
    private func settings(
        _ files: ActorFiles, actor: String
    ) throws(Problems) -> Configuration? {
        guard let text = try files.read("config.yml") else { return nil }
        let document = try files.parse(text, "config.yml")
        guard document.value.isNull || document.value.object != nil else {
            let reason = "it takes a mapping (key: value), not \(StrictMapping.kind(of: document.value))"
            throw Problems([Problem(file: files.path("config.yml"), line: 1, reason: reason)])
        }
        let filled = VariableOverrides.apply(to: document.value) { keys in
            for names in [[actor] + keys, keys] {
                let variable = VariableOverrides.variable(for: names)
                if let value = context.environment[variable] ?? context.secrets[variable] { return (variable, value) }
            }
            return nil
        }
        return Configuration(
            value: filled.value.isNull ? .object([]) : filled.value, source: text,
            problems: ProblemCollector(
                file: files.path("config.yml"), lines: document.lines, origins: filled.origins))
    }

    private func schemas(_ files: ActorFiles) throws(Problems) -> [SchemaSource] {
        var found: [SchemaSource] = []
        if let text = try files.read("message.jsonschema") {
            found.append(SchemaSource(file: files.path("message.jsonschema"), text: text))
        }
        found += try files.list("schemas", ending: ".jsonschema")
        var problems: [Problem] = []
        for source in found {
            do {
                _ = try JSONReader.read(source.text, maxDepth: 128)
                _ = try context.compiler?.compile(source)
            } catch let error as JSONReader.Failure {
                let line = source.text.prefix(error.offset).count { $0 == UInt8(ascii: "\n") } + 1
                problems.append(Problem(file: source.file, line: line, reason: "not valid JSON: \(error.reason)"))
            } catch let error as ActorError {
                problems += error.details.map { Problem(file: source.file, reason: "\($0.place): \($0.problem)") }
                if error.details.isEmpty { problems.append(Problem(file: source.file, reason: error.message)) }
            } catch {
                problems.append(Problem(file: source.file, reason: "\(error)"))
            }
        }
        guard problems.isEmpty else { throw Problems(problems) }
        return found
    }
}

/// Everything wrong in one folder, as an error.
struct Problems: Error {
    let all: [Problem]

    init(_ all: [Problem]) { self.all = all }
}
