package import ActorCore
import GRDB

extension SQLiteStore: JobCatalogue {
    package func jobFiles(
        of job: JobID, after: String?, limit: Int
    ) async throws(ActorError) -> [JobFileRecord] {
        try await read { db in
            try db.rows(
                "SELECT \(JobFileRow.columns) FROM job_files WHERE job = ? AND path > ? ORDER BY path LIMIT ?",
                [job.rawValue, after ?? "", max(0, limit)], JobFileRow.file)
        }
    }

    package func jobFiles(of job: JobID, paths: [String]) async throws(ActorError) -> [JobFileRecord] {
        let list = JSONText.encode(.array(paths.map { .string($0) }))
        return try await read { db in
            try db.rows(
                """
                SELECT \(JobFileRow.columns) FROM job_files
                WHERE job = ? AND path IN (SELECT value FROM json_each(?)) ORDER BY path
                """,
                [job.rawValue, list], JobFileRow.file)
        }
    }

    package func jobFileTotal(of job: JobID) async throws(ActorError) -> (files: Int, bytes: Int64) {
        try await read { db in
            let row = try db.row("SELECT count(*), sum(bytes) FROM job_files WHERE job = ?", [job.rawValue])
            let bytes: Int64? = row?[1]
            return (row?[0] ?? 0, bytes ?? 0)
        }
    }

    package func file(_ uuid: String) async throws(ActorError) -> FileRecord? {
        try await read { db in try db.catalogued("uuid = ?", uuid) }
    }

    package func files(named names: [String]) async throws(ActorError) -> [FileRecord] {
        try await read { db in try names.compactMap { try db.catalogued("name = ?", $0) } }
    }

    package func links(of job: JobID) async throws(ActorError) -> [CatalogueLink] {
        try await read { db in
            try db.rows("SELECT kind, target FROM job_links WHERE job = ? ORDER BY kind, target", [job.rawValue]) {
                CatalogueLink(try StoredWord.decode($0[0], of: "kind of a link"), $0[1])
            }
        }
    }

    package func jobs(
        _ kind: LinkKind, of target: String, limit: Int
    ) async throws(ActorError) -> [JobID] {
        try await read { db in
            try db.rows(
                """
                SELECT jobs.uuid FROM job_links JOIN jobs ON jobs.uuid = job_links.job
                WHERE job_links.target = ? AND job_links.kind = ? ORDER BY jobs.created, jobs.number LIMIT ?
                """,
                [target, kind.rawValue, max(0, limit)]
            ) { JobID($0[0]) }
        }
    }

    package func jobs(at path: String, limit: Int) async throws(ActorError) -> [JobID] {
        let bare = String(path.drop { $0 == "/" })
        return try await read { db in
            // Whatever begins with the path and a slash stands before the path and the character after the slash.
            try db.rows(
                """
                SELECT uuid FROM jobs
                WHERE ltrim(path, '/') = ? OR ltrim(path, '/') > ? AND ltrim(path, '/') < ?
                ORDER BY created, number LIMIT ?
                """,
                [bare, "\(bare)/", "\(bare)0", max(0, limit)]
            ) { JobID($0[0]) }
        }
    }

    package func statuses(of job: JobID) async throws(ActorError) -> [String] {
        try await read { db in
            try db.rows("SELECT status FROM job_statuses WHERE job = ? ORDER BY number", [job.rawValue]) { $0[0] }
        }
    }

    package func watchers(of job: JobID, pipeline: PipelineID) async throws(ActorError) -> [ActorID] {
        try await read { db in
            try db.rows(
                """
                SELECT actor FROM job_watches
                WHERE kind = 'job' AND target = ? OR kind = 'pipeline' AND target = ?
                GROUP BY actor ORDER BY min(number)
                """,
                [job.rawValue, pipeline.rawValue]
            ) { ActorID($0[0]) }
        }
    }

