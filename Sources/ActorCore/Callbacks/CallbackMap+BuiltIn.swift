/// The tables that ship, by the name that `callbacks:` of a pipeline or `map=` of a URL gives.
extension CallbackMap {
    package static let standard = "agave"

    package static let builtIn: [String: CallbackMap] = Dictionary(
        uniqueKeysWithValues: [
            agave, agaveFirst, agaveSecondAsPublished, agaveFirstAsPublished, slurm, kubernetes, argo, nextflow, tes,
            wes, exitCode,
        ].map { ($0.name, $0) })

    /// Section 3 of the PipelineJobs facts, second generation, its two defects mended.
    private static let agave = {
        var map = agaveSecondAsPublished
        map.name = "agave"
        map.summary = "job states of the Agave and Aloe APIs"
        map.statuses["UPDATED"] = "update"
        map.statuses["KILLED"] = "fail"
        return map
    }()

    private static let agaveSecondAsPublished = {
        var map = CallbackMap(
            "agave-2019", "the same as published in 2019, with KILLED as update and an UPDATED that is refused",
            statuses: [
                "CREATED": "resource", "UPDATED": "updated", "DELETED": "fail", "PERMISSION_GRANT": "resource",
                "PERMISSION_REVOKE": "resource", "PENDING": "resource", "STAGING_INPUTS": "resource",
                "CLEANING_UP": "resource", "ARCHIVING": "resource", "STAGING_JOB": "resource", "FINISHED": "finish",
                "KILLED": "update", "FAILED": "fail", "STOPPED": "fail", "RUNNING": "run", "PAUSED": "resource",
                "QUEUED": "resource", "SUBMITTING": "resource", "STAGED": "resource",
                "PROCESSING_INPUTS": "resource", "ARCHIVING_FINISHED": "resource", "ARCHIVING_FAILED": "fail",
                "HEARTBEAT": "update",
            ])
        map.repeats = .oncePerJob
        return map
    }()

    private static let agaveFirst = {
        var map = agaveFirstAsPublished
        map.name = "agave-v1"
        map.summary = "job states of the Agave API as the first generation took them: most of them say nothing"
        map.statuses["KILLED"] = "fail"
        return map
    }()

    /// What says nothing falls back to the URL's `event`.
    private static let agaveFirstAsPublished = {
        var map = CallbackMap(
            "agave-2018", "the same as published in 2018, with KILLED as update",
            statuses: [
                "CREATED": nil, "UPDATED": nil, "DELETED": nil, "PERMISSION_GRANT": nil, "PERMISSION_REVOKE": nil,
                "PENDING": nil, "STAGING_INPUTS": "update", "CLEANING_UP": nil, "ARCHIVING": "update",
                "STAGING_JOB": nil, "FINISHED": "finish", "KILLED": "update", "FAILED": "fail", "STOPPED": "fail",
                "RUNNING": "run", "PAUSED": nil, "QUEUED": "update", "SUBMITTING": nil, "STAGED": nil,
                "PROCESSING_INPUTS": nil, "ARCHIVING_FINISHED": "update", "ARCHIVING_FAILED": "fail",
                "HEARTBEAT": "update",
            ])
        map.repeats = .oncePerJob
        map.eventFirst = false
        return map
    }()

    /// `squeue`'s long and short names; a requeued job runs again, which is news.
    private static let slurm = {
        var map = CallbackMap(
            "slurm", "job states of Slurm, long or short",
            statuses: [
                "PENDING": "resource", "PD": "resource", "CONFIGURING": "resource", "CF": "resource",
                "RUNNING": "run", "R": "run", "COMPLETING": "update", "CG": "update", "STAGE_OUT": "update",
                "SO": "update", "COMPLETED": "finish", "CD": "finish", "FAILED": "fail", "F": "fail",
                "TIMEOUT": "fail", "TO": "fail", "OUT_OF_MEMORY": "fail", "OOM": "fail", "NODE_FAIL": "fail",
                "NF": "fail", "BOOT_FAIL": "fail", "BF": "fail", "DEADLINE": "fail", "DL": "fail",
                "CANCELLED": "fail", "CA": "fail", "PREEMPTED": "fail", "PR": "fail", "REVOKED": "fail",
                "RV": "fail", "LAUNCH_FAILED": "fail", "SUSPENDED": "resource", "S": "resource",
                "STOPPED": "resource", "ST": "resource", "REQUEUED": "resource", "RQ": "resource",
                "REQUEUE_HOLD": "resource", "RH": "resource", "REQUEUE_FED": "resource", "RF": "resource",
                "SPECIAL_EXIT": "fail", "SE": "fail", "SIGNALING": "update", "SI": "update", "RESIZING": "update",
                "RS": "update",
            ])
        map.places = places("/job_state", "/jobs/0/job_state", "/state/current", "/jobs/0/state/current")
        return map
    }()

