/// Decides when the log is copied into the database.
///
/// A log is begun anew when all of it was copied and nothing was written meanwhile. So most of it is copied beside the
/// writing, and what was written during that is copied by the writer, which is soon done.
struct CopyTurns {
    enum Step { case none, besideTheWriting, theRest }

    /// The log is copied when it has grown by so many pages.
    private let pages: Int
    private var due: Int
    /// How many it had with the last commit.
    private var length = 0
    private var isCopying = false
    private var hasRest = false

    init(pages: Int) { (self.pages, due) = (pages, pages) }

    /// After a commit with which the log has so many pages.
    mutating func committed(pages length: Int) -> Step {
        // It was begun anew.
        if length < self.length { due = pages }
        self.length = length
        if hasRest {
            hasRest = false
            // In case somebody reads what is old, so that it cannot be begun anew.
            due = length + pages
            return .theRest
        }
        guard !isCopying, length >= due else { return .none }
        isCopying = true
        return .besideTheWriting
    }

    /// What was there is copied; or could not be, and is tried again with what comes.
    mutating func copied(_ succeeded: Bool) {
        isCopying = false
        hasRest = succeeded
        due = length + pages
    }
}