    package func stalls(of jobs: [JobID]) async throws(ActorError) -> [JobStall] {
        try await read { db in
            try jobs.compactMap { job in
                try db.row("SELECT since, limit_ms, flagged FROM job_stalls WHERE job = ?", [job.rawValue]).map {
                    JobStall(
                        job: job, since: Timestamp(milliseconds: $0[0]), limitMilliseconds: $0[1],
                        flagged: Timestamp(milliseconds: $0[2]))
                }
            }
        }
    }

    package func standing(
        since: Timestamp, limit: Int
    ) async throws(ActorError) -> [StallMachine.Standing] {
        let states = StallMachine.movingStates.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return try await read { db in
            try db.rows(
                """
                SELECT uuid, pipeline, status, revision, updated FROM jobs
                WHERE status IN (\(states)) AND updated <= ? AND uuid NOT IN (SELECT job FROM job_stalls)
                ORDER BY updated, number LIMIT ?
                """,
                [since.milliseconds, max(0, limit)]
            ) { row in
                StallMachine.Standing(
                    job: JobID(row[0]), pipeline: PipelineID(row[1]),
                    status: try StoredWord.decode(row[2], of: "job status"), revision: row[3],
                    since: Timestamp(milliseconds: row[4]))
            }
        }
    }

    package func counts(_ query: JobQuery) async throws(ActorError) -> JobCounts {
        var query = query
        query.cursor = nil
        let filter = try JobFilter(query)
        return try await read { db in
            var counts = JobCounts()
            let states = try db.rows(
                "SELECT status, count(*) FROM jobs \(filter.condition) GROUP BY status", filter.arguments
            ) { row in
                let state: PipelineJobState = try StoredWord.decode(row[0], of: "job status")
                return (state, row[1] as Int)
            }
            for (state, count) in states { counts.states[state] = count }
            let stalled = filter.and("uuid IN (SELECT job FROM job_stalls)")
            counts.stalled = try db.row("SELECT count(*) FROM jobs \(stalled)", filter.arguments)?[0] ?? 0
            return counts
        }
    }
}

extension SQLiteStore: WatchStore {
    package func create(_ watch: JobWatch) async throws(ActorError) -> JobWatch {
        let place = WatchRow.place(watch.target)
        return try await writer.submit { db, _ in
            let known = try db.row(
                "SELECT \(WatchRow.columns) FROM job_watches WHERE kind = ? AND target = ? AND actor = ?",
                [place.kind, place.target, watch.actor.rawValue])
            if let known { return try WatchRow.watch(known) }
            let count: Int = try db.row("SELECT count(*) FROM job_watches")?[0] ?? 0
            guard count < JobWatch.maxCount else {
                throw ActorError(
                    .tooManyRequests, "there are \(count) watches, which is as many as may be; end one first")
            }
            try db.run(
                "INSERT INTO job_watches (\(WatchRow.columns)) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    watch.id.rawValue, place.kind, place.target, watch.actor.rawValue, watch.owner,
                    watch.created.milliseconds,
                ])
            return watch
        }
    }

    package func watches(
        of target: JobWatch.Target?, limit: Int
    ) async throws(ActorError) -> [JobWatch] {
        try await read { db in
            guard let place = target.map(WatchRow.place) else {
                return try db.rows(
                    "SELECT \(WatchRow.columns) FROM job_watches ORDER BY number DESC LIMIT ?", [max(0, limit)],
                    WatchRow.watch)
            }
            return try db.rows(
                """
                SELECT \(WatchRow.columns) FROM job_watches WHERE kind = ? AND target = ?
                ORDER BY number DESC LIMIT ?
                """,
                [place.kind, place.target, max(0, limit)], WatchRow.watch)
        }
    }

    package func watch(_ id: WatchID) async throws(ActorError) -> JobWatch? {
        try await read { db in
            try db.row("SELECT \(WatchRow.columns) FROM job_watches WHERE id = ?", [id.rawValue]).map(WatchRow.watch)
        }
    }

    package func deleteWatch(_ id: WatchID) async throws(ActorError) -> Bool {
        try await writer.submit { db, _ in
            try db.run("DELETE FROM job_watches WHERE id = ?", [id.rawValue])
            return db.changesCount == 1
        }
    }
}
