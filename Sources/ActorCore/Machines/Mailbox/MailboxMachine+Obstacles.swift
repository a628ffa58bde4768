/// What keeps a waiting message from its turn, for those who ask.
extension MailboxMachine {
    package enum Obstacle: Sendable, Equatable {
        /// The message with this sequence has its lane; it itself when it waits in memory for its next attempt.
        case held(by: Int64, waiting: Envelope?)
        /// As many lanes as may wait for a next attempt; the first of them comes then.
        case crowded(until: Timestamp)
    }

    /// Nil when its lane is free, or held by the message itself.
    package func obstacle(before envelope: Envelope, ordered: Bool) -> Obstacle? {
        guard let name = envelope.key.map(LaneName.key) ?? (ordered ? .keyless : nil) else { return nil }
        guard let lane = lanes[name] else {
            return isCrowded ? delayed.first?.notBefore.map { .crowded(until: $0) } : nil
        }
        guard let sequence = lane.holder, sequence != envelope.sequence else { return nil }
        return .held(by: sequence, waiting: delayed.first { $0.sequence == sequence })
    }
}
