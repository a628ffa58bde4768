package import ActorCore

/// Files and references that a job's parameters name (PipelineJobs, section 8.3, last paragraph).
///
/// The lists are the predecessor's to the letter, its prefixing of whatever it does not recognise included: what that
/// makes names nothing in the catalogue, so it links nothing.
package enum DataReferences {
    private static let base = "agave://\(CatalogueFile.system)"
    private static let longest = 4096
    private static let maxCount = 10_000

    package static func files(in data: JSONValue) -> [String] {
        collect(data) { text in
            let path = text.hasPrefix(base) ? String(text.dropFirst(base.count)) : text
            return path.hasPrefix("/uploads/") || path.hasPrefix("/products/")
        }
    }

    package static func references(in data: JSONValue) -> [String] {
        collect(data) { text in
            if text.hasPrefix("http:") || text.hasPrefix("https:") { return true }
            let path = text.hasPrefix(base) ? String(text.dropFirst(base.count)) : text
            return path.hasPrefix("/reference/")
        }
    }

    private static func collect(_ data: JSONValue, _ isMeant: (String) -> Bool) -> [String] {
        var found: [String] = []
        for text in texts(data["inputs"]?.array) where isMeant(text) { found.append(text) }
        for text in texts(data["inputs"]?.object?.map(\.value)) { found.append(isMeant(text) ? text : base + text) }
        let parameters = data["parameters"]
        for text in texts(parameters?.array ?? parameters?.object?.map(\.value)) where isMeant(text) {
            found.append(text)
        }
        return Array(found.prefix(maxCount))
    }

    private static func texts(_ values: [JSONValue]?) -> [String] {
        (values ?? []).compactMap(\.string).filter { $0.utf8.count <= longest }
    }
}
