package import ActorCore

/// One actor as its folder declares it; the caller gives it its id, revision and times from the store.
package struct LoadedActor: Sendable, Equatable {
    /// Its id is empty unless `actor.yml` names one; created and updated are zero, the revision is 1.
    package var spec: ActorSpec
    /// SHA-256 over what runs: another one means a new revision.
    package var fingerprint: String
    /// Messages that must validate, from `samples/`.
    package var samples: [SchemaSource]
    /// What deserves a word but does not keep it from running.
    package var warnings: [Problem]
    /// What its Reactor will not start with: its mail waits until that is mended.
    package var settingProblems: [Problem] = []
    /// Why what it runs is not there, if it is not: its mail waits.
    package var absence: String?

    /// The id that `actor.yml` names, if it does.
    package var declaredID: ActorID? { spec.id.rawValue.isEmpty ? nil : spec.id }
}

/// A folder with a mistake in it: it is listed with the reason, and everything else runs.
package struct QuarantinedFolder: Sendable, Equatable {
    /// Its name below the actors folder.
    package let folder: String
    /// All that is wrong; never empty.
    package let problems: [Problem]
    /// Its actor is there all the same, as it was declared before.
    package var goesOn = false

    package var file: String { problems.first?.file ?? folder }
    package var line: Int? { problems.first?.line }
    /// The first reason, and how many more there are.
    package var reason: String {
        let first = problems.first?.reason ?? "it cannot be read"
        return problems.count > 1 ? "\(first) (and \(problems.count - 1) more; see reactord check)" : first
    }
}

/// What one reading of the actors folder found.
package struct LoadedFolders: Sendable, Equatable {
    /// Sorted by name.
    package var actors: [LoadedActor] = []
    package var quarantined: [QuarantinedFolder] = []
    /// What is wrong with the folder as a whole.
    package var problem: Problem?
    /// The folder is not there; the actors are those that are known from before.
    package var isAway = false
}
