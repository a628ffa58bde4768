/// An accepted message: on disk, with its place in its mailbox.
package struct Envelope: Sendable, Equatable {
    /// What a message has seldom.
    private struct Traits: OptionSet, Sendable {
        let rawValue: UInt8
        static let keyed = Traits(rawValue: 1)
        static let expiring = Traits(rawValue: 2)
        static let long = Traits(rawValue: 4)
    }

    package let execution: ExecutionID
    package private(set) var message: NewMessage
    /// The order of acceptance over all mailboxes.
    package let sequence: Int64
    /// Not to be delivered before this moment: the sender's wish, or the wait for the next attempt.
    package var notBefore: Timestamp?
    /// It may have been running when an earlier process ended: its start is put on disk before it runs.
    package var isSuspect = false
    // What decides the place in a mailbox is kept at hand: to look into the content costs a fetch from memory.
    private let priority: Int8
    private let traits: Traits
    private var begun: Int32

    package init(sequence: Int64, execution: ExecutionID, message: NewMessage, attempts: Int = 0) {
        self.execution = execution
        self.message = message
        self.sequence = sequence
        self.notBefore = message.deliverAt
        self.priority = Int8(clamping: message.priority)
        self.traits = [
            message.key == nil ? [] : .keyed, message.expires == nil ? [] : .expiring,
            message.bodyBytes > NewMessage.mostKept ? .long : [],
        ]
        self.begun = Int32(clamping: attempts)
    }

    /// Attempts begun before this delivery, as far as they are on disk.
    package var attempts: Int {
        get { Int(begun) }
        set { begun = Int32(clamping: newValue) }
    }
    package var actor: ActorID { message.actor }
    /// Its sender is the owner of a nonce; who holds the nonce may be anybody, who has no more rights than it shows.
    package var isByNonce: Bool { message.nonce != nil }
    /// Its sender was an admin when it was accepted: known by a token of its own, not by a nonce or an execution's.
    package var isFromAdmin: Bool { !isByNonce && parameter(JobAuthority.senderRole) == Role.admin.rawValue }
    package var key: String? { traits.contains(.keyed) ? message.key : nil }
    package var expires: Timestamp? { traits.contains(.expiring) ? message.expires : nil }
    /// Nothing gives it a place before or behind those that came earlier or later.
    package var isPlain: Bool { priority == 0 && notBefore == nil }
    package var rank: Rank { Rank(priority: Int(priority), sequence: sequence) }
    /// As it waits in memory: a long body is left to the store.
    package var waiting: Envelope {
        guard traits.contains(.long), message.hasBody else { return self }
        var waiting = self
        waiting.message = message.changed { content in
            content.absentBytes = content.body.count
            content.body = []
        }
        return waiting
    }
    /// As it runs: with the message as the store has it.
    package func whole(_ message: NewMessage) -> Envelope {
        var whole = self
        whole.message = message
        return whole
    }
    /// The body as a JSON tree; nil when it is not JSON.
    package var json: JSONValue? { try? JSONReader.read(message.body) }
    /// The value of the query parameter `name`: the first one sent.
    package func parameter(_ name: String) -> String? {
        message.environment.first { $0.name == name }?.value
    }
}

/// A place in the order in which the messages of one mailbox leave it: by urgency, then by acceptance.
package struct Rank: Sendable, Hashable, Comparable {
    package let priority: Int
    package let sequence: Int64

    package init(priority: Int, sequence: Int64) {
        self.priority = priority
        self.sequence = sequence
    }

    /// Before every message there can be.
    package static let first = Rank(priority: Int.max, sequence: 0)

    package static func < (left: Rank, right: Rank) -> Bool {
        left.priority != right.priority ? left.priority > right.priority : left.sequence < right.sequence
    }
}

/// A place in the order in which delayed messages come due.
package struct DuePlace: Sendable, Hashable, Comparable {
    package let moment: Timestamp
    package let sequence: Int64

    package init(moment: Timestamp, sequence: Int64) {
        self.moment = moment
        self.sequence = sequence
    }

    /// Before every message there can be.
    package static let first = DuePlace(moment: Timestamp(milliseconds: .min), sequence: 0)

    package static func < (left: DuePlace, right: DuePlace) -> Bool {
        left.moment != right.moment ? left.moment < right.moment : left.sequence < right.sequence
    }
}
