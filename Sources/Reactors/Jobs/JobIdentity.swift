package import ActorCore

/// How pipelines and jobs get their ids: the same components or the same parameters are the same thing (section 4.3).
package enum JobIdentity {
    /// - Parameter components: in the order in which they were registered.
    package static func pipeline(id: String, components: JSONValue) -> PipelineID {
        PipelineID(TypedUUID.make(TypedUUID.pipeline, "\(id):\(PythonText.minified(components))"))
    }

    /// What is absent takes no part in the id; actor, session and path never do.
    package static func job(pipeline: PipelineID, childOf: [String]?, data: JSONValue?) -> JobID {
        var parts = [pipeline.rawValue]
        if let childOf { parts.append(PythonText.repr(.array(sortedUnique(childOf).map { .string($0) }))) }
        if let data { parts.append(PythonText.minified(data)) }
        // The original sorts by code point, not by locale.
        parts.sort { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
        return JobID(TypedUUID.make(TypedUUID.job, parts.joined(separator: ":")))
    }

    static func sortedUnique(_ uuids: [String]) -> [String] { Set(uuids).sorted() }
}

/// Where a job's outputs belong (section 4.6, second generation).
package enum ArchivePath {
    package static func make(pipeline: PipelineID, childOf: [String]?, data: JSONValue?) -> String {
        let parents = JobIdentity.sortedUnique(childOf ?? []).joined(separator: ":")
        let parameters = PythonText.minified(data ?? .object([]))
        let path = "/products/v2/\(pipeline.rawValue)/\(element(parents))/\(element(parameters))"
        return path.filter { $0 != "-" }
    }

    /// One path element: the Hashid of the generic UUID of `text`.
    package static func element(_ text: String) -> String {
        Hashids.catalogue.encode(TypedUUID.number(TypedUUID.make(TypedUUID.generic, text)))
    }

    /// `solid-snake-20180913T162843Z`: keeps repeated runs of one job apart.
    package static func instance(session: String, at now: Timestamp) -> String {
        "\(session)\(session.hasSuffix("-") ? "" : "-")\(now.compact)"
    }

    /// Whether a path that came from outside may be used: plain names, nothing that leads elsewhere.
    package static func isAcceptable(_ path: String) -> Bool {
        NameRules.isUploadPath(path.hasPrefix("/") ? String(path.dropFirst()) : path)
    }
}
