package import ActorCore
import GRDB
import Glibc

/// What was found of the histories of jobs in a database.
package struct JobLedgerReport: Sendable, Equatable {
    /// Something that is not as it was written, by its job.
    package struct Finding: Sendable, Equatable {
        package let job: String
        package let problem: String
    }

    /// More findings than that are counted only.
    package static let listed = 1000

    package let path: String
    package fileprivate(set) var jobs = 0
    package fileprivate(set) var lines = 0
    package fileprivate(set) var findings: [Finding] = []
    package fileprivate(set) var count = 0
    /// Pages are not what this program wrote: they were read as they are.
    package fileprivate(set) var isDamaged = false

    package var isSound: Bool { count == 0 && !isDamaged }

    fileprivate mutating func add(_ job: String, _ problem: String) {
        count += 1
        if findings.count < Self.listed { findings.append(Finding(job: job, problem: problem)) }
    }
}

extension SQLiteStore {
    /// Reads the history of one job, or of all, and says where it is not what was written. Changes nothing; may be run
    /// beside a daemon. Blocks.
    ///
    /// - Parameters:
    ///   - uuid: nil for all jobs.
    ///   - synchronousFull: false where a power cut may have taken the end of the log.
    package static func verifyJobs(
        path: String, only uuid: JobID?, synchronousFull: Bool = true
    ) throws(ActorError) -> JobLedgerReport {
        try PageSums.install()
        try needReadable(path)
        let errors = StoreErrors(path: path)
        do {
            return try verify(path, of: path, only: uuid, synchronousFull)
        } catch {
            let failure = errors.translate(error)
            guard failure.code != .notFound, let plain = withoutSums(path) else { throw failure }
            // Who changes the file with another program changes its pages: what they say now is read all the same,
            // so that the lines are named.
            guard var report = try? verify(plain, of: path, only: uuid, synchronousFull) else { throw failure }
            report.isDamaged = true
            return report
        }
    }

    /// The file as SQLite alone would read it; nil where its name cannot be written as a URI.
    private static func withoutSums(_ path: String) -> String? {
        let full = path.hasPrefix("/") ? path : String(cString: getcwd(nil, 0)) + "/" + path
        let plain = full.utf8.allSatisfy { NameRules.isAlphanumeric($0) || Array("/._-+=@,~ ".utf8).contains($0) }
        return plain ? "file:\(full)?vfs=unix" : nil
    }

    private static func verify(
        _ file: String, of path: String, only uuid: JobID?, _ synchronousFull: Bool
    ) throws -> JobLedgerReport {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in PageSums.prepare(db, isLogSynced: synchronousFull) }
        let queue = try DatabaseQueue(path: file, configuration: configuration)
        let report = try queue.read { db in try verify(db, path: path, only: uuid) }
        try queue.close()
        return report
    }

    private static func verify(_ db: Database, path: String, only uuid: JobID?) throws -> JobLedgerReport {
        var report = JobLedgerReport(path: path)
        let jobs = try uuid.map { [$0.rawValue] } ?? String.fetchAll(db, sql: "SELECT uuid FROM jobs ORDER BY number")
        for job in jobs {
            do {
                guard let ledger = try db.ledger(of: JobID(job)) else {
                    throw ActorError(.notFound, "there is no job \(job.prefix(64)) in \(path)")
                }
                report.jobs += 1
                report.lines += ledger.lines.count
                for problem in ledger.problems(SHA256Digest.hex) { report.add(job, problem) }
            } catch let error as ActorError where error.code == .internalFailure {
                // A value that this program never writes: it does not hide the others.
                report.jobs += 1
                report.add(job, error.description)
            }
        }
        guard uuid == nil else { return report }
        let strays = try String.fetchAll(
            db, sql: "SELECT DISTINCT job FROM job_history WHERE job NOT IN (SELECT uuid FROM jobs)")
        for job in strays { report.add(job, "there is a history, but no job") }
        return report
    }
}
