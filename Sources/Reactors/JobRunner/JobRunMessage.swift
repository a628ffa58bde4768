package import ActorCore

/// One job to run: what the ingest sends to the job runner.
package struct JobRunMessage: Sendable, Equatable {
    /// The upload that the job analyses.
    package struct Upload: Sendable, Equatable {
        package var name: String
        /// Absolute; empty for a job that was run by hand.
        package var folder: String
        package var number: Int

        package init(name: String, folder: String, number: Int) {
            self.name = name
            self.folder = folder
            self.number = number
        }
    }

    package var job: JobID
    /// The job's archive path.
    package var path: String
    /// The URL that moves the job; a status or an event is put behind it.
    package var callback: String
    package var name: String
    package var upload: Upload
    package var spec: JobSpec
    /// The job file it came from.
    package var file: String

    package init(
        job: JobID, path: String, callback: String, name: String, upload: Upload, spec: JobSpec, file: String
    ) {
        self.job = job
        self.path = path
        self.callback = callback
        self.name = name
        self.upload = upload
        self.spec = spec
        self.file = file
    }

    /// The alias of the actor that runs it: a job that an engine is given must not wait behind local ones.
    package var runner: String { JobRules.isEngine(spec.executor) ? "job-engines" : "job-runner" }

    package var json: JSONValue {
        [
            "kind": "run",
            "job": [
                "uuid": .string(job.rawValue), "path": .string(path), "callback": .string(callback),
            ],
            "name": .string(name),
            "upload": [
                "name": .string(upload.name), "folder": .string(upload.folder), "number": JSONValue(upload.number),
            ],
            "spec": spec.json, "source": ["file": .string(file)],
        ]
    }

    package static func decode(_ json: JSONValue?) throws(ReactorFailure) -> JobRunMessage {
        guard let json, json["kind"]?.string == "run" else {
            throw ReactorFailure(.refused, "the job runner takes messages of kind \"run\", which the ingest sends")
        }
        let upload = Upload(
            name: try text(json, "upload", "name"), folder: json["upload"]?["folder"]?.string ?? "",
            number: json["upload"]?["number"]?.int ?? 1)
        return JobRunMessage(
            job: JobID(try text(json, "job", "uuid")), path: try text(json, "job", "path"),
            callback: try text(json, "job", "callback"), name: json["name"]?.string ?? upload.name, upload: upload,
            spec: try JobSpec(json: json["spec"] ?? .null, at: "/spec"), file: json["source"]?["file"]?.string ?? "")
    }

    private static func text(_ json: JSONValue, _ section: String, _ name: String) throws(ReactorFailure) -> String {
        guard let text = json[section]?[name]?.string, !text.isEmpty else {
            throw ReactorFailure(.refused, "/\(section)/\(name): must be there, as text")
        }
        return text
    }
}
