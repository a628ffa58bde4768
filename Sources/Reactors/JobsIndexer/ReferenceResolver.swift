import ActorCore

/// Finds what `derived_from` and `derived_using` name, in the order of PipelineJobs, section 8.3; each reference once.
struct ReferenceResolver: Sendable {
    private let job: JobID
    private let archivePath: String
    private let archive: any ArchiveFiles
    private let context: any ReactorContext
    private let isPermissive: Bool
    private var found: [String: String?] = [:]

    init(
        job: JobID, archivePath: String, archive: any ArchiveFiles, context: any ReactorContext, isPermissive: Bool
    ) {
        self.job = job
        self.archivePath = archivePath
        self.archive = archive
        self.context = context
        self.isPermissive = isPermissive
    }

    /// Throws for the first that cannot be found, unless that is permitted. What was buffered stays: it is committed
    /// first, since throwing drops it.
    mutating func links(_ kind: LinkKind, _ references: [String]) async throws -> [CatalogueLink] {
        var links: [CatalogueLink] = []
        for reference in references {
            if let uuid = try await resolved(reference) {
                links.append(CatalogueLink(kind, uuid))
            } else if !isPermissive {
                try await context.commit()
                throw ReactorFailure(.refused, "String reference \(reference.prefix(500)) was not resolved")
            }
        }
        return links
    }

    private mutating func resolved(_ reference: String) async throws -> String? {
        if let known = found[reference] { return known }
        let uuid = try await resolve(reference)
        found[reference] = .some(uuid)
        return uuid
    }

    private func resolve(_ reference: String) async throws -> String? {
        if let uuid = TypedUUID.normalized(reference) {
            if uuid.hasPrefix(CatalogueFile.reference) { return uuid }
            return try await context.catalogue.file(uuid)?.uuid
        }
        if reference.hasPrefix("http://") || reference.hasPrefix("https://") {
            return TypedUUID.make(CatalogueFile.reference, reference)
        }
        if reference.hasPrefix("/") { return try await indexed(reference) }
        if let (system, folder, file) = CatalogueFile.split(uri: reference) {
            guard system == CatalogueFile.system else { return nil }
            return try await indexed(folder == "/" ? "/\(file)" : "\(folder)/\(file)")
        }
        guard reference.hasPrefix("./") else { return nil }
        return try await indexed("\(archivePath)/\(reference.dropFirst(2))")
    }

    /// A file of the archive that is referred to is a file of the catalogue from then on.
    private func indexed(_ name: String) async throws -> String? {
        let name = CatalogueName.normalized(name)
        guard try await archive.file(named: name) != nil else { return nil }
        let record = CatalogueFile.record(
            name, links: [CatalogueLink(.childOf, job.rawValue)], at: context.now())
        context.change(.catalogue(record))
        return record.uuid
    }
}
