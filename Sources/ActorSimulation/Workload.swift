internal import ActorCore

/// What a message makes its execution do, carried as the body of the message.
struct Deed: Sendable, Equatable {
    enum Kind: UInt8, Sendable {
        case succeeds, failsAtFirst, fails, impossible, refused, poison, overruns
    }

    var kind: Kind
    /// For `failsAtFirst`: the attempts that fail.
    var failures: UInt8 = 0
    /// Messages that it sends to others.
    var letters: UInt8 = 0
    /// Outgoing calls that it promises.
    var calls: UInt8 = 0
    /// Messages that led to it.
    var depth: UInt8 = 0

    var bytes: [UInt8] { [kind.rawValue, failures, letters, calls, depth] }

    init(kind: Kind) { self.kind = kind }

    init(_ message: NewMessage) {
        let bytes = message.body
        precondition(bytes.count == 5, "a body that no workload made")
        kind = Kind(rawValue: bytes[0]) ?? .succeeds
        (failures, letters, calls, depth) = (bytes[1], bytes[2], bytes[3], bytes[4])
    }
}

extension Settings {
    func deed(depth: UInt8, _ dice: inout Dice) -> Deed {
        var deed = Deed(kind: .succeeds)
        deed.depth = depth
        if dice.chance(mail.poison) {
            deed.kind = .poison
        } else if dice.chance(mail.failing) {
            deed.kind = dice.pick([.failsAtFirst, .failsAtFirst, .fails, .impossible, .refused])
            deed.failures = UInt8(dice.within(1...3))
        } else if dice.chance(mail.slow) {
            deed.kind = dice.chance(0.3) ? .overruns : .succeeds
        }
        if depth < 2, dice.chance(mail.answering) { deed.letters = UInt8(dice.within(1...2)) }
        if dice.chance(mail.calling) { deed.calls = UInt8(dice.within(1...2)) }
        return deed
    }

    func message(now: Timestamp, depth: UInt8 = 0, _ dice: inout Dice) -> NewMessage {
        var message = NewMessage(
            actor: dice.pick(members).id, body: deed(depth: depth, &dice).bytes, kind: .binary, sender: "client",
            received: now)
        if dice.chance(mail.keyed) { message.key = "k\(dice.below(mail.keys))" }
        if dice.chance(mail.urgent) { message.priority = dice.within(-1...2) }
        if dice.chance(mail.delayed) {
            message.deliverAt = now.adding(milliseconds: Int64(dice.within(-200...1500)))
        }
        if dice.chance(mail.expiring) {
            message.expires = now.adding(milliseconds: Int64(dice.within(1...3000)))
        }
        return message
    }
}
