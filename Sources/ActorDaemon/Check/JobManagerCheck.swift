import ActorCore

/// Looks whether `pipelines.job_manager_id` names an actor: without one no job has a callback.
struct JobManagerCheck {
    private let manager: String
    /// By the standard name a house without jobs says nothing.
    private let isStandard: Bool
    /// Names and ids of the actors of the folders, and the folders that cannot be read.
    private let names: Set<String>
    /// Those that keep jobs.
    private let keepers: [String]

    init(_ settings: Settings, _ loaded: LoadedFolders) {
        manager = settings.pipelines.jobManager
        isStandard = manager == PipelineSettings().jobManager
        names = Set(loaded.actors.map(\.spec.name) + loaded.quarantined.map(\.folder))
            .union(loaded.actors.compactMap(\.declaredID?.rawValue))
        keepers = loaded.actors.filter { $0.spec.run == .builtin("pipeline-jobs") }.map(\.spec.name)
    }

    /// What is wrong; nil when nothing is. It is certain where a word looks like a slip of the hand: others may be an
    /// id or an alias that only the database knows.
    var problem: (reason: String, isCertain: Bool)? {
        guard !names.contains(manager), !(isStandard && keepers.isEmpty) else { return nil }
        let isID = Hashids.abaco.decode(manager) != nil
        let what = "pipelines.job_manager_id: no actor.yml has the \(isID ? "id" : "name") \(manager)"
        if !isID, let meant = Suggestion.nearest(to: manager, in: names.sorted()) {
            return ("\(what), so jobs have no callbacks; did you mean \(meant)?", true)
        }
        let keeper = keepers.isEmpty ? "" : "; here \(keepers.joined(separator: " and ")) keeps jobs"
        return ("\(what): jobs have no callbacks unless reactord actors or an alias shows it\(keeper)", false)
    }
}
