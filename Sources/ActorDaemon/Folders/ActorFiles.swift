import ActorCore
import Foundation

/// The files of one actor's folder, read within bounds.
struct ActorFiles {
    static let maxFileBytes = 1_048_576
    static let maxFiles = 200

    /// What runs lies here.
    let folder: String
    /// What it declares is read from here: the same, or what ``KeptDeclarations`` has of it.
    let declarations: String

    init(folder: String, declarations: String? = nil) {
        self.folder = folder
        self.declarations = declarations ?? folder
    }

    /// They are what was kept, and not what lies in the folder now.
    var isKept: Bool { declarations != folder }

    func path(_ name: String) -> String { "\(declarations)/\(name)" }
    func runnablePath(_ name: String) -> String { "\(folder)/\(name)" }

    /// Nil when it is not there.
    func read(_ name: String) throws(Problems) -> [UInt8]? {
        do {
            return try BoundedFile.read(path(name), limit: Self.maxFileBytes).bytes
        } catch let error where error.code == .notFound {
            return nil
        } catch {
            throw Problems([Problem(file: path(name), reason: error.message)])
        }
    }

    /// What decides how it runs, by name; what runs is not among it.
    func declared() throws(Problems) -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for name in ["actor.yml", "config.yml", "message.jsonschema"] { found[name] = try read(name) }
        for schema in try list("schemas", ending: ".jsonschema") {
            found[String(schema.file.dropFirst(path("").count))] = schema.text
        }
        return found
    }

    func parse(_ text: [UInt8], _ name: String) throws(Problems) -> ParsedDocument {
        do {
            return try YAMLReader().read(yaml: text, file: path(name))
        } catch {
            throw Problems(Problem.all(of: error, file: path(name)))
        }
    }

    /// The files of a subfolder whose names end so, sorted by name; none when there is no such folder.
    func list(_ subfolder: String, ending: String) throws(Problems) -> [SchemaSource] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path(subfolder))) ?? []
        let wanted = names.filter { $0.hasSuffix(ending) && !$0.hasPrefix(".") }.sorted()
        guard wanted.count <= Self.maxFiles else {
            throw Problems([Problem(file: path(subfolder), reason: "it has more than \(Self.maxFiles) files")])
        }
        var found: [SchemaSource] = []
        for name in wanted {
            guard let text = try read("\(subfolder)/\(name)") else { continue }
            found.append(SchemaSource(file: path("\(subfolder)/\(name)"), text: text))
        }
        return found
    }

    /// What lies at most two levels deep, sorted, without the parts that do not run.
    func runnable() -> [String] {
        let skipped: Set<String> = ["samples", "README.md", "__pycache__", "actor.yml", "config.yml"]
        var found: [String] = []
        for name in children(of: folder) where !skipped.contains(name) {
            var isDirectory: ObjCBool = false
            let path = runnablePath(name)
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { continue }
            if isDirectory.boolValue {
                found += children(of: path).filter { !skipped.contains($0) }.map { "\(name)/\($0)" }
            } else {
                found.append(name)
            }
        }
        return Array(found.sorted().prefix(Self.maxFiles))
    }

    private func children(of folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { !$0.hasPrefix(".") && !$0.hasSuffix(".pyc") }.sorted()
    }
}
