import ActorCore
import ArgumentParser

/// What words of the command line must look like, so that a slip of the hand ends as one.
enum Words {
    static func checkLimit(_ number: Int) throws {
        guard (1...1000).contains(number) else { throw ValidationError("--limit takes a number from 1 to 1000") }
    }

    /// - Parameter options: each with its word; nil is none.
    static func checkMoments(_ options: KeyValuePairs<String, String?>) throws {
        for (name, word) in options {
            guard let word, Timestamp(iso8601: word) == nil, Timestamp(iso8601: "\(word)T00:00:00Z") == nil else {
                continue
            }
            throw ValidationError("\(name) takes a day or a moment, 2026-11-21 or 2026-11-21T08:30:00Z")
        }
    }

    static func checkJob(_ word: String) throws {
        guard word.utf8.count == 36 else {
            throw ValidationError("\(word.prefix(64)) is no UUID of a job, like 107acb37-3a5c-57b3-a0ff-a07b67e85ca2")
        }
    }
}
