import Glibc

/// Ends every process of a session: politely where there is grace, then for certain.
struct SessionEnd {
    let files: FileQueue

    /// Signals what lives of the session that `leader` began and waits until nothing does.
    ///
    /// - Parameters:
    ///   - grace: milliseconds that SIGTERM gets before SIGKILL; nil kills at once.
    ///   - sparing: a group that had its SIGTERM already: a second one would disturb its cleaning up.
    /// - Returns: the processes that did not even die of SIGKILL (stuck in the kernel).
    func callAsFunction(_ leader: pid_t, grace: Int?, sparing: pid_t? = nil) async -> [pid_t] {
        // -1 and 0 would address everything, 1 is init.
        guard leader > 1 else { return [] }
        if let grace {
            _ = await signal(leader, SIGTERM, sparing: sparing)
            let end = ContinuousClock.now.advanced(by: .milliseconds(grace))
            while ContinuousClock.now < end {
                if await living(leader).isEmpty { return [] }
                await files.pause(milliseconds: 20)
            }
        }
        for round in 0..<60 {
            if await signal(leader, SIGKILL) == 0 { return [] }
            await files.pause(milliseconds: min(100, 2 + round * 5))
        }
        return await living(leader)
    }

    private func living(_ leader: pid_t) async -> [pid_t] {
        await files.perform { ProcessTable.members(of: leader).map(\.pid) }
    }

    /// How many lived when they were looked at, after the signal to their group.
    private func signal(_ leader: pid_t, _ number: Int32, sparing: pid_t? = nil) async -> Int {
        await files.perform {
            // The group first, in one call that no fork escapes; then groups that a shell made inside the session.
            if sparing != leader { kill(-leader, number) }
            let members = ProcessTable.members(of: leader)
            for entry in members where entry.group != leader && entry.group != sparing { kill(entry.pid, number) }
            return members.count
        }
    }
}
