import ActorAPI
import ActorCore
import HTTPTypes

/// The operations on jobs, pipelines and uploads.
enum JobOperations {
    private typealias Shapes = DaemonShapes
    private typealias Daemon = DaemonOperations

    static var all: [Operation] { jobs + leavings + pipelines + uploads }

    private static let form = Operation.Parameter.query("form", .words(JobForm.allCases.map(\.rawValue)))
    private static let listing: [Operation.Parameter] = [
        Daemon.limit, .query("cursor", .text), .query("pipeline_uuid", .text), .query("session", .text),
        .query("actor_id", .text), .query("status", .words(PipelineJobState.allCases.map(\.rawValue))),
        .query("experiment", .text), .query("child_of", .text), .query("text", .text), .query("stalled", .flag),
        .query("created_from", .text, "A day or a moment."), .query("created_before", .text),
        .query("updated_from", .text), .query("updated_before", .text),
    ]

    private static var jobs: [Operation] {
        let one = "\(Paths.jobs)/{id}"
        return [
            Daemon.api(
                .get, Paths.jobs, "listJobs", "Jobs, newest first", tag: "jobs",
                query: listing + [form, .query("history", .flag)], .json(Shapes.page("jobs", Shapes.job))),
            Daemon.api(
                .post, Paths.jobs, "createJob", "Make a job; with dry_run only say what it would be", tag: "jobs",
                query: [.query("dry_run", .flag)], body: .json(Shapes.newJob), .json(Shapes.open, status: 201),
                .json(Shapes.open)),
            Daemon.api(.get, one, "getJob", "One job with its history", tag: "jobs", query: [form], .json(Shapes.job)),
            Daemon.api(
                .delete, one, "deleteJob", "Cancel a job that never ran; any for an admin", tag: "jobs",
                query: [.query("token", .text)], body: .json(Shapes.token, isRequired: false), .json(Shapes.open)),
            Daemon.api(
                .get, "\(one)/history", "getHistory", "What happened to it, and what was refused", tag: "jobs",
                query: [form],
                .json(Shapes.history)),
            Daemon.api(
                .get, "\(one)/verify", "verifyHistory", "Whether its history is what was written", tag: "jobs",
                .json(Shapes.verification)),
            Daemon.api(
                .get, "\(one)/fsm.svg", "drawJob", "Its way through the state machine", tag: "jobs",
                .bytes("image/svg+xml")),
            Daemon.api(
                .post, "\(one)/events", "moveJob", "Something happened to it", tag: "jobs", body: .json(Shapes.event),
                .json(Shapes.open)),
            Daemon.api(
                .post, "\(one)/token", "renewToken", "Its token is valid again from now", tag: "jobs",
                body: .json(
                    .object(.may("hours", .number), .may("token_events", .integer), .may("rotate", .flag)),
                    isRequired: false), .json(Shapes.open)),
            Daemon.api(
                .post, Paths.adminToken, "issueAdminToken", "A word that moves jobs for a while; for admins",
                tag: "jobs", .json(.object(.has("token", .text), .has("expires", .moment)))),
            Daemon.api(
                .get, Paths.jobCounts, "countJobs", "By state, of what a listing would show", tag: "jobs",
                query: listing,
                .json(Shapes.counts)),
            Daemon.api(
                .get, "\(one)/graph", "getGraph", "What was made from what", tag: "jobs",
                query: [.query("depth", .range(1...10))], .json(Shapes.graph)),
            Daemon.api(
                .get, Paths.stateMachine, "getStateMachine", "The published state machine", tag: "jobs",
                query: [.query("machine", .text)], .json(Shapes.machine)),
            Daemon.api(
                .get, Paths.stateMachineDrawing, "drawStateMachine", "The same as a picture", tag: "jobs",
                query: [.query("machine", .text)], .bytes("image/svg+xml")),
            Daemon.api(
                .get, Paths.callbackMaps, "listCallbackMaps", "How statuses of callbacks become events", tag: "jobs",
                .json(.object(.has("maps", Shapes.open), .has("standard", .text)))),
        ]
    }

