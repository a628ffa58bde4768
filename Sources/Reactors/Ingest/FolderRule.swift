/// Which folder of job files an upload takes: files in the folders of the rule are for the uploads that the rule sends
/// there, all others are for every upload.
package struct FolderRule: Sendable, Equatable {
    /// Uploads of which the condition is true take the folder; the first that is true counts.
    package struct Branch: Sendable, Equatable {
        package let folder: String
        package let condition: UploadCondition
        /// As it was written, for messages.
        package let text: String

        package init(folder: String, condition: UploadCondition, text: String) {
            self.folder = folder
            self.condition = condition
            self.text = text
        }
    }

    package let branches: [Branch]
    /// The twelfth character decides, and messages say so.
    private let isStandard: Bool

    package init(branches: [Branch]) {
        self.branches = branches
        self.isStandard = false
    }

    private init(standard: [Branch]) {
        self.branches = standard
        self.isStandard = true
    }

    /// `ephys/`, `imaging/` and `fluidics/` by the twelfth character (lab workflows, section 0.1).
    package static let standard = FolderRule(
        standard: Modality.allCases.map { modality in
            let letter = String(modality.rawValue.prefix(1))
            return Branch(
                folder: modality.rawValue, condition: .compare(.character(11), .equal, .text(letter)),
                text: "name[11] == \"\(letter)\"")
        })

    /// The folder that the upload takes; nil when no branch takes it.
    package func folder(of upload: UploadFacts) -> String? {
        branches.first { $0.condition.isTrue(of: upload) }?.folder
    }

    /// Why no branch takes the upload; nil when one does.
    package func problem(of upload: UploadFacts) -> String? {
        guard folder(of: upload) == nil else { return nil }
        guard isStandard else { return "no folder rule takes it" }
        let letters = Modality.allCases.map { String($0.rawValue.prefix(1)) }.joined(separator: ", ")
        guard let letter = upload.name.dropFirst(11).first else {
            return "it has no 12th character, which says what was measured (\(letters))"
        }
        return "the 12th character is \"\(letter)\", none of \(letters)"
    }

    /// Why the folder of a job file rules it out for this upload; nil when it does not.
    package func obstacle(file: String, _ upload: UploadFacts) -> String? {
        let parts = file.split(separator: "/")
        guard parts.count > 1, let wanted = branches.first(where: { $0.folder == String(parts[0]) }) else { return nil }
        let found = folder(of: upload)
        guard found != wanted.folder else { return nil }
        if let found { return "for \(wanted.folder) uploads; this one is \(found)" }
        guard isStandard else { return "for uploads with \(wanted.text)" }
        let shown = upload.name.dropFirst(11).first.map { "is \"\($0)\"" } ?? "is missing"
        return "for \(wanted.folder) uploads, whose 12th character is \"\(wanted.folder.prefix(1))\"; here it \(shown)"
    }
}
