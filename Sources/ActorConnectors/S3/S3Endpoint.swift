package import ActorCore

/// Where an S3 store answers, and as whom it is asked.
package struct S3Endpoint: Sendable, Equatable {
    package var address: WebAddress
    package var region: String
    /// The bucket in the path (`https://host/bucket/key`); else in front of the host (`https://bucket.host/key`).
    package var isPathStyle: Bool
    package var credentials: SigV4.Credentials
    package var tls: TLSSettings?

    /// - Parameter url: nil for Amazon's own, in that region.
    package init(
        url: String?, region: String, isPathStyle: Bool, credentials: SigV4.Credentials, tls: TLSSettings? = nil
    ) throws(ActorError) {
        let url = url ?? "https://s3.\(region).amazonaws.com"
        guard let address = WebAddress(url), address.query.isEmpty else {
            throw ActorError(.invalidInput, "connectors.s3.endpoint is no URL like https://s3.example.org: \(url)")
        }
        self.address = address
        self.region = region
        self.isPathStyle = isPathStyle
        self.credentials = credentials
        self.tls = tls
    }

    /// The address of a bucket, or of an object in it.
    func address(bucket: String, key: String? = nil, query: [WebAddress.Item] = []) throws(ActorError) -> WebAddress {
        guard (1...255).contains(bucket.utf8.count), bucket != ".", bucket != "..",
            bucket.utf8.allSatisfy({ NameRules.isAlphanumeric($0) || Array(".-_:".utf8).contains($0) })
        else { throw ActorError(.invalidInput, "\"\(bucket.prefix(300))\" is no name of a bucket") }
        var address = address
        address.query = query
        let base = address.path.hasSuffix("/") ? String(address.path.dropLast()) : address.path
        if isPathStyle {
            address.path = "\(base)/\(PercentText.escaped(bucket))"
        } else {
            address.host = "\(bucket).\(address.host)"
            address.path = base
        }
        guard let key else {
            if address.path.isEmpty { address.path = "/" }
            return address
        }
        // A client that tidies paths, as most do, would ask for another object.
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...1024).contains(key.utf8.count), !parts.contains("."), !parts.contains("..") else {
            throw ActorError(
                .invalidInput,
                "the key \"\(key.prefix(300))\" cannot be addressed: empty, over 1024 bytes, or with . or .. in it"
            )
        }
        address.path += "/" + WebAddress.encoded(path: key)
        return address
    }
}
