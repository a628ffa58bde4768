/// What is known of one file below a job's archive path: its size, its content, when it was changed.
package struct JobFileRecord: Sendable, Equatable {
    /// Below the archive path, with slashes.
    package let path: String
    package let bytes: Int64
    /// Hex; of the content at the time of `indexed`.
    package let sha256: String
    /// Latest change of the content, as the file system says.
    package let modified: Timestamp
    /// When its content was last read.
    package let indexed: Timestamp

    package init(path: String, bytes: Int64, sha256: String, modified: Timestamp, indexed: Timestamp) {
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
        self.modified = modified
        self.indexed = indexed
    }
}

/// How one record of the catalogue refers to another (PipelineJobs, sections 5.2 and 8).
package enum LinkKind: String, Sendable, CaseIterable {
    /// A file was made by a job; a job is about an experiment, a sample, another job.
    case childOf = "child_of"
    /// The process or pipeline that made a file.
    case generatedBy = "generated_by"
    /// Files that a file was computed from.
    case derivedFrom = "derived_from"
    /// References that it was computed with.
    case derivedUsing = "derived_using"
    /// Files and references that a job reads.
    case actedOn = "acted_on"
    case actedUsing = "acted_using"
    /// The name of an experiment that a job is about.
    case experiment
}

/// One reference from a record to another.
package struct CatalogueLink: Sendable, Hashable {
    package let kind: LinkKind
    /// A UUID, or a name for ``LinkKind/experiment``.
    package let target: String

    package init(_ kind: LinkKind, _ target: String) {
        self.kind = kind
        self.target = target
    }
}

extension JobRecord {
    /// What it refers to by what it was made from: its parents, and its experiment by every name that is given.
    package var links: [CatalogueLink] {
        let names = ["experiment", "experiment_reference", "experiment_id"].compactMap { data[$0]?.string }
        let experiments = Set([subject.experiment].compactMap { $0 } + names).sorted()
        return (childOf ?? []).map { CatalogueLink(.childOf, $0) }
            + experiments.map { CatalogueLink(.experiment, $0) }
    }
}

/// A file that a pattern has put into the catalogue (PipelineJobs, sections 4.9 and 8.3).
package struct FileRecord: Sendable, Equatable {
    /// `105…`, made from the name.
    package let uuid: String
    /// Absolute on its storage system.
    package let name: String
    package let system: String
    /// `file.tacc.…`
    package let fileID: String
    /// `CSV`, `FASTQ`, `UNKNOWN`.
    package var type: String
    /// The processing level; nil for a product.
    package var level: String?
    package var note: String?
    package var links: Set<CatalogueLink>
    package var updated: Timestamp

    package init(
        uuid: String, name: String, system: String, fileID: String, type: String, level: String? = nil,
        note: String? = nil, links: Set<CatalogueLink> = [], updated: Timestamp
    ) {
        self.uuid = uuid
        self.name = name
        self.system = system
        self.fileID = fileID
        self.type = type
        self.level = level
        self.note = note
        self.links = links
        self.updated = updated
    }

    /// What it becomes when it is indexed again: given values win, links are united.
    package func merged(with later: FileRecord) -> FileRecord {
        var merged = self
        merged.type = later.type
        merged.level = later.level ?? level
        merged.note = later.note ?? note
        merged.links.formUnion(later.links)
        merged.updated = later.updated
        return merged
    }
}
