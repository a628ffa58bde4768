package import ActorCore

/// An actor as people look at it.
package struct ActorStatus: Sendable {
    package let spec: ActorSpec
    /// READY or ERROR.
    package let status: String
    package let statusMessage: String
    package let waiting: Int
    package let running: Int
}

/// An actor folder with a mistake in it.
package struct QuarantinedActor: Sendable, Equatable {
    package let folder: String
    package let file: String
    package let line: Int?
    package let reason: String
    /// Its actor is there all the same, as it was declared before; else it is left out.
    package let goesOn: Bool

    package init(folder: String, file: String, line: Int?, reason: String, goesOn: Bool = false) {
        self.folder = folder
        self.file = file
        self.line = line
        self.reason = reason
        self.goesOn = goesOn
    }
}
