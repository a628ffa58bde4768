package import ActorCore

/// What is known of the objects at one path: what the last list held, and what watches from there on have told.
package struct KubeView: Sendable, Equatable {
    /// A list is taken anew after so long, whatever watches have told.
    private static let longest: Int64 = 600_000

    /// From where a watch goes on; nil: it has to be listed first.
    package private(set) var version: String?
    private var items: [String: JSONValue] = [:]
    private var listed = Timestamp(milliseconds: 0)
    /// A watch has covered all the time since the last look.
    private var isWatched = false

    package init() {}

    package mutating func list(_ objects: [JSONValue], version: String?, now: Timestamp) {
        items = Dictionary(objects.map { (Self.name($0) ?? "", $0) }) { $1 }
        self.version = version
        listed = now
        isWatched = false
    }

    /// A watch was answered.
    package mutating func begin() { isWatched = version != nil }

    /// The watch ended in a way that may have swallowed something.
    package mutating func breakOff() { isWatched = false }

    /// One event of a watch; true when an object is another one now.
    package mutating func hear(_ event: JSONValue) -> Bool {
        guard let object = event["object"], let type = event["type"]?.string,
            let next = object["metadata"]?["resourceVersion"]?.string, type != "ERROR"
        else {
            // Too old (410), or nothing that we know: it begins with a list again.
            version = nil
            isWatched = false
            return true
        }
        version = next
        guard let name = Self.name(object), type != "BOOKMARK" else { return false }
        if type == "DELETED" { items.removeValue(forKey: name) } else { items[name] = object }
        return true
    }

    /// All objects, when they are known without asking; after that a watch has to begin anew.
    package mutating func take(now: Timestamp) -> [JSONValue]? {
        guard isWatched, now.since(listed) < Self.longest else { return nil }
        isWatched = false
        return items.sorted { $0.key < $1.key }.map(\.value)
    }

    private static func name(_ object: JSONValue) -> String? { object["metadata"]?["name"]?.string }
}
