/// Which messages run one after another: those of one key; in an actor that runs one at a time also those without.
enum LaneName: Hashable, Sendable {
    case keyless
    case key(String)

    init(_ key: String?) { self = key.map(Self.key) ?? .keyless }

    var key: String? {
        switch self {
        case .keyless: nil
        case .key(let key): key
        }
    }
}

/// One lane as a mailbox knows it.
struct Lane: Sendable {
    /// The message that runs, or waits for its next attempt.
    var holder: Int64?
    /// Behind this rank messages of the lane may lie in the store that are not in memory.
    var gap: Rank?
    /// It stands in the line of lanes that are to be read.
    var isOpen = false
}

/// The lanes that are held, and those that lie in the store in part.
///
/// The one without a key stands by itself: most mailboxes know no other, and each of their messages asks for it.
struct Lanes: Sendable {
    private var keyless: Lane?
    private var keyed: [String: Lane] = [:]

    var isEmpty: Bool { keyless == nil && keyed.isEmpty }
    var count: Int { keyed.count + (keyless == nil ? 0 : 1) }
    var names: [LaneName] { keyed.keys.map(LaneName.key) + (keyless == nil ? [] : [.keyless]) }

    subscript(_ name: LaneName) -> Lane? {
        get {
            switch name {
            case .keyless: keyless
            case .key(let key): keyed[key]
            }
        }
        set {
            switch name {
            case .keyless: keyless = newValue
            case .key(let key): keyed[key] = newValue
            }
        }
    }

    func holder(of name: LaneName) -> Int64? {
        switch name {
        case .keyless: keyless?.holder
        case .key(let key): keyed[key]?.holder
        }
    }

    /// Forgets a lane that lies in memory as a whole; false when part of it does not.
    mutating func end(_ name: LaneName) -> Bool {
        switch name {
        case .keyless:
            if keyless?.gap != nil { return false }
            keyless = nil
        case .key(let key):
            if keyed[key]?.gap != nil { return false }
            keyed[key] = nil
        }
        return true
    }

    mutating func hold(_ name: LaneName, by sequence: Int64) {
        switch name {
        case .keyless:
            if keyless == nil { keyless = Lane() }
            keyless?.holder = sequence
        case .key(let key): keyed[key, default: Lane()].holder = sequence
        }
    }

    mutating func leaveGap(in name: LaneName, behind rank: Rank) {
        var lane = self[name] ?? Lane()
        lane.gap = min(lane.gap ?? rank, rank)
        self[name] = lane
    }

    /// Forgets all but those that one of these messages holds; what is left lies in memory.
    mutating func keep(heldBy running: Running) {
        for name in names {
            guard let holder = self[name]?.holder, running.contains(holder) else {
                self[name] = nil
                continue
            }
            self[name] = Lane(holder: holder)
        }
    }
}

/// The messages of one mailbox that were delivered and have not ended: no more than an actor has slots.
struct Running: Sendable {
    private var sequences: [Int64] = []

    var count: Int { sequences.count }
    var all: Set<Int64> { Set(sequences) }

    func contains(_ sequence: Int64) -> Bool { sequences.contains(sequence) }

    mutating func insert(_ sequence: Int64) { sequences.append(sequence) }

    mutating func remove(_ sequence: Int64) {
        guard let index = sequences.firstIndex(of: sequence) else { return }
        sequences.swapAt(index, sequences.count - 1)
        sequences.removeLast()
    }
}
