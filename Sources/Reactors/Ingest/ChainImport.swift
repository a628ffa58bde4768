package import ActorCore

/// Job files made of a chain file: one for each row, which waits for the rows that start it.
package struct ChainImport: Sendable {
    /// What the table is called, for the comment at the top of each file.
    package let table: String
    /// For every upload rather than for the one that the rows name.
    package let isForAll: Bool

    package init(table: String, isForAll: Bool = false) {
        self.table = table
        self.isForAll = isForAll
    }

    package func jobFiles(of chain: ChainFile) throws(ChainFile.Malformed) -> [JobFile] {
        let uploads = Set(chain.rows.map { $0.fields["uuid"] ?? "" })
        if isForAll, uploads.count > 1 {
            let names = uploads.sorted().prefix(3).joined(separator: ", ")
            throw ChainFile.Malformed(
                line: 1, reason: "the rows are for several uploads (\(names)): they cannot be for all")
        }
        var files: [JobFile] = []
        for row in chain.rows {
            let before = chain.rows.filter { $0.next.contains(row.index) }.map(Self.fileName)
            files.append(JobFile(path: Self.fileName(row), text: Array(try text(row, after: before).utf8)))
        }
        return files
    }

    /// Recognisable, and another for each row.
    private static func fileName(_ row: ChainFile.Row) -> String {
        let stem = ChainFile.jobName(row.fields["experiment"] ?? "").dropFirst(4)
        return stem.isEmpty ? "\(row.index).yaml" : "\(row.index)-\(stem).yaml"
    }

    private func text(_ row: ChainFile.Row, after: [String]) throws(ChainFile.Malformed) -> String {
        guard let image = row.fields["image"], !image.isEmpty else {
            throw ChainFile.Malformed(line: 1, reason: "row \(row.index) has no image")
        }
        let upload = row.fields["uuid"] ?? ""
        let experiment = row.fields["experiment"] ?? ""
        var annotations: [String] = []
        if !isForAll, !upload.isEmpty {
            annotations.append("\(JobAnnotations.appliesIf): \(Self.quoted("name == \"\(upload)\""))")
        }
        if !after.isEmpty {
            annotations.append("\(JobAnnotations.dependsOn): \(Self.quoted(after.joined(separator: ", ")))")
        }
        let name = ChainFile.jobName(experiment, index: row.index)
        var lines = ["# Row \(row.index) of \(table).", "apiVersion: batch/v1", "kind: Job", "metadata:"]
        lines.append("  name: \(Self.quoted(isForAll ? "\(name)-\(row.index)-${UUID}" : "\(name)-\(row.index)"))")
        if !annotations.isEmpty { lines += ["  annotations:"] + annotations.map { "    \($0)" } }
        lines += [
            "spec:", "  backoffLimit: 0", "  template:", "    spec:", "      restartPolicy: Never",
            "      containers:", "        - name: main", "          image: \(Self.quoted(image))",
            "          command: [stdbuf, -i0, -o0, -e0, /usr/bin/time, -v, bash, -c]",
            "          args: [\(Self.quoted(command(row, experiment)))]",
        ]
        let amounts = try amounts(row)
        if !amounts.isEmpty {
            let list = amounts.joined(separator: ", ")
            lines += ["          resources:", "            requests: {\(list)}", "            limits: {\(list)}"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// As the listener put it: the words, where the recording is, where its parameters are.
    private func command(_ row: ChainFile.Row, _ experiment: String) -> String {
        let path = row.fields["file_path"].flatMap { Self.isSet($0) ? $0 : nil }
        let recording = path ?? (experiment.isEmpty ? "$REACTORD_INPUT" : "$REACTORD_INPUT/\(experiment)")
        let parameters = row.fields["params"].flatMap { Self.isSet($0) ? $0 : nil }
        return [row.fields["args"] ?? "", recording, parameters ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
    }

    private func amounts(_ row: ChainFile.Row) throws(ChainFile.Malformed) -> [String] {
        var amounts: [String] = []
        for (column, resource, unit) in [
            ("cpu_request", "cpu", ""), ("memory_request", "memory", "Gi"),
            ("disk_request", "ephemeral-storage", "Gi"), ("GPU", "nvidia.com/gpu", ""),
        ] {
            guard let text = row.fields[column], Self.isSet(text) else { continue }
            guard let amount = Double(text), amount >= 0, amount < 1_000_000 else {
                throw ChainFile.Malformed(line: 1, reason: "row \(row.index): \(column) must be a number, not \(text)")
            }
            let whole = amount == amount.rounded() ? String(Int(amount)) : text
            if amount > 0 { amounts.append("\(resource): \(Self.quoted(whole + unit))") }
        }
        return amounts
    }

    private static func isSet(_ text: String) -> Bool { !["", "None", "nan"].contains(text) }

    /// A JSON text is a YAML text.
    private static func quoted(_ text: String) -> String { JSONWriter.string(.string(text)) }
}