    /// A Job or Pod as the API server has it, a line of its watch, or the word alone.
    private static let kubernetes = {
        var map = CallbackMap(
            "kubernetes", "conditions of Kubernetes Jobs and phases of Pods",
            statuses: [
                "PENDING": "resource", "SUSPENDED": "resource", "RUNNING": "run", "ACTIVE": "run",
                "SUCCEEDED": "finish", "COMPLETE": "finish", "SUCCESSCRITERIAMET": "update", "FAILED": "fail",
                "FAILURETARGET": "update", "UNKNOWN": "update", "ERROR": "fail",
            ])
        for base in ["", "/object"] {
            for (type, event) in [("Complete", "finish"), ("Failed", "fail"), ("Suspended", "resource")] {
                map.rules += [
                    rule(type, event, [("\(base)/status/conditions/[type=\(type)]/status", ["True", "true"])])
                ]
            }
            map.rules += [rule("Active", "run", [("\(base)/status/active", [])])]
            map.places += places("\(base)/status/phase")
        }
        return map
    }()

    /// `{{workflow.status}}` of an exit handler, a Workflow as its API has it, or a line of its watch. A step that is
    /// left out is no news of the job.
    private static let argo = {
        var map = CallbackMap(
            "argo", "phases of Argo Workflows and their nodes",
            statuses: [
                "PENDING": "resource", "RUNNING": "run", "SUCCEEDED": "finish", "FAILED": "fail", "ERROR": "fail",
                "SKIPPED": nil, "OMITTED": nil,
            ])
        map.places = places("/status/phase", "/object/status/phase", "/result/object/status/phase")
        return map
    }()

    /// `nextflow run … -with-weblog URL`. A process that starts is no news of the job, one that has ended is.
    private static let nextflow = {
        var map = CallbackMap(
            "nextflow", "events of Nextflow's -with-weblog",
            statuses: [
                "STARTED": "run", "PROCESS_SUBMITTED": nil, "PROCESS_STARTED": nil, "PROCESS_COMPLETED": "update",
                "ERROR": "fail", "COMPLETED": "finish",
            ])
        map.rules = [
            rule("completed", "fail", [("/event", ["completed"]), ("/metadata/workflow/success", ["false"])])
        ]
        map.places = places("/event")
        map.recurring = ["PROCESS_COMPLETED"]
        return map
    }()

    private static let tes = {
        var map = CallbackMap(
            "tes", "task states of GA4GH TES 1.1",
            statuses: [
                "UNKNOWN": "update", "QUEUED": "resource", "INITIALIZING": "resource", "RUNNING": "run",
                "PAUSED": "resource", "COMPLETE": "finish", "EXECUTOR_ERROR": "fail", "SYSTEM_ERROR": "fail",
                "CANCELED": "fail", "CANCELING": "update", "PREEMPTED": "fail",
            ])
        map.places = places("/state")
        return map
    }()

    private static let wes = {
        var map = tes
        map.name = "wes"
        map.summary = "run states of GA4GH WES 1.1"
        return map
    }()

    /// `status=$?`
    private static let exitCode = {
        var map = CallbackMap(
            "exit-code", "the exit status of a command: 0 is finish, all others are fail",
            statuses: ["0": "finish"], otherwise: "fail")
        map.places = places("/exit_code")
        return map
    }()

    private static func places(_ texts: String...) -> [JSONPlace] { texts.compactMap { JSONPlace($0) } }

    private static func rule(_ status: String, _ event: String, _ when: [(String, [String])]) -> Rule {
        Rule(
            when: when.compactMap { text, values in JSONPlace(text).map { ($0, values) } }, status: status,
            event: event)
    }
}
