import ActorCore
import ActorTesting
import Reactors
import Testing

@Suite struct BucketEventTests {
    private static let record: JSONValue = [
        "eventName": "s3:ObjectCreated:Put", "s3": ["bucket": ["name": "b"], "object": ["key": "a%20b"]],
    ]

    @Test func forms() throws {
        let event = BucketEvent(name: "ObjectCreated:Put", bucket: "b", key: "a%20b")
        let plain: JSONValue = ["Records": [Self.record]]
        #expect(try BucketEvent.decode(plain) == [event])
        let text = String(decoding: JSONWriter.bytes(plain), as: UTF8.self)
        #expect(try BucketEvent.decode(["Type": "Notification", "Message": .string(text)]) == [event])
        #expect(try BucketEvent.decode(["Service": "Amazon S3", "Event": "s3:TestEvent"]) == [])
        let confirmation: JSONValue = [
            "Type": "SubscriptionConfirmation", "Message": "You have chosen…", "SubscribeURL": "https://sns/x",
        ]
        #expect(try BucketEvent.decode(confirmation) == [])
        #expect(BucketEvent.confirmation(confirmation) == "https://sns/x" && BucketEvent.confirmation(plain) == nil)
        for bad: JSONValue? in [nil, [], ["Records": [[:]]], ["Type": "Notification", "Message": "x"], ["Records": 1]] {
            #expect(throws: ReactorFailure.self) { try BucketEvent.decode(bad) }
        }
    }

    private static func notification(_ event: String, _ more: JSONValue = [:]) -> JSONValue {
        let record: JSONValue = [
            "eventVersion": "2.2", "eventSource": "aws:s3", "awsRegion": "", "eventName": .string(event),
            "s3": ["configurationId": "n", "bucket": ["name": "b"], "object": ["key": "k", "size": 3, "eTag": "d4"]],
        ]
        return (more.object ?? []).reduce(["Records": [record]]) { $0.setting($1.name, $1.value) }
    }

    /// As MinIO, Ceph and Amazon send it; what is no creation has nothing looked at.
    private static let notifications: [(JSONValue, Int)] = [
        (notification("s3:ObjectCreated:Put", ["EventName": "s3:ObjectCreated:Put", "Key": "b/k"]), 1),
        (notification("ObjectCreated:CompleteMultipartUpload", ["eventId": "1.2", "opaqueData": ""]), 1),
        (notification("ObjectCreated:Copy"), 1), (notification("s3:ObjectRemoved:Delete"), 0),
        (["Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"], 0),
    ]

    @Test(arguments: notifications)
    func anObjectThatCameHasTheBucketLookedAt(_ body: JSONValue, _ rings: Int) async throws {
        let rung = Kept(0)
        let reactor = BucketEventsReactor(
            tools: ReactorTools(
                files: MemoryLab(), archive: MemoryLab(), documents: JSONDocuments(), executor: ModelExecutor(),
                limits: Limits(), home: "/house", ringBucket: { rung.change { $0 += 1 } }))
        try await TestWorld().deliver(envelope(body), to: reactor, as: TestContext.Setup())
        #expect(rung.value == rings)
    }
}
