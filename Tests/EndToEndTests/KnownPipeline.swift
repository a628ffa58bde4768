import ActorCore

/// Pipelines that the documents of the job catalogue name; a job of one that nobody has registered is refused.
enum KnownPipeline: String {
    /// Of the first generation.
    case tacobot = "f0f417f2-ba8b-5ac4-b421-255b69553391"
    /// Of the second.
    case managed = "106c46ff-8186-5756-a934-071f4497b58d"

    var document: JSONValue {
        switch self {
        case .tacobot:
            [
                "name": "Tacobot 9000",
                "components": [
                    ["actorId": "eqMyqq4xB1Lqa", "opts": [:]],
                    ["id": "bbq-brisket-0.5.0", "parameters": ["smoke": true]],
                ],
            ]
        case .managed:
            [
                "name": "Managed PipelineJob", "id": "sd2e/managedpipelinejob:101",
                "components": [
                    ["id": "D0ZxR0wPLpoJA", "image": "index.docker.io/sd2e/jobs-demo-1:latest", "options": [:]]
                ],
            ]
        }
    }
}

extension RunningDaemon {
    /// Registers it, as whoever sets a house up does.
    @discardableResult
    func register(_ pipeline: KnownPipeline) async throws -> JSONValue {
        let made = try await post("/api/v1/pipelines", pipeline.document)
        guard made.status == 201, made.json["uuid"]?.string == pipeline.rawValue else {
            throw Failure(description: "\(pipeline) is not registered: \(made.status) \(made.text)")
        }
        return made.json
    }
}
