package import ActorCore
import Crypto

/// An S3 store over HTTP: Amazon's, Ceph's, MinIO's.
package struct S3Client: ObjectStore {
    /// One request, before it is signed.
    struct Call {
        var method: String
        var bucket: String
        var key: String?
        var query: [WebAddress.Item] = []
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
        var source: ObjectBody?
        var sink: (any BodySink)?

        init(_ method: String, _ bucket: String, _ key: String? = nil, _ query: [WebAddress.Item] = []) {
            self.method = method
            self.bucket = bucket
            self.key = key
            self.query = query
        }
    }

    /// Answers of the store that are kept: a page of keys is the longest.
    private static let longestAnswer = 8_388_608

    private let endpoint: S3Endpoint
    private let client: any HTTPClient
    private let clock: any Timekeeper

    /// - Parameter client: bulk goes through its one thread; give it one of its own.
    package init(endpoint: S3Endpoint, client: any HTTPClient, clock: any Timekeeper) {
        self.endpoint = endpoint
        self.client = client
        self.clock = clock
    }

    // MARK: - Objects

    package func list(_ query: ObjectQuery) async throws(ActorError) -> ObjectPage {
        var items = [
            WebAddress.Item("list-type", "2"), .init("encoding-type", "url"),
            .init("max-keys", String(max(1, min(1000, query.limit)))),
        ]
        if !query.prefix.isEmpty { items.append(.init("prefix", query.prefix)) }
        if let delimiter = query.delimiter { items.append(.init("delimiter", delimiter)) }
        if let after = query.after { items.append(.init("continuation-token", after)) }
        return try S3Answers.page(try await send(Call("GET", query.bucket, nil, items)).body)
    }

    package func head(_ name: ObjectName) async throws(ActorError) -> StoredObject? {
        var call = Call("HEAD", name.bucket, name.key)
        call.headers = [("x-amz-checksum-mode", "ENABLED")]
        do throws(ActorError) {
            return S3Answers.object(name.key, try await send(call))
        } catch  where error.code == .notFound {
            return nil
        }
    }

    package func get(
        _ name: ObjectName, _ range: ObjectRange, into sink: any BodySink
    ) async throws(ActorError) -> StoredObject {
        var call = Call("GET", name.bucket, name.key)
        call.sink = sink
        let isPart = range.from > 0 || range.count != nil
        if isPart {
            let end = range.count.map { String(range.from + $0 - 1) } ?? ""
            call.headers.append(("range", "bytes=\(range.from)-\(end)"))
        }
        if let etag = range.etag { call.headers.append(("if-match", "\"\(etag)\"")) }
        let response = try await once(call)
        guard !isPart || response.status == 206 else {
            throw ActorError(.unavailable, "\(what(call)): the store answered all of it where a part was asked for")
        }
        return S3Answers.object(name.key, response)
    }

    package func put(
        _ name: ObjectName, _ body: ObjectBody, _ options: PutOptions
    ) async throws(ActorError) -> StoredObject {
        var call = Call("PUT", name.bucket, name.key)
        call.source = body
        call.headers = Self.headers(options)
        let (response, tries) = try await sendPut(call, options.condition)
        let etag: String
        if let response {
            etag = S3Answers.etag(response.header("etag"))
        } else if let there = try await head(name), there.bytes == body.source.count,
            there.etag == body.md5 || there.sha256 == body.sha256
        {
            etag = there.etag
        } else {
            throw ActorError(.conflict, "\(what(call)): the condition does not hold (after \(tries) tries)")
        }
        try Self.compare(etag, body, what(call))
        return StoredObject(key: name.key, bytes: body.source.count, etag: etag, sha256: body.sha256)
    }

    package func delete(_ keys: [String], in bucket: String) async throws(ActorError) -> [ObjectRefusal] {
        var refusals: [ObjectRefusal] = []
        var rest = keys[...]
        while !rest.isEmpty {
            let objects = rest.prefix(1000).map { "<Object><Key>\(XMLReader.escaped($0))</Key></Object>" }.joined()
            rest = rest.dropFirst(1000)
            var call = Call("POST", bucket, nil, [.init("delete")])
            call.body = Array(
                "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>\(objects)</Delete>".utf8)
            call.headers = [
                ("content-md5", Base64.encode(Array(Insecure.MD5.hash(data: call.body)))),
                ("content-type", "application/xml"),
            ]
            let body = try await send(call).body
            let root = body.isEmpty ? nil : try XMLReader.read(body)
            for error in root?.all("Error") ?? [] where error.text("Code") != "NoSuchKey" {
                let reason = [error.text("Code"), error.text("Message")].compactMap { $0 }.joined(separator: ", ")
                refusals.append(ObjectRefusal(key: error.text("Key") ?? "", reason: reason))
            }
        }
        return refusals
    }

    package func presigned(_ name: ObjectName, method: String, seconds: Int) throws(ActorError) -> String {
        guard (1...604_800).contains(seconds) else {
            throw ActorError(.invalidInput, "a presigned URL lasts from 1 to 604800 seconds (a week), not \(seconds)")
        }
        guard method == "GET" || method == "PUT" else {
            throw ActorError(.invalidInput, "a presigned URL is for GET or PUT, not \(method.prefix(20))")
        }
        let address = try endpoint.address(bucket: name.bucket, key: name.key)
        return signer.presigned(method: method, address: address, seconds: seconds, at: clock.now())
    }

    // MARK: - Parts

    package func begin(_ name: ObjectName, _ options: PutOptions) async throws(ActorError) -> MultipartUpload {
        var call = Call("POST", name.bucket, name.key, [.init("uploads")])
        var described = options
        described.condition = .none
        call.headers = Self.headers(described)
        let root = try XMLReader.read(try await send(call).body)
        guard let id = root.text("UploadId") else {
            throw ActorError(.unavailable, "\(what(call)): the answer has no UploadId")
        }
        return MultipartUpload(object: name, id: id)
    }

    package func unfinished(_ name: ObjectName) async throws(ActorError) -> [MultipartUpload] {
        var found: [(MultipartUpload, String)] = []
        var marker: [WebAddress.Item] = []
        repeat {
            let items = [WebAddress.Item("uploads"), .init("prefix", name.key), .init("encoding-type", "url")] + marker
            let root = try XMLReader.read(try await send(Call("GET", name.bucket, nil, items)).body)
            for upload in root.all("Upload") {
                guard S3Answers.isKey(upload.text("Key"), name.key, root), let id = upload.text("UploadId") else {
                    continue
                }
                found.append((MultipartUpload(object: name, id: id), upload.text("Initiated") ?? ""))
            }
            marker = []
            // Keys come in order: behind the first other one there is none of ours.
            let next = S3Answers.key(root.text("NextKeyMarker"), root)
            if root.text("IsTruncated") == "true", let next, next <= name.key, found.count < 1000 {
                marker = [
                    .init("key-marker", next), .init("upload-id-marker", root.text("NextUploadIdMarker") ?? ""),
                ]
            }
        } while !marker.isEmpty
        return found.sorted { $0.1 < $1.1 }.map(\.0)
    }

    package func parts(of upload: MultipartUpload) async throws(ActorError) -> [MultipartPart] {
        var parts: [MultipartPart] = []
        while true {
            let last = parts.last.map { [WebAddress.Item("part-number-marker", String($0.number))] } ?? []
            let call = Call(
                "GET", upload.object.bucket, upload.object.key, [.init("uploadId", upload.id)] + last)
            let root = try XMLReader.read(try await send(call).body)
            let more = root.all("Part").compactMap(S3Answers.part)
            parts += more
            if more.isEmpty || root.text("IsTruncated") != "true" { return parts }
        }
    }

    package func put(
        part number: Int, of upload: MultipartUpload, _ body: ObjectBody
    ) async throws(ActorError) -> MultipartPart {
        guard (1...10000).contains(number) else {
            throw ActorError(.invalidInput, "parts are numbered from 1 to 10000, not \(number)")
        }
        var call = Call(
            "PUT", upload.object.bucket, upload.object.key,
            [.init("partNumber", String(number)), .init("uploadId", upload.id)])
        call.source = body
        let etag = S3Answers.etag(try await send(call).header("etag"))
        try Self.compare(etag, body, what(call))
        return MultipartPart(number: number, bytes: body.source.count, etag: etag)
    }

    package func complete(
        _ upload: MultipartUpload, _ parts: [MultipartPart], _ options: PutOptions
    ) async throws(ActorError) -> StoredObject {
        var call = Call("POST", upload.object.bucket, upload.object.key, [.init("uploadId", upload.id)])
        let list = parts.map {
            "<Part><PartNumber>\($0.number)</PartNumber><ETag>&quot;\($0.etag)&quot;</ETag></Part>"
        }
        call.body = Array(
            """
            <CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\(list.joined())\
            </CompleteMultipartUpload>
            """.utf8)
        call.headers = Self.headers(PutOptions(condition: options.condition)) + [("content-type", "application/xml")]
        let expected = MultipartPlan.etag(of: parts)
        let (response, _) = try await sendCounted(call) { error, tries in
            // It may have been completed although the answer was lost.
            tries > 1 && (error.code == .notFound || error.code == .conflict)
        }
        let bytes = parts.reduce(Int64(0)) { $0 + $1.bytes }
        if let response {
            let etag = S3Answers.etag(try XMLReader.read(response.body).text("ETag"))
            // Ceph's answer has an empty one.
            if !etag.isEmpty {
                return StoredObject(key: upload.object.key, bytes: bytes, etag: etag, sha256: options.sha256)
            }
        }
        guard let there = try await head(upload.object), there.bytes == bytes, there.etag == expected else {
            throw ActorError(.conflict, "\(what(call)): the parts were not put together, and the upload is gone")
        }
        return there
    }

    package func abort(_ upload: MultipartUpload) async throws(ActorError) {
        let call = Call("DELETE", upload.object.bucket, upload.object.key, [.init("uploadId", upload.id)])
        do throws(ActorError) {
            _ = try await send(call)
        } catch  where error.code == .notFound {
            return
        }
    }

    // MARK: - Sending

    private var signer: SigV4 { SigV4(credentials: endpoint.credentials, region: endpoint.region, service: "s3") }

    private static func headers(_ options: PutOptions) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        switch options.condition {
        case .none: break
        case .absent: headers.append(("if-none-match", "*"))
        case .matches(let etag): headers.append(("if-match", "\"\(etag)\""))
        }
        if let type = options.contentType { headers.append(("content-type", type)) }
        if let sha256 = options.sha256 { headers.append(("x-amz-meta-sha256", sha256)) }
        return headers
    }

    /// An ETag that looks like an MD5 has to be the one; others (of encrypted objects) say nothing of the content.
    private static func compare(_ etag: String, _ body: ObjectBody, _ what: String) throws(ActorError) {
        guard let md5 = body.md5, etag.utf8.count == 32, Hexadecimal.bytes(etag) != nil, etag.lowercased() != md5
        else { return }
        throw ActorError(.conflict, "\(what): the store has something else (MD5 \(etag)) than was sent (MD5 \(md5))")
    }

    /// For messages: never the query of a signed URL.
    private func what(_ call: Call) -> String {
        "S3 \(call.method) \(call.bucket)\(call.key.map { "/\($0.prefix(200))" } ?? "") at \(endpoint.address.host)"
    }

    private func sendPut(
        _ call: Call, _ condition: PutOptions.Condition
    ) async throws(ActorError) -> (IncomingResponse?, Int) {
        let isDone = { (error: ActorError, tries: Int) in
            // The first try may have been stored although its answer was lost: then it is ours that is there.
            tries > 1 && error.code == .conflict && condition != .none
        }
        do throws(ActorError) {
            return try await sendCounted(call, isDone: isDone)
        } catch {
            // Ceph compares the condition's quotes too: where the ETag is the right one it is said again without them.
            guard error.code == .conflict, case .matches(let etag) = condition,
                try await head(ObjectName(bucket: call.bucket, key: call.key ?? ""))?.etag == etag
            else { throw error }
            var bare = call
            bare.headers.removeAll { $0.name == "if-match" }
            bare.headers.append(("if-match", etag))
            return try await sendCounted(bare, isDone: isDone)
        }
    }

    private func send(_ call: Call) async throws(ActorError) -> IncomingResponse {
        guard let response = try await sendCounted(call, isDone: { _, _ in false }).0 else {
            throw ActorError(.internalFailure, "\(what(call)): no answer was kept")
        }
        return response
    }

    /// Sends until it works, cannot work, or was tried often enough.
    ///
    /// - Parameter isDone: whether a failure shows that an earlier try was carried out; then there is no answer.
    private func sendCounted(
        _ call: Call, isDone: (ActorError, Int) -> Bool
    ) async throws(ActorError) -> (IncomingResponse?, Int) {
        var retry = S3Retry()
        while true {
            let failure: ActorError
            let wait: Int64?
            do {
                return (try await attempt(call), retry.tries + 1)
            } catch let error as S3Failure {
                failure = error.error(what(call))
                wait = retry.failed(
                    isPassing: error.isPassing, retryAfter: error.retryAfter, draw: .random(in: 0...1))
            } catch let error as ActorError {
                failure = ActorError(error.code, "\(what(call)): \(error)")
                let isPassing = error.code == .unavailable || error.code == .timedOut
                wait = retry.failed(isPassing: isPassing, retryAfter: nil, draw: .random(in: 0...1))
            } catch {
                throw ActorError(.internalFailure, "\(what(call)): \(error)")
            }
            if isDone(failure, retry.tries) { return (nil, retry.tries) }
            guard let wait else {
                guard retry.tries > 1 else { throw failure }
                throw ActorError(failure.code, "\(failure.message) (tried \(retry.tries) times)")
            }
            do {
                try await clock.sleep(milliseconds: wait)
            } catch {
                throw ActorError(.cancelled, "\(what(call)): cancelled")
            }
        }
    }

    private func once(_ call: Call) async throws(ActorError) -> IncomingResponse {
        do {
            return try await attempt(call)
        } catch let error as S3Failure {
            throw error.error(what(call))
        } catch let error as ActorError {
            throw ActorError(error.code, "\(what(call)): \(error)")
        } catch {
            throw ActorError(.internalFailure, "\(what(call)): \(error)")
        }
    }

    /// Throws ``S3Failure`` or `ActorError`. It is signed anew each time: a signature is good for minutes only.
    private func attempt(_ call: Call) async throws -> IncomingResponse {
        let address = try endpoint.address(bucket: call.bucket, key: call.key, query: call.query)
        let payload = call.source?.sha256 ?? SigV4.hash(call.body)
        var request = OutgoingRequest(
            method: call.method, url: address.url, body: call.body, timeoutMilliseconds: 60000,
            maxResponseBytes: Self.longestAnswer)
        request.headers = signer.headers(
            method: call.method, address: address, headers: call.headers, payload: payload, at: clock.now())
        request.source = call.source?.source
        request.sink = call.sink
        request.tls = endpoint.tls
        if call.source != nil || call.sink != nil || call.method == "POST" { request.idleMilliseconds = 120_000 }
        // config.yml names the store: it may well stand in the lab's own network.
        let response = try await client.send(request, policy: .anywhere)
        guard (200..<300).contains(response.status) else { throw S3Failure(response) }
        if call.method == "POST", let failure = S3Failure(within: response.body) { throw failure }
        return response
    }
}
