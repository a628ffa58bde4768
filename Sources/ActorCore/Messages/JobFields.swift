/// The fields by which a job is asked for, each with the spellings of both generations; shared by the door, which
/// refuses what is none of them, and by the Reactor that reads them.
package enum JobFields {
    package static let spellings: [[String]] = [
        ["pipeline_uuid"], ["components"], ["pipeline_id", "id"], ["generation"], ["data"],
        ["archive_path", "path"], ["instanced"], ["session"], ["child_of"], ["lab", "lab_name"],
        ["experiment", "experiment_reference", "experiment_id"], ["measurement", "measurement_id"],
        ["sample", "sample_id"], ["experiment_design_id", "experiment_design"], ["notify"], ["actor_id"],
        ["execution_id"], ["token_events"], ["archive_patterns"], ["product_patterns"], ["dry_run"], ["time"],
        ["__options"],
    ]
    package static let creation = Set(spellings.joined())

    /// Names of a field, the first one in front.
    package static func names(of field: String) -> [String] { spellings.first { $0[0] == field } ?? [field] }
}
