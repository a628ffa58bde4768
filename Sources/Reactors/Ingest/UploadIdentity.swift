package import ActorCore

/// When two uploads are the same one: what they hold decides, not what they are called.
package enum UploadIdentity {
    /// Documents that find an upload by its content.
    package static let contentKind = "upload-content"
    /// Documents that count the versions of a name.
    package static let nameKind = "upload-name"

    /// SHA-256 of a single file's content, whatever the file is called; of a folder, over the paths and hashes of its
    /// files in order.
    package static func content(of claimed: ClaimedUpload) -> String {
        content(files: claimed.files, name: claimed.name)
    }

    /// The same for the files of an upload of this name.
    package static func content(files: [LabFile], name: String) -> String {
        if files.count == 1, let file = files.first, file.path == name { return file.sha256 }
        let lines = files.map { "\($0.sha256)  \($0.path)\n" }.joined()
        return Fingerprint.sha256(Array(lines.utf8))
    }

    /// An upload that has the same content.
    package struct Known: Sendable, Equatable {
        package let upload: String
        package let execution: ExecutionID

        package init(upload: String, execution: ExecutionID) {
            self.upload = upload
            self.execution = execution
        }

        package var json: JSONValue {
            ["upload": .string(upload), "execution_id": .string(execution.rawValue)]
        }

        package init?(json: JSONValue) {
            guard let upload = json["upload"]?.string, let execution = json["execution_id"]?.string else { return nil }
            self.init(upload: upload, execution: ExecutionID(execution))
        }
    }

    package enum Verdict: Sendable, Equatable {
        /// Not seen before, or asked for again by force: it becomes this version of its name.
        case new(version: Int)
        /// This very delivery, repeated after a crash.
        case resumed(String)
        /// Nothing runs: the same content is this upload.
        case same(String)
    }

    /// - Parameters:
    ///   - known: who has this content.
    ///   - versions: how many the name has had.
    package static func verdict(
        known: Known?, versions: Int, execution: ExecutionID, force: Bool
    ) -> Verdict {
        if let known {
            if known.execution == execution { return .resumed(known.upload) }
            if !force { return .same(known.upload) }
        }
        return .new(version: versions + 1)
    }

    /// The uploads that keys of a bucket or paths of an inbox belong to: the first segment, without one `.zip`, each
    /// once, sorted (lab workflows, section 0.1). What cannot be an upload's name, and the listing that a helper of the
    /// original laid beside the uploads, is left out.
    package static func names(ofKeys keys: [String]) -> [String] {
        var names: Set<String> = []
        for key in keys {
            guard var name = key.split(separator: "/", omittingEmptySubsequences: false).first.map(String.init)
            else { continue }
            if name.hasSuffix(".zip") { name.removeLast(4) }
            if NameRules.isUploadName(name), name != "files_in_dir.txt" { names.insert(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Where the lab's later listener looks for an upload: by the first lower-case word between hyphens; nil where
    /// there is none (lab workflows, section 0.8).
    package static func prefix(of uuid: String) -> String? {
        let parts = uuid.split(separator: "-", omittingEmptySubsequences: false).dropFirst().dropLast()
        guard let word = parts.first(where: { $0.allSatisfy { $0.isASCII && $0.isLowercase } }) else { return nil }
        switch word {
        case "e": return "s3://braingeneers/ephys/"
        case "f": return "s3://braingeneers/fluidics/"
        default: return "s3://braingeneers/integrated/"
        }
    }
}
