/// What a look at every page of a database and its log has found.
package struct IntegrityReport: Sendable, Equatable {
    package let path: String
    package internal(set) var pages: Int64 = 0
    /// Frames in the log beside it, old ones included.
    package internal(set) var frames: Int64 = 0
    /// False for a database of an earlier version: then only its structure was checked.
    package internal(set) var hasSums = false
    /// The first places; `damagedPlaces` counts them all.
    package internal(set) var damage: [DatabaseDamage] = []
    package internal(set) var damagedPlaces = 0
    /// What SQLite itself finds wrong with tables and indexes.
    package internal(set) var problems: [String] = []

    package var isSound: Bool { damagedPlaces == 0 && problems.isEmpty }

    /// Places and problems that are listed; more are counted only.
    static let listed = 100

    init(path: String) { self.path = path }

    mutating func add(_ place: DatabaseDamage) {
        damagedPlaces += 1
        if damage.count < Self.listed { damage.append(place) }
    }
}
