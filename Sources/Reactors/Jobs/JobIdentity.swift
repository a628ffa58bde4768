package import ActorCore

/// How pipelines and jobs get their ids: the same components or the same parameters are the same thing
/// (PipelineJobs, sections 4.2 and 4.3). Every id comes with the text that it is the hash of.
package enum JobIdentity {
    /// The text that a pipeline's id is made from.
    ///
    /// - Parameter id: of the second generation only; without one the original hashed a placeholder.
    package static func pipelineText(
        _ generation: JobGeneration, id: String?, components: [JSONValue]
    ) -> String {
        switch generation {
        case .first: PythonText.minified(.array(PipelineComponents.identified(components)))
        case .second:
            "\(id ?? "pipeline.id"):\(PythonText.minified(.array(PipelineComponents.classified(components))))"
        }
    }

    package static func pipeline(
        _ generation: JobGeneration, id: String?, components: [JSONValue]
    ) -> PipelineID {
        let text = pipelineText(generation, id: id, components: components)
        return PipelineID(generation == .first ? TypedUUID.plain(text) : TypedUUID.make(TypedUUID.pipeline, text))
    }

    /// The daemon's own pipelines: all that they are made of takes part in the id, whatever its class.
    package static func pipeline(id: String, components: JSONValue) -> PipelineID {
        PipelineID(TypedUUID.make(TypedUUID.pipeline, "\(id):\(PythonText.minified(components))"))
    }

    /// First generation: the same actor and data are the same job.
    package static func jobText(actor: ActorID?, data: JSONValue?) -> String {
        PythonText.minified(["actor_id": JSONValue(actor?.rawValue), "data": data ?? .null])
    }

    /// Second generation: what is absent takes no part in the id; actor, session and path never do.
    package static func jobText(pipeline: PipelineID, childOf: [String]?, data: JSONValue?) -> String {
        var parts = [pipeline.rawValue]
        if let childOf { parts.append(PythonText.repr(.array(sortedUnique(childOf).map { .string($0) }))) }
        if let data { parts.append(PythonText.minified(data)) }
        // The original sorts by code point, not by locale.
        parts.sort { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
        return parts.joined(separator: ":")
    }

    package static func job(actor: ActorID?, data: JSONValue?) -> JobID {
        JobID(TypedUUID.plain(jobText(actor: actor, data: data)))
    }

    package static func job(pipeline: PipelineID, childOf: [String]?, data: JSONValue?) -> JobID {
        JobID(TypedUUID.make(TypedUUID.job, jobText(pipeline: pipeline, childOf: childOf, data: data)))
    }

    static func sortedUnique(_ uuids: [String]) -> [String] { Set(uuids).sorted() }
}

/// Where a job's outputs belong (section 4.6).
package enum ArchivePath {
    /// First generation; to be followed by the instance directory. A pipeline alone is enough where neither lab nor
    /// experiment were given: the original insisted on both.
    package static func make(pipeline: PipelineID, subject: JobSubject) -> String {
        let names = [subject.lab, subject.experiment, subject.measurement].compactMap(\.self)
        return (["/products/v1"] + names.map(TypedUUID.plain) + [pipeline.rawValue]).joined(separator: "/")
    }

    /// Second generation.
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

    /// Whether `path` is one of those that jobs of a pipeline get: `/products/v1/…` or `/products/v2/…`, at most lab,
    /// experiment and measurement, the pipeline, and something more.
    package static func isOwn(_ path: String, of pipeline: PipelineID) -> Bool {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.count > 3, parts[0] == "products", ["v1", "v2"].contains(parts[1]) else { return false }
        let names = [pipeline.rawValue, pipeline.rawValue.filter { $0 != "-" }]
        guard let place = parts.firstIndex(where: names.contains), (2...5).contains(place) else { return false }
        let isBelowIDs = parts[2..<place].allSatisfy {
            TypedUUID.normalized($0) != nil || Hexadecimal.bytes($0)?.count == 16
        }
        return isBelowIDs && parts.count > place + 1
    }

    /// Whether a path that came from outside may be used: plain names, nothing that leads elsewhere.
    package static func isAcceptable(_ path: String) -> Bool {
        NameRules.isUploadPath(path.hasPrefix("/") ? String(path.dropFirst()) : path)
    }
}
