/// The URL that moves a job on (PipelineJobs, section 4.7).
package struct JobCallback: Sendable, Equatable {
    /// Without a slash at its end.
    package var base: String
    /// Id or alias of the actor that keeps the jobs.
    package var manager: String
    package var nonce: String

    package init(base: String, manager: String, nonce: String) {
        self.base = base
        self.manager = manager
        self.nonce = nonce
    }

    package func url(of job: JobRecord) -> String {
        url(token: job.token, uuid: job.uuid, session: job.generation == .second ? job.session : nil)
    }

    /// - Parameter session: of the second generation only. Nothing needs an escape: tokens, ids and sessions are plain.
    package func url(token: String, uuid: JobID, session: String?) -> String {
        let url = "\(base)/actors/v2/\(manager)/messages?x-nonce=\(nonce)&token=\(token)&uuid=\(uuid)"
        return session.map { "\(url)&session=\($0)" } ?? url
    }
}
