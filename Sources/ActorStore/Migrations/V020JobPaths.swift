import GRDB

/// Jobs are found by where their files lie: who clears a path has to know who else is there.
enum V020JobPaths {
    static let identifier = "v020-job-paths"

    @Sendable static func migrate(_ db: Database) throws {
        // The first generation's paths may come without their first slash.
        try db.execute(sql: "CREATE INDEX jobs_by_path ON jobs (ltrim(path, '/'))")
    }
}
