package import ActorCore
internal import Foundation
internal import Reactors

/// What `reactord job identify` answers: the ids and paths of a job that nobody has made, computed here.
package enum JobIdentify {
    /// What the callback of the job would be made of; what is nil comes from the configuration, or is a place to fill.
    package struct Callback: Sendable {
        package var apiServer: String?
        package var manager: String?
        package var nonce: String?
        package var token: String?

        package init(apiServer: String? = nil, manager: String? = nil, nonce: String? = nil, token: String? = nil) {
            self.apiServer = apiServer
            self.manager = manager
            self.nonce = nonce
            self.token = token
        }
    }

    /// - Parameter input: as the body of `POST /api/v1/jobs?dry_run=true`.
    package static func run(
        _ input: JSONValue, callback: Callback, configFile: String?
    ) throws(ActorError) -> JSONValue {
        let unknown = (input.object ?? []).map(\.name).filter { !JobFields.creation.contains($0) }
        guard unknown.isEmpty else {
            throw ActorError(.invalidInput, "not known of a job: \(unknown.prefix(5).joined(separator: ", "))")
        }
        let creation: JobCreation
        do {
            creation = try JobCreation(json: input)
        } catch {
            throw ActorError(.invalidInput, error.message)
        }
        let settings = try SettingsLoader.load(file: configFile, environment: ProcessInfo.processInfo.environment)
        let now = creation.time ?? Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        let draft = creation.draft(
            creation.generation ?? JobCreation.generation(of: creation.pipeline),
            petName: SessionName.make([UInt8.random(in: 0...255), UInt8.random(in: 0...255)]), execution: nil,
            owner: "", tenant: settings.tenant)
        var base = callback.apiServer ?? settings.publicURL(port: settings.server.port)
        while base.hasSuffix("/") { base.removeLast() }
        let url = JobCallback(
            base: base, manager: callback.manager ?? settings.pipelines.jobManager,
            nonce: callback.nonce ?? "${NONCE}"
        ).url(
            token: callback.token ?? "${TOKEN}", uuid: draft.uuid,
            session: draft.generation == .second ? draft.session : nil)
        return JobIdentification(draft: draft, now: now).json.setting("callback", .string(url))
    }
}
