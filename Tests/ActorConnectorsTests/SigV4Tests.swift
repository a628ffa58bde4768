import ActorConnectors
import ActorCore
import ActorTesting
import Foundation
import Testing

/// Signatures against recorded ones, and against those that Amazon's documentation works out.
@Suite struct SigV4Tests {
    private static let vectors: JSONValue = {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Vectors/sigv4.json")
        guard let data = try? Data(contentsOf: path), let value = try? JSONReader.read(Array(data)) else { return [:] }
        return value
    }()

    @Test func recordedRequestsAreSignedAlike() throws {
        let requests = try #require(Self.vectors["requests"]?.array)
        #expect(requests.count == 26)
        let moment = try #require(Timestamp(iso8601: "2026-01-15T12:00:00Z"))
        for request in requests {
            let headers = try #require(request["headers"]?.object)
            let expected = try #require(headers.first { $0.name == "Authorization" }?.value.string)
            let address = try #require(WebAddress(request["url"]?.string ?? ""))
            let service = try #require(request["service"]?.string)
            let token = headers.first { $0.name == "X-Amz-Security-Token" }?.value.string
            let keys = expected.split(separator: "/")[0].split(separator: "=")[1]
            #expect(keys == "AKIDEXAMPLE")
            let signer = SigV4(
                credentials: SigV4.Credentials(
                    accessKey: "AKIDEXAMPLE",
                    secretKey: try #require(Self.vectors["credentials"]?["secret_key"]?.string),
                    sessionToken: token), region: "us-east-1", service: service)
            let payload = SigV4.hash(Array((request["body"]?.string ?? "").utf8))
            let given = headers.filter { ["Content-Type"].contains($0.name) }.map {
                (name: $0.name, value: $0.value.string ?? "")
            }
            let signed = signer.headers(
                method: request["method"]?.string ?? "", address: address, headers: given, payload: payload, at: moment)
            #expect(signed.last?.name == "Authorization")
            #expect(signed.last?.value == expected, "\(request["operation"]?.string ?? "") \(address.url)")
            for header in signed.dropLast() where header.name.hasPrefix("x-amz") {
                let recorded = headers.first { $0.name.lowercased() == header.name }?.value.string
                #expect(recorded == header.value)
            }
            #expect(WebAddress(address.url) == address)
        }
    }

    private static let example = SigV4(
        credentials: SigV4.Credentials(
            accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        region: "us-east-1", service: "s3")
    private static let moment = Timestamp(iso8601: "2013-05-24T00:00:00Z") ?? Timestamp(milliseconds: 0)

    /// Amazon S3 API reference, "Signature Calculations for the Authorization Header", the four examples.
    @Test(arguments: documented) func documentedHeaders(_ example: Documented) throws {
        let address = try #require(WebAddress("https://examplebucket.s3.amazonaws.com\(example.path)"))
        let signed = Self.example.headers(
            method: example.method, address: address, headers: example.headers.map { (name: $0[0], value: $0[1]) },
            payload: SigV4.hash(Array(example.body.utf8)), at: Self.moment)
        #expect(signed.last?.value.hasSuffix("Signature=\(example.signature)") == true)
    }

    struct Documented: Sendable {
        var method = "GET"
        let path: String
        var headers: [[String]] = []
        var body = ""
        let signature: String
    }

    static let documented: [Documented] = [
        Documented(
            path: "/test.txt", headers: [["range", "bytes=0-9"]],
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        Documented(
            method: "PUT", path: "/test%24file.text",
            headers: [["date", "Fri, 24 May 2013 00:00:00 GMT"], ["x-amz-storage-class", "REDUCED_REDUNDANCY"]],
            body: "Welcome to Amazon S3.",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Documented(
            path: "/?lifecycle", signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Documented(
            path: "/?max-keys=2&prefix=J",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]

    /// The same, "Authenticating Requests: Using Query Parameters".
    @Test func documentedURL() throws {
        let address = try #require(WebAddress("https://examplebucket.s3.amazonaws.com/test.txt"))
        let url = Self.example.presigned(method: "GET", address: address, seconds: 86400, at: Self.moment)
        #expect(
            url == "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }

    /// The signature test suite of the AWS documentation: service "service", no payload header.
    @Test(arguments: [
        ("GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("GET", "/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        ("POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ])
    func testSuite(method: String, path: String, signature: String) throws {
        let signer = SigV4(
            credentials: SigV4.Credentials(
                accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1", service: "service")
        let address = try #require(WebAddress("https://example.amazonaws.com\(path)"))
        let moment = try #require(Timestamp(iso8601: "2015-08-30T12:36:00Z"))
        let signed = signer.headers(method: method, address: address, payload: SigV4.hash([]), at: moment)
        #expect(signed.last?.value.hasSuffix("Signature=\(signature)") == true, "\(signed)")
    }

    @Test func addressesOfObjects() throws {
        let keys = SigV4.Credentials(accessKey: "a", secretKey: "b")
        func url(_ endpoint: String?, _ isPathStyle: Bool, _ key: String) throws -> String {
            let endpoint = try S3Endpoint(
                url: endpoint, region: "eu-west-1", isPathStyle: isPathStyle, credentials: keys)
            let client = S3Client(endpoint: endpoint, client: ScriptedHTTP(), clock: ManualClock())
            let url = try client.presigned(ObjectName(bucket: "lab", key: key), method: "GET", seconds: 60)
            return String(url.prefix { $0 != "?" })
        }
        #expect(try url(nil, true, "a/b c") == "https://s3.eu-west-1.amazonaws.com/lab/a/b%20c")
        #expect(try url(nil, false, "a+b") == "https://lab.s3.eu-west-1.amazonaws.com/a%2Bb")
        #expect(try url("http://127.0.0.1:9000/base/", true, "ä") == "http://127.0.0.1:9000/base/lab/%C3%A4")
        #expect(try url("https://Store:443", false, "x//y") == "https://lab.store/x//y")
        for key in ["", "a/../b", "./a", String(repeating: "x", count: 1025)] {
            #expect(throws: ActorError.self) { try url(nil, true, key) }
        }
        for endpoint in ["ftp://x", "store.example", "https://me:word@store", "https://store/?a=b"] {
            #expect(throws: ActorError.self) { try url(endpoint, true, "a") }
        }
    }
}
