import CPageSums

/// A place in the database, or in its log, where what was read is not what was written.
package struct DatabaseDamage: Sendable, Equatable {
    /// From 1 on; nil where it is not known.
    package let page: Int64?
    /// In the log beside the database: its frame, from 1 on, or 0 for its header. Nil: in the database file.
    package let frame: Int64?
    /// The table or index that the page belongs to, where that could be found out.
    package var owner: String?

    init(_ damage: page_damage) {
        page = damage.page > 0 ? damage.page : nil
        frame = damage.frame >= 0 ? damage.frame : nil
    }

    /// "page 17 (mailbox)", "frame 3 of its log (page 17)", "the header of its log".
    package var place: String {
        let owner = owner.map { " (\($0))" } ?? ""
        guard let frame else { return "page \(page ?? 0)\(owner)" }
        if frame == 0 { return "the header of its log" }
        return "frame \(frame) of its log" + (page.map { " (page \($0))" } ?? "")
    }

    /// What was seen last in this database by any connection of the process.
    static func last(in path: String) -> DatabaseDamage? {
        var damage = page_damage()
        return page_sums_damage(path, &damage) == 0 ? nil : DatabaseDamage(damage)
    }
}
