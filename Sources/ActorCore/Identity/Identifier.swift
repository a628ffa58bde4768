/// An id that cannot be mixed up with an id of another kind: the tag is checked by the compiler and costs nothing.
package struct Identifier<Tag>: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: String

    package init(_ rawValue: String) { self.rawValue = rawValue }

    package var description: String { rawValue }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

package enum ActorTag {}
package enum ExecutionTag {}
package enum NonceTag {}
package enum JobTag {}
package enum PipelineTag {}

/// The hashid of an actor.
package typealias ActorID = Identifier<ActorTag>
/// The hashid of one message's stay with one executor.
package typealias ExecutionID = Identifier<ExecutionTag>
/// `<TENANT>_<hashid>`: a capability that rides in a URL.
package typealias NonceID = Identifier<NonceTag>
/// The typed UUID (`107…`) of a PipelineJob.
package typealias JobID = Identifier<JobTag>
/// The typed UUID (`106…`) of a pipeline.
package typealias PipelineID = Identifier<PipelineTag>
