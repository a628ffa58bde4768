import ActorCore
import Crypto

/// Tells whether what an actor runs has changed.
enum Fingerprint {
    /// SHA-256, hex, over the declaration, the settings as they are written (no secrets), the schemas and the files
    /// that a command may read. README and samples do not count.
    static func of(
        declaration: JSONValue, configuration: [UInt8]?, spec: ActorSpec, files: ActorFiles
    ) -> String {
        var hash = SHA256()
        func add(_ name: String, _ bytes: [UInt8]) {
            hash.update(data: Array("\(name)\u{0}\(bytes.count)\u{0}".utf8))
            hash.update(data: bytes)
        }
        add("actor.yml", Array(PythonText.minified(declaration.removing("description")).utf8))
        add("config.yml", configuration ?? [])
        for name in files.runnable() {
            // A file that is too large or not regular counts by its name.
            let content = try? BoundedFile.read(files.runnablePath(name), limit: ActorFiles.maxFileBytes)
            add(name, content?.bytes ?? [])
        }
        return Hexadecimal.text(hash.finalize())
    }
}
