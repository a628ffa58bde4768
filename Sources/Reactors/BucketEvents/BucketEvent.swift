package import ActorCore

/// What an object store says of one object: Amazon's form, which Ceph and MinIO send too.
package struct BucketEvent: Sendable, Equatable {
    /// `ObjectCreated:Put`; without the `s3:` that some put before it.
    package let name: String
    package let bucket: String
    package let key: String

    package init(name: String, bucket: String, key: String) {
        self.name = name
        self.bucket = bucket
        self.key = key
    }

    /// Where SNS wants a visit before it sends anything; a person makes it, since anybody may send an address.
    package static func confirmation(_ json: JSONValue?) -> String? {
        guard json?["Type"]?.string == "SubscriptionConfirmation" else { return nil }
        return json?["SubscribeURL"]?.string ?? ""
    }

    /// The events of a notification; none for the test that a store sends when it is set up. A notification that came
    /// through SNS lies in its envelope as a text.
    package static func decode(_ json: JSONValue?) throws(ReactorFailure) -> [BucketEvent] {
        guard let json else { throw ReactorFailure(.refused, "the message is not JSON") }
        if json["Type"]?.string == "Notification", let text = json["Message"]?.string {
            return try decode(try? JSONReader.read(Array(text.utf8)))
        }
        if confirmation(json) != nil { return [] }
        if json["Event"]?.string == "s3:TestEvent" { return [] }
        guard let records = json["Records"]?.array else {
            throw ReactorFailure(.refused, "/Records: is missing: this is no notification of an object store")
        }
        var events: [BucketEvent] = []
        for (index, record) in records.enumerated() {
            guard let name = record["eventName"]?.string, let bucket = record["s3"]?["bucket"]?["name"]?.string,
                let key = record["s3"]?["object"]?["key"]?.string
            else {
                throw ReactorFailure(
                    .refused, "/Records/\(index): needs eventName, s3/bucket/name and s3/object/key")
            }
            events.append(
                BucketEvent(name: name.hasPrefix("s3:") ? String(name.dropFirst(3)) : name, bucket: bucket, key: key))
        }
        return events
    }
}
