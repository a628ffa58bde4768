package import ActorCore

/// What a job file says about itself to the ingest, besides `reactord/applies-to`.
package struct JobAnnotations: Sendable, Equatable {
    /// Other job files of the upload that have to end well first: `reactord/depends-on: spikes.yaml, ../all.yaml`.
    package static let dependsOn = "reactord/depends-on"
    /// A condition on the upload: `reactord/applies-if: metadata.instrument ~ "MEA*"`.
    package static let appliesIf = "reactord/applies-if"

    /// Paths below the folder of job files.
    package let dependencies: [String]
    package let condition: UploadCondition?
    package let problems: [JobManifest.Problem]

    /// - Parameter path: of the job file, below the folder of job files; what it names without a slash lies beside it.
    package init(_ document: ParsedDocument, path: String) {
        let annotations = document.value["metadata"]?["annotations"]
        var problems: [JobManifest.Problem] = []
        func text(_ name: String) -> String? {
            guard let value = annotations?[name], !value.isNull else { return nil }
            if let text = value.string { return text }
            report(name, "must be text: put it in quotes")
            return nil
        }
        func report(_ name: String, _ reason: String) {
            let place = "/metadata/annotations/\(name.split(separator: "/").joined(separator: "~1"))"
            let line = document.lines[place] ?? document.lines["/metadata/annotations"] ?? document.lines["/metadata"]
            problems.append(.init(place: place, line: line, reason: reason))
        }
        let folder = path.split(separator: "/").dropLast().map(String.init)
        dependencies = JobSelection.globs(text(Self.dependsOn) ?? "").map { Self.resolve($0, in: folder) }
        if dependencies.contains(path) { report(Self.dependsOn, "a job file cannot depend on itself") }
        var condition: UploadCondition?
        if let written = text(Self.appliesIf) {
            do {
                condition = try UploadCondition(parsing: written)
            } catch {
                report(Self.appliesIf, "\(error)")
            }
        }
        self.condition = condition
        self.problems = problems
    }

    /// `x.yaml` beside the file, `./x.yaml` and `../x.yaml` from it, anything else with a slash from the top.
    private static func resolve(_ name: String, in folder: [String]) -> String {
        let parts = name.split(separator: "/").map(String.init)
        guard parts.count == 1 || parts[0] == "." || parts[0] == ".." else { return parts.joined(separator: "/") }
        var path = folder
        for part in parts where part != "." {
            if part == ".." { _ = path.popLast() } else { path.append(part) }
        }
        return path.joined(separator: "/")
    }
}

/// In which order the job files of an upload run: side by side, but for those that wait for others.
package enum JobFileOrder {
    /// What the other job files of the upload have come to.
    package enum Standing: Sendable, Equatable {
        /// Its job ended well.
        case succeeded
        /// Its job runs, or waits itself.
        case underWay
        /// It will not end well by itself: failed, blocked, not for this upload, invalid or not there.
        case stopped(String)
    }

    package enum Verdict: Sendable, Equatable {
        case start
        case wait
        case blocked(String)
    }

    /// Whether a job file may start, given what it depends on.
    package static func verdict(after files: [String], _ standing: (String) -> Standing) -> Verdict {
        var isWaiting = false
        for file in files {
            switch standing(file) {
            case .succeeded: continue
            case .underWay: isWaiting = true
            case .stopped(let reason): return .blocked("depends on \(file), \(reason)")
            }
        }
        return isWaiting ? .wait : .start
    }

    /// Files that wait for themselves over others; each with the ring it is in.
    package static func rings(_ dependencies: [String: [String]]) -> [String: [String]] {
        var rings: [String: [String]] = [:]
        for file in dependencies.keys.sorted() where rings[file] == nil {
            var path = [file]
            var seen: Set<String> = [file]
            if let ring = search(file, &path, &seen, dependencies) {
                for member in ring { rings[member] = ring }
            }
        }
        return rings
    }

    /// The way from the first of `path` back to it, if there is one.
    private static func search(
        _ file: String, _ path: inout [String], _ seen: inout Set<String>, _ dependencies: [String: [String]]
    ) -> [String]? {
        for next in dependencies[file] ?? [] {
            if next == path[0] { return path }
            guard seen.insert(next).inserted else { continue }
            path.append(next)
            if let ring = search(next, &path, &seen, dependencies) { return ring }
            path.removeLast()
        }
        return nil
    }
}
