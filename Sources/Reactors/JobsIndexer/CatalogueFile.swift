package import ActorCore

/// How files are named in the catalogue, and the ids that follow from the name (PipelineJobs, section 4.9).
package enum CatalogueFile {
    /// Where archive paths lie, as the catalogue calls it.
    package static let system = "data-sd2e-community"
    package static let reference = "109"
    private static let prefix = "105"

    package static func uuid(of name: String) -> String { TypedUUID.make(prefix, CatalogueName.normalized(name)) }

    package static func fileID(of recordName: String) -> String {
        let uuid = TypedUUID.make(prefix, "agave://\(system)\(recordName)")
        return "file.tacc.\(Hashids.catalogue.encode(TypedUUID.number(uuid)))"
    }

    /// The record of a file by its absolute name.
    package static func record(
        _ name: String, level: String? = nil, note: String? = nil, links: Set<CatalogueLink> = [], at now: Timestamp
    ) -> FileRecord {
        let cleaned = CatalogueName.cleaned(name)
        return FileRecord(
            uuid: uuid(of: cleaned), name: cleaned, system: system, fileID: fileID(of: cleaned),
            type: type(of: cleaned), level: level, note: note, links: links, updated: now)
    }

    /// Storage system, folder and file of `agave://system/folder/file`; nil when it is none.
    package static func split(uri: String) -> (system: String, folder: String, file: String)? {
        guard uri.hasPrefix("agave://") else { return nil }
        let rest = uri.dropFirst(8)
        guard let slash = rest.firstIndex(of: "/"), slash > rest.startIndex else { return nil }
        let path = CatalogueName.normalized("/" + rest[slash...])
        guard let last = path.lastIndex(of: "/"), path.index(after: last) < path.endIndex else { return nil }
        let folder = last == path.startIndex ? "/" : String(path[..<last])
        return (String(rest[..<slash]), folder, String(path[path.index(after: last)...]))
    }

    /// The catalogue's word for the format, by the end of the name; a compressed file is what is in it.
    package static func type(of name: String) -> String {
        var lower = (name.split(separator: "/").last.map(String.init) ?? name).lowercased()
        for ending in [".gz", ".bz2", ".xz", ".zst"] where lower.hasSuffix(ending) {
            lower.removeLast(ending.count)
            if !lower.contains(".") { return "ARCHIVE" }
        }
        guard let dot = lower.lastIndex(of: ".") else { return "UNKNOWN" }
        return types[String(lower[lower.index(after: dot)...])] ?? "UNKNOWN"
    }

    private static let types: [String: String] = [
        "json": "JSON", "txt": "PLAIN", "md": "MARKDOWN", "csv": "CSV", "tsv": "TSV", "tab": "TSV", "xml": "XML",
        "yaml": "YAML", "yml": "YAML", "html": "HTML", "htm": "HTML", "pdf": "PDF", "log": "LOG", "err": "LOG",
        "out": "LOG", "png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "gif": "GIF", "svg": "SVG", "tif": "TIFF",
        "tiff": "TIFF", "fcs": "FCS", "fastq": "FASTQ", "fq": "FASTQ", "fa": "FASTA", "fas": "FASTA",
        "fasta": "FASTA", "bam": "BAM", "bai": "BAM", "sam": "SAM", "cram": "CRAM", "vcf": "VCF", "bcf": "BCF",
        "bed": "BED", "bedgraph": "BEDGRAPH", "gff": "GFF", "gff3": "GFF", "gtf": "GTF", "mzml": "MZML",
        "h5": "HDF5", "hdf5": "HDF5", "nwb": "NWB", "npy": "NUMPY", "npz": "NUMPY", "parquet": "PARQUET",
        "xls": "EXCEL", "xlsx": "EXCEL", "zip": "ZIP", "tar": "TAR", "tgz": "TAR", "r": "R", "py": "PYTHON",
        "ipynb": "JUPYTER", "sh": "SHELL", "sbol": "SBOL",
    ]
}
