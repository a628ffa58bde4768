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
