import CPageSums

/// Decides which commits are synced before the next is written, and which are written while a sync is under way and
/// share the next one.
///
/// Where a sync is quick, a commit syncs itself: nobody has to be woken for it. Where it is slow, the writing of what
/// came meanwhile would otherwise stand between two syncs, with the disk at rest.
struct SyncTurns {
    /// More would make a power cut look like damage: see CPageSums.h.
    static let mostUnsynced = Int(PAGE_SUMS_UNSYNCED)

    /// A sync is slow from this many nanoseconds on, and quick again below half of it.
    private let slow: Int64
    /// Weighs about the last eight syncs.
    private(set) var typical: Int64 = 0
    /// How long writing a commit takes, likewise.
    private(set) var writing: Int64 = 0
    private var syncBegan: Int64 = 0
    /// Commits that left their sync so far: how many are in the log, in a sync that has begun, on disk, and told.
    private(set) var written = 0
    private(set) var begun = 0
    private(set) var synced = 0
    private(set) var told = 0
    private var leaves = false
    private var isWriting = false
    private var isSyncing = false

    init(slow: Int64) { self.slow = slow }

    /// Whether the commit that is about to be written leaves its sync. Not to be called without room.
    mutating func beginCommit() -> Bool {
        leaves = typical >= (leaves ? slow / 2 : slow)
        // What was left is told first.
        isWriting = leaves || told < written
        if isWriting { written += 1 }
        return isWriting
    }

    /// What was to leave its sync was rolled back. True when a sync has to be started.
    mutating func rollBack() -> Bool {
        written -= 1
        isWriting = false
        return written > begun && startSync()
    }

    /// The commit is in the log. True when a sync has to be started.
    mutating func commitIsWritten(nanoseconds: Int64 = 0) -> Bool {
        writing += (nanoseconds - writing) / 8
        isWriting = false
        return startSync()
    }

    private mutating func startSync() -> Bool {
        defer { isSyncing = true }
        return !isSyncing
    }

    enum Pause: Equatable {
        case none
        /// Until then, or the end of the sync that is under way.
        case until(Int64)
        /// Until a sync has ended.
        case untilRoom
    }

    /// Whether the next commit is to be written now.
    ///
    /// What comes during a sync waits for its end in any case, so it is written as one commit, as late as it can be.
    func pause(at now: Int64) -> Pause {
        // Where commits should sync themselves again, the syncs of those that did not are waited for.
        if written - synced >= Self.mostUnsynced || told < written && typical < slow / 2 { return .untilRoom }
        guard begun > synced, written == begun else { return .none }
        let last = syncBegan + typical - writing * 2 - Self.waking
        return last > now ? .until(last) : .none
    }

    /// About what it takes to wake a thread.
    private static let waking: Int64 = 200_000

    /// Whether there is something to sync now. If not, or while a commit is being written that will share the sync, a
    /// sync has to be started later.
    mutating func beginSync(at now: Int64) -> Bool {
        isSyncing = !isWriting && written > begun
        if isSyncing { (begun, syncBegan) = (written, now) }
        return isSyncing
    }

    mutating func endSync(nanoseconds: Int64) {
        synced = begun
        note(nanoseconds)
    }

    mutating func tell(commits: Int) { told += commits }

    /// How long a sync took.
    mutating func note(_ nanoseconds: Int64) {
        typical = typical == 0 ? nanoseconds : typical + (nanoseconds - typical) / 8
    }
}
