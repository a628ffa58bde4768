package import ActorCore

/// Outside services and what opens them.
package struct ConnectorSettings: Sendable, Equatable {
    package var s3 = S3Settings()
    package var ica = ICASettings()
    package var baseSpace = BaseSpaceSettings()
    package var ec2 = EC2Settings()
}

/// An S3 store.
package struct S3Settings: Sendable, Equatable {
    package var endpoint: String?
    package var region = "us-east-1"
    package var pathStyle = true
    package var accessKey: Secret?
    package var secretKey: Secret?
    /// Of keys that end.
    package var sessionToken: Secret?
    /// PEM file of the authorities that the store's certificate is checked with; nil: the machine's.
    package var authorities: String?
    package var inbox: S3InboxSettings?
    package var copy: S3CopySettings?
}

/// A bucket in which uploads land.
package struct S3InboxSettings: Sendable, Equatable {
    package var bucket: String
    package var prefix: String
    package var pollSeconds: Int
    package var settleSeconds: Int
    package var deletes: Bool
    package var maxBytes: Int64
}

/// A bucket to which uploads are copied.
package struct S3CopySettings: Sendable, Equatable {
    package var bucket: String
    package var prefix: String
}

/// Zip and tar files among the uploads.
package struct UnpackingSettings: Sendable, Equatable {
    package var isEnabled = true
    package var limits = UnpackLimits()
}

/// Illumina Connected Analytics.
package struct ICASettings: Sendable, Equatable {
    package var server = "https://ica.illumina.com"
    package var apiKey: Secret?
}

/// BaseSpace.
package struct BaseSpaceSettings: Sendable, Equatable {
    package var server = "https://api.basespace.illumina.com"
    package var accessToken: Secret?
}

/// Machines of EC2.
package struct EC2Settings: Sendable, Equatable {
    package var endpoint: String?
    package var region = "us-east-1"
    package var accessKey: Secret?
    package var secretKey: Secret?
}
