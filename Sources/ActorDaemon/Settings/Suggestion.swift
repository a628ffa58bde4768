/// Finds the name that somebody probably meant.
enum Suggestion {
    /// The candidate nearest to `word`, when it is near enough to be a slip of the hand.
    static func nearest(to word: String, in candidates: [String]) -> String? {
        let near = candidates.map { (name: $0, distance: distance(word.lowercased(), $0.lowercased())) }
            .filter { $0.distance <= max(1, min($0.name.count, word.count) / 3) }
        return near.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
    static func distance(_ left: String, _ right: String) -> Int {
        let from = Array(left.prefix(64))
        let to = Array(right.prefix(64))
        var older: [Int] = []
        var previous = Array(0...to.count)
        for row in 1..<(from.count + 1) {
            var current = [row]
            for column in 1..<(to.count + 1) {
                let change = from[row - 1] == to[column - 1] ? 0 : 1
                var best = min(previous[column] + 1, current[column - 1] + 1, previous[column - 1] + change)
                if row > 1, column > 1, from[row - 1] == to[column - 2], from[row - 2] == to[column - 1] {
                    best = min(best, older[column - 2] + 1)
                }
                current.append(best)
            }
            older = previous
            previous = current
        }
        return previous[to.count]
    }
}
