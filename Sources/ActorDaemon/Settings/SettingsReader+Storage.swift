import ActorCore

/// Object stores, and archives among the uploads.
extension SettingsReader {
    func readS3(_ s3: StrictMapping, _ settings: inout S3Settings) {
        settings.endpoint = url(s3, "endpoint")
        settings.region = s3.text("region", or: settings.region)
        settings.pathStyle = s3.flag("path_style", or: settings.pathStyle)
        settings.accessKey = s3.secret("access_key")
        settings.secretKey = s3.secret("secret_key")
        settings.sessionToken = s3.secret("session_token")
        settings.authorities = path(s3, "ca_file")
        if s3.isSet("inbox") {
            let inbox = s3.mapping("inbox")
            settings.inbox = S3InboxSettings(
                bucket: bucket(inbox), prefix: inbox.text("prefix", or: ""),
                pollSeconds: inbox.integer("poll_seconds", or: 60, in: 1...86400),
                settleSeconds: inbox.integer("settle_seconds", or: 60, in: 0...86400),
                deletes: inbox.flag("delete", or: true),
                maxBytes: inbox.integer("max_object_bytes", or: Int64.max, in: 1...Int64.max))
            inbox.finish()
        }
        if s3.isSet("copy") {
            let copy = s3.mapping("copy")
            settings.copy = S3CopySettings(bucket: bucket(copy), prefix: copy.text("prefix", or: ""))
            copy.finish()
        }
        if settings.inbox != nil || settings.copy != nil {
            for (key, isThere) in [
                ("access_key", settings.accessKey != nil), ("secret_key", settings.secretKey != nil),
            ] where !isThere {
                s3.report(key, "is missing: without it the store refuses every request (it may stand in secrets.json)")
            }
        }
        s3.finish()
    }

    private func bucket(_ mapping: StrictMapping) -> String {
        let bucket = mapping.text("bucket", or: "")
        if bucket.isEmpty { mapping.report("bucket", "takes the name of a bucket") }
        return bucket
    }

    func readUnpacking(_ unpack: StrictMapping, _ settings: inout UnpackingSettings) {
        settings.isEnabled = unpack.flag("enabled", or: settings.isEnabled)
        settings.limits.entries = unpack.integer("max_files", or: settings.limits.entries, in: 1...100_000)
        settings.limits.bytes = unpack.integer("max_bytes", or: settings.limits.bytes, in: 1...Int64.max)
        settings.limits.ratio = unpack.integer("max_ratio", or: settings.limits.ratio, in: 1...1_000_000)
        unpack.finish()
    }
}
