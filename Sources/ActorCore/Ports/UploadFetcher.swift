/// An upload that lies at an address.
package struct RemoteUpload: Sendable, Equatable {
    package let url: String
    /// What it is to be called.
    package let name: String
    /// Hex; what was fetched is refused when it is another.
    package let sha256: String?
    /// It is analysed even if the same content was before.
    package let force: Bool

    package init(url: String, name: String, sha256: String? = nil, force: Bool = false) {
        self.url = url
        self.name = name
        self.sha256 = sha256
        self.force = force
    }
}

/// Brings uploads from addresses.
package protocol UploadFetcher: Sendable {
    /// Gets it into the inbox as one file, whole, and marks it done. Throws `unavailable` while another upload of that
    /// name lies in the inbox.
    ///
    /// - Parameters:
    ///   - allowed: hosts in private networks that may be asked, as `host` or `host:port`.
    ///   - key: names this fetching: a repeat changes nothing.
    func fetch(_ upload: RemoteUpload, allowed: [String], key: String) async throws(ActorError)
}

/// A house that fetches nothing: says so to who wants something fetched.
package struct NoFetcher: UploadFetcher {
    package init() {}

    package func fetch(_ upload: RemoteUpload, allowed: [String], key: String) async throws(ActorError) {
        throw ActorError(.unavailable, "this house fetches no uploads")
    }
}
