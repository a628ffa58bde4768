package import ActorCore
import CPageSums
import GRDB
import Glibc

extension SQLiteStore {
    /// Reads every page of a database and its log and has SQLite check the structure, whether a daemon runs on it or
    /// not; changes nothing. Blocks, for as long as reading the file takes.
    ///
    /// - Parameter synchronousFull: false where a power cut may have taken the end of the log.
    /// - Parameter progress: called now and then with the pages read and their number.
    package static func verify(
        path: String, synchronousFull: Bool = true, progress: @escaping (Int64, Int64) -> Void
    ) throws(ActorError) -> IntegrityReport {
        try PageSums.install()
        try needReadable(path)
        var journal = stat()
        guard stat(path + "-journal", &journal) != 0 || journal.st_size == 0 else {
            throw ActorError(
                .unavailable,
                "a change of the database \(path) was interrupted and is taken back at the next start; start the "
                    + "daemon, "
                    + "then verify again")
        }
        let kind = page_sums_kind_of(path)
        guard kind == PAGE_SUMS_PRESENT || kind == PAGE_SUMS_MISSING else {
            throw ActorError(.invalidInput, "\(path) is not a database of reactord")
        }
        var scan = FileScan(report: IntegrityReport(path: path), progress: progress)
        scan.report.hasSums = kind == PAGE_SUMS_PRESENT
        try scan.run(isLogSynced: synchronousFull)
        var report = scan.report
        checkStructure(&report, isLogSynced: synchronousFull)
        return report
    }

    static func needReadable(_ path: String) throws(ActorError) {
        guard !PendingRestore(path: path).isThere else {
            throw ActorError(
                .unavailable,
                "a restore of the database \(path) was cut off; the next start of the daemon finishes it, or a "
                    + "restore anew")
        }
        guard access(path, R_OK) == 0 else {
            throw ActorError(
                .notFound,
                "the database \(path) cannot be read: \(String(cString: strerror(errno))); name its folder with "
                    + "--data-dir")
        }
    }

    /// What SQLite finds itself. Where pages are damaged this also tells whose they are.
    private static func checkStructure(_ report: inout IntegrityReport, isLogSynced: Bool) {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in PageSums.prepare(db, isLogSynced: isLogSynced) }
        let path = report.path
        let (hasDamage, limit) = (report.damagedPlaces > 0, IntegrityReport.listed)
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            report.problems = try queue.read { db -> [String] in
                try String.fetchAll(db, sql: "PRAGMA integrity_check(\(limit))").filter { $0 != "ok" }
            }
            let owners = try queue.read { db -> [Int64: String] in
                guard hasDamage else { return [:] }
                return try tablesOfDamagedPages(of: path, db)
            }
            for index in report.damage.indices where report.damage[index].frame == nil {
                report.damage[index].owner = report.damage[index].page.flatMap { owners[$0] }
            }
            try queue.close()
        } catch {
            report.problems.append(StoreErrors(path: path).translate(error).description)
        }
    }

    /// The table of the damaged page that each table's own check ran into, if any.
    private static func tablesOfDamagedPages(of path: String, _ db: Database) throws -> [Int64: String] {
        let tables = try String.fetchAll(
            db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0")
        var owners: [Int64: String] = [:]
        for table in tables {
            page_sums_forget(path)
            let quoted = "'\(table.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
            _ = try? String.fetchAll(db, sql: "PRAGMA integrity_check(\(quoted))")
            if let page = DatabaseDamage.last(in: path)?.page { owners[page] = table }
        }
        return owners
    }
}

/// The files as they lie there. What C calls back lands here.
private struct FileScan {
    var report: IntegrityReport
    let progress: (Int64, Int64) -> Void
    /// Pages whose content in the log goes over that in the file: a power cut may have torn them while they were
    /// copied, and they will be copied again.
    private var replaced: Set<Int64> = []

    init(report: IntegrityReport, progress: @escaping (Int64, Int64) -> Void) {
        self.report = report
        self.progress = progress
    }

    mutating func run(isLogSynced: Bool) throws(ActorError) {
        let path = report.path
        let frames = withUnsafeMutablePointer(to: &self) { scan in
            page_sums_scan_log(
                path + "-wal", isLogSynced ? 0 : 1, scan,
                { scan, damage in FileScan.note(scan, damage) },
                { scan, damage in
                    guard let damage else { return }
                    scan?.assumingMemoryBound(to: FileScan.self).pointee.replaced.insert(damage.pointee.page)
                })
        }
        guard frames >= 0 || errno == ENOENT else { throw failure(path + "-wal") }
        report.frames = max(0, frames)
        guard report.hasSums else { return }
        let pages = withUnsafeMutablePointer(to: &self) { scan in
            page_sums_scan_database(
                path, scan, { scan, damage in FileScan.note(scan, damage) },
                { scan, done, total in
                    scan?.assumingMemoryBound(to: FileScan.self).pointee.progress(done, total)
                    return 0
                })
        }
        guard pages >= 0 else { throw failure(path) }
        report.pages = pages
    }

    private static func note(_ scan: UnsafeMutableRawPointer?, _ damage: UnsafePointer<page_damage>?) {
        guard let scan = scan?.assumingMemoryBound(to: FileScan.self), let damage else { return }
        let place = DatabaseDamage(damage.pointee)
        if place.frame == nil, let page = place.page, scan.pointee.replaced.contains(page) { return }
        scan.pointee.report.add(place)
    }

    private func failure(_ file: String) -> ActorError {
        ActorError(.internalFailure, "\(file) cannot be read: \(String(cString: strerror(errno)))")
    }
}
