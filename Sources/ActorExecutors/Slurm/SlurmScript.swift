package import ActorCore

/// The batch script of a job, and how sbatch is asked to take it. Every value is quoted: what a job file says is data.
package struct SlurmScript: Sendable {
    package let order: JobOrder
    package let settings: SlurmEngineSettings
    /// The command that an image stands for.
    package let resolve: SlurmEngine.Resolve

    package init(order: JobOrder, settings: SlurmEngineSettings, resolve: @escaping SlurmEngine.Resolve) {
        self.order = order
        self.settings = settings
        self.resolve = resolve
    }

    /// Where the script and what it notes lie: beside the logs, one folder for each attempt.
    package static func folder(of run: EngineRun) -> String { "\(run.logs)/.slurm-\(run.attempt)" }

    /// A word as the shell takes it, whatever is in it.
    package static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// Init steps one after another, then the main ones side by side; what became of each is noted beside the logs.
    package func text() throws(EngineFailure) -> String {
        let folder = Self.quoted(Self.folder(of: order.run))
        var lines = [
            "#!/bin/sh", "# \(order.run.name): job \(order.run.job), attempt \(order.run.attempt)", "folder=\(folder)",
            "logs=\(Self.quoted(order.run.logs))", "job=${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}",
            "place=${SLURM_RESTART_COUNT:-0}", Self.preamble,
        ]
        for (index, step) in order.steps.enumerated() { lines.append(try function(step, index)) }
        var mains: [String] = []
        for (index, step) in order.steps.enumerated() {
            let call = "step \(index) \(step.phase.rawValue) \(Self.quoted(step.name)) \(Self.quoted(step.slug))"
            if step.phase == .initial { lines.append("\(call) || finish $?") } else { mains.append(call) }
        }
        for (index, call) in mains.enumerated() { lines.append("\(call) & p\(index)=$!") }
        lines.append("code=0")
        for index in mains.indices {
            lines.append("wait $p\(index); c=$?; [ $code -ne 0 ] || code=$c")
        }
        lines.append("finish $code")
        return lines.joined(separator: "\n") + "\n"
    }

    /// A second submission of the same attempt ends here; a requeued job (the same number) begins again.
    private static let preamble = """
        if (set -C; echo "$job" > "$folder/owner") 2>/dev/null; then :; else
            tries=0
            while [ ! -s "$folder/owner" ] && [ $tries -lt 20 ]; do sleep 0.5; tries=$((tries + 1)); done
            if [ "$(cat "$folder/owner")" != "$job" ]; then
                echo "this attempt runs as job $(cat "$folder/owner") already"
                exit 0
            fi
        fi
        rm -f "$folder/end"
        note() { printf '%s\\n' "$2" > "$folder/$1.new" && mv "$folder/$1.new" "$folder/$1"; }
        finish() { note end "$1 $(date +%s)"; exit "$1"; }
        step() {
            begun=$(date +%s)
            note "$1.$4.step" "$2 $3 $place running $begun"
            ( "run_$1" ) >> "$logs/$4.log" 2>&1 < /dev/null
            code=$?
            note "$1.$4.step" "$2 $3 $place ended $begun $code $(date +%s)"
            return $code
        }
        """

    private func function(_ step: JobOrder.Step, _ index: Int) throws(EngineFailure) -> String {
        let words: [String]
        do {
            words = try command(step)
        } catch {
            throw EngineFailure(.unacceptable, "\(step.phase.rawValue)/\(step.name): \(error.message)")
        }
        guard !words.isEmpty, !words.contains(where: { $0.utf8.contains(0) }) else {
            throw EngineFailure(.unacceptable, "\(step.phase.rawValue)/\(step.name): it has no command")
        }
        var lines = ["run_\(index)() {"]
        let directory = step.workingDirectory ?? order.folders.work
        lines.append("    cd \(Self.quoted(directory)) || exit 126")
        for entry in step.environment {
            guard Self.isName(entry.name), !entry.value.utf8.contains(0) else {
                throw EngineFailure(
                    .unacceptable,
                    "\(step.phase.rawValue)/\(step.name): \(entry.name) cannot be a variable of a shell")
            }
            lines.append("    export \(entry.name)=\(Self.quoted(entry.value))")
        }
        lines.append("    exec \(words.map(Self.quoted).joined(separator: " "))")
        return (lines + ["}"]).joined(separator: "\n")
    }

    private func command(_ step: JobOrder.Step) throws(ActorError) -> [String] {
        guard !settings.imageCommand.isEmpty else { return try resolve(step.image, step.command, step.args) }
        let values = ["image": step.image]
        return settings.imageCommand.map { JobVariables.expand($0, values) } + step.command + step.args
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { NameRules.isAlphanumeric($0) || $0 == UInt8(ascii: "_") }
    }

    // MARK: sbatch

    /// All arguments of sbatch but its own name.
    package func arguments() -> [String] {
        let folder = Self.folder(of: order.run)
        var words = [
            "--parsable", "--job-name=\(order.run.name)",
            "--comment=reactord job \(order.run.job) attempt \(order.run.attempt)",
            "--output=\(folder)/slurm.out", "--open-mode=append", "--chdir=\(order.folders.work)", "--nodes=1",
            "--ntasks=1", "--cpus-per-task=\(max(1, ((need(\.cpuMillis) ?? 0) + 999) / 1000))",
        ]
        if let bytes = need(\.memoryBytes) { words.append("--mem=\(max(1, (bytes + 1_048_575) / 1_048_576))M") }
        if let gpus = need(\.gpus), gpus > 0 { words.append("--gres=gpu:\(gpus)") }
        if let seconds = order.deadlineSeconds { words.append("--time=\((seconds + 59) / 60)") }
        if let partition = order.options["partition"] ?? settings.partition {
            words.append("--partition=\(partition)")
        }
        if let account = order.options["account"] ?? settings.account { words.append("--account=\(account)") }
        return words + settings.options + ["\(folder)/script"]
    }

    /// As Kubernetes reckons a pod: the most of any init step, or all main ones together. Nil when nobody asks.
    private func need(_ amount: KeyPath<JobResources, Int64?>) -> Int64? {
        let first = order.steps.filter { $0.phase == .initial }.compactMap { $0.resources[keyPath: amount] }.max()
        let main = order.steps.filter { $0.phase == .main }.compactMap { $0.resources[keyPath: amount] }
        let sum = main.isEmpty ? nil : main.reduce(0) { $0 &+ min($1, 1 << 56) }
        return [first, sum].compactMap { $0 }.max()
    }
}