    /// What jobs leave, and who is told.
    private static var leavings: [Operation] {
        let one = "\(Paths.jobs)/{id}"
        return [
            Daemon.api(
                .get, "\(one)/files", "listFiles", "Its files with their fixity", tag: "jobs",
                query: [Daemon.limit, .query("cursor", .text)], .json(Shapes.jobFiles)),
            Daemon.api(
                .get, "\(one)/files/{path}", "getFile", "The content of a file, or a part of it", tag: "jobs",
                query: [.query("offset", .range(0...Int.max)), .query("length", .range(0...Int.max))], .bytes("*/*")),
            Daemon.api(
                .get, "\(one)/logs", "getJobLogs", "The end of what its executions printed", tag: "jobs",
                .json(.object(.has("logs", .list(.object(.has("name", .text), .has("text", .text))))))),
            Daemon.api(
                .get, "\(one)/ro-crate", "getCrate", "The job as a Workflow Run RO-Crate", tag: "jobs",
                query: [.query("license", .text)], .bytes("application/ld+json")),
            Daemon.api(
                .get, Paths.watches, "listWatches", "Which actors are told of jobs", tag: "jobs",
                query: [.query("job", .text), .query("pipeline", .text)], .json(Shapes.page("watches", Shapes.watch))),
            Daemon.api(
                .post, Paths.watches, "createWatch", "Have an actor told of a job or a pipeline's jobs", tag: "jobs",
                body: .json(Shapes.newWatch), .json(Shapes.watch, status: 201)),
            Daemon.api(.delete, "\(Paths.watches)/{id}", "deleteWatch", "End a watch", tag: "jobs", .nothing),
        ]
    }

    private static var pipelines: [Operation] {
        let one = "\(Paths.pipelines)/{id}"
        return [
            Daemon.api(
                .get, Paths.pipelines, "listPipelines", "Pipelines, newest first", tag: "pipelines",
                query: [Daemon.limit, .query("cursor", .text)], .json(Shapes.page("pipelines", Shapes.pipeline))),
            Daemon.api(
                .post, Paths.pipelines, "registerPipeline", "Register a pipeline", tag: "pipelines",
                body: .json(Shapes.newPipeline), .json(Shapes.open, status: 201)),
            Daemon.api(.get, one, "getPipeline", "One pipeline", tag: "pipelines", .json(Shapes.pipeline)),
            Daemon.api(
                .put, one, "updatePipeline", "Change a pipeline", tag: "pipelines", body: .json(Shapes.open),
                .json(Shapes.open)),
            Daemon.api(
                .post, "\(one)/enable", "enablePipeline", "Let it have new jobs again", tag: "pipelines",
                body: .json(Shapes.token, isRequired: false), .json(Shapes.open)),
            Daemon.api(
                .post, "\(one)/disable", "disablePipeline", "Let it have no new jobs", tag: "pipelines",
                body: .json(Shapes.token, isRequired: false), .json(Shapes.open)),
        ]
    }

    private static var uploads: [Operation] {
        let one = "\(Paths.uploads)/{id}"
        let put = Operation.Body.bytes("application/octet-stream")
        let sent: [Operation.Parameter] = [
            .header("Content-Range", .text, "bytes FIRST-LAST/LENGTH of a file in pieces; bytes */LENGTH asks how far"),
            .header("Content-Digest", .text, "Of this body: sha-256=:BASE64:"),
            .header("Repr-Digest", .text, "Of the whole file: sha-256=:BASE64:"),
        ]
        let force = Operation.Parameter.query(
            "force", .text, "true: its jobs run even if this content was there before")
        let open = Operation.Parameter.query(
            "open", .text, "true: the sender will mark the upload done, which it waits for, a day at most")
        let partial = Operation.Answer.json(Shapes.receiving, status: 202)
        return [
            Daemon.api(
                .get, Paths.uploads, "listUploads", "What has landed", tag: "uploads",
                query: [
                    Daemon.limit, .query("cursor", .text), .query("state", .text),
                    .query("since", .text, "Taken at or after this day or moment"), .query("before", .text),
                    .query("sha256", .text, "Which upload has this content"),
                ], .json(Shapes.page("uploads", Shapes.upload))),
            Daemon.api(.get, one, "getUpload", "One upload", tag: "uploads", .json(Shapes.upload)),
            Daemon.api(
                .put, one, "putUpload", "Put an upload that is a single file", tag: "uploads",
                query: [force] + sent, body: put, .json(Shapes.stored, status: 201), partial),
            Daemon.api(
                .post, "\(one)/done", "finishUpload", "All of its files are there", tag: "uploads", query: [force],
                .json(.object(.has("name", .text), .has("status", .text)), status: 202)),
            Daemon.api(
                .get, "\(one)/done", "getDone", "How much of a file called done has come", tag: "uploads",
                .json(Shapes.receiving)),
            Daemon.api(
                .put, "\(one)/done", "putDone", "Put a file that is called done", tag: "uploads",
                query: [open] + sent, body: put,
                .json(Shapes.stored, status: 201), partial),
            Daemon.api(
                .get, "\(one)/{path}", "getFileOffset", "How much of a file has come", tag: "uploads",
                .json(Shapes.receiving)),
            Daemon.api(
                .put, "\(one)/{path}", "putFile", "Put a file into an upload", tag: "uploads", query: [open] + sent,
                body: put, .json(Shapes.stored, status: 201), partial),
            Daemon.api(
                .get, Paths.jobSets, "listJobSets", "Sets of job files: which commit runs, what is invalid",
                tag: "uploads", .json(Shapes.page("job_sets", Shapes.open))),
        ]
    }
}
