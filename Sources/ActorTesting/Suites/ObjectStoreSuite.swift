package import ActorCore

/// What every object store must do, checked against any of them; each check answers with what it found wrong.
package struct ObjectStoreSuite: Sendable {
    private let store: any ObjectStore
    private let bucket: String
    private let md5: MemoryObjects.Hash
    private let sha256: MemoryObjects.Hash
    /// Whether the store compares contents with their hashes, as all but some test servers do.
    private let comparesHashes: Bool

    /// - Parameter bucket: exists and is empty.
    package init(
        _ store: any ObjectStore, bucket: String, md5: @escaping MemoryObjects.Hash,
        sha256: @escaping MemoryObjects.Hash, comparesHashes: Bool = true
    ) {
        self.store = store
        self.bucket = bucket
        self.md5 = md5
        self.sha256 = sha256
        self.comparesHashes = comparesHashes
    }

    /// All checks; empty when the store keeps the port's promises.
    package func problems() async -> [String] {
        var found: [String] = []
        for (name, check) in [
            ("objects", objects), ("listings", listings), ("ranges", ranges), ("refusals", refusals),
            ("parts", parts), ("deletions", deletions),
        ] {
            do throws(ActorError) {
                found += try await check().map { "\(name): \($0)" }
            } catch {
                found.append("\(name): \(error)")
            }
        }
        return found
    }

    private func name(_ key: String) -> ObjectName { ObjectName(bucket: bucket, key: key) }

    private func body(_ bytes: [UInt8]) -> ObjectBody {
        ObjectBody(source: MemorySource(bytes), sha256: sha256(bytes), md5: md5(bytes))
    }

    private func read(_ key: String, _ range: ObjectRange = ObjectRange()) async throws(ActorError) -> [UInt8] {
        let sink = MemorySink()
        _ = try await store.get(name(key), range, into: sink)
        return sink.bytes
    }

    private func failure(_ call: () async throws(ActorError) -> Void) async -> ActorError.Code? {
        do throws(ActorError) {
            try await call()
            return nil
        } catch {
            return error.code
        }
    }

    /// Keys that a signature, a URL or XML may stumble over.
    private static let keys = [
        "a", "a b", "a+b", "a%2Fb", "dir/a&b=c", "dir/<x>\"y\"", "dir/ü-日本", "dir//two", "dir/~.-_!*'()",
        "dir/ä:;,?#[]@$",
    ]

    private func objects() async throws(ActorError) -> [String] {
        var found: [String] = []
        for (index, key) in Self.keys.enumerated() {
            let bytes = Array("content \(index) of \(key)".utf8)
            let put = try await store.put(name(key), body(bytes), PutOptions(sha256: sha256(bytes)))
            if put.etag != md5(bytes) { found.append("\(key): its ETag is \(put.etag)") }
            let head = try await store.head(name(key))
            if head?.bytes != Int64(bytes.count) || head?.etag != md5(bytes) || head?.sha256 != sha256(bytes) {
                found.append("\(key): head is \(String(describing: head))")
            }
            if try await read(key) != bytes { found.append("\(key): another content came back") }
        }
        if try await store.head(name("missing")) != nil { found.append("an object that is not there has a head") }
        _ = try await store.put(name("empty"), body([]), PutOptions())
        if try await read("empty") != [] { found.append("an empty object has a content") }
        _ = try await store.delete(["empty"], in: bucket)
        return found
    }

    private func listings() async throws(ActorError) -> [String] {
        var found: [String] = []
        var keys: [String] = []
        var after: String?
        repeat {
            let page = try await store.list(ObjectQuery(bucket: bucket, after: after, limit: 3))
            if page.objects.count > 3 { found.append("a page of 3 has \(page.objects.count)") }
            keys += page.objects.map(\.key)
            after = page.next
        } while after != nil
        let expected = Self.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        if keys != expected { found.append("pages list \(keys), not \(expected)") }
        let top = try await store.list(ObjectQuery(bucket: bucket, delimiter: "/"))
        if top.prefixes != ["dir/"] || top.objects.map(\.key) != expected.filter({ !$0.contains("/") }) {
            found.append("the top is \(top.prefixes) and \(top.objects.map(\.key))")
        }
        let below = try await store.list(ObjectQuery(bucket: bucket, prefix: "dir/a&"))
        if below.objects.map(\.key) != ["dir/a&b=c"] || below.objects.first?.bytes != 22 {
            found.append("below a prefix lie \(below.objects)")
        }
        return found
    }

    private func ranges() async throws(ActorError) -> [String] {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let etag = try await store.put(name("range"), body(bytes), PutOptions()).etag
        var found: [String] = []
        for (from, count) in [(0, 10), (5, nil), (99_999, nil), (99_990, 1000), (50_000, 1)] as [(Int, Int?)] {
            let part = try await read(
                "range", ObjectRange(from: Int64(from), count: count.map { Int64($0) }, etag: etag))
            let expected = Array(bytes.dropFirst(from).prefix(count ?? .max))
            if part != expected { found.append("from \(from), \(String(describing: count)): \(part.count) bytes") }
        }
        let beyond = await failure { () throws(ActorError) in
            _ = try await read("range", ObjectRange(from: 100_000))
        }
        if beyond != .invalidInput { found.append("beyond the end: \(String(describing: beyond))") }
        let changed = await failure { () throws(ActorError) in
            _ = try await read("range", ObjectRange(from: 1, etag: md5([1])))
        }
        if changed != .conflict { found.append("another version: \(String(describing: changed))") }
        _ = try await store.delete(["range"], in: bucket)
        return found
    }

    private func refusals() async throws(ActorError) -> [String] {
        let one = body([1])
        let lie = ObjectBody(source: MemorySource([1]), sha256: sha256([2]))
        let here = try await store.put(name("here"), one, PutOptions()).etag
        let elsewhere = ObjectName(bucket: "\(bucket)-that-is-not-there", key: "a")
        var cases: [(String, ActorError.Code?, () async throws(ActorError) -> Void)] = [
            (
                "get what is not there", .notFound,
                { () throws(ActorError) in _ = try await read("missing") }
            ),
            (
                "put into no bucket", .notFound,
                { () throws(ActorError) in _ = try await store.put(elsewhere, one, PutOptions()) }
            ),
            (
                "list no bucket", .notFound,
                { () throws(ActorError) in _ = try await store.list(ObjectQuery(bucket: elsewhere.bucket)) }
            ),
            (
                "a wrong hash", .conflict,
                { () throws(ActorError) in _ = try await store.put(name("lie"), lie, PutOptions()) }
            ),
            (
                "a URL for too long", .invalidInput,
                { () throws(ActorError) in
                    _ = try store.presigned(name("here"), method: "GET", seconds: 604_801)
                }
            ),
        ]
        if !comparesHashes { cases.removeAll { $0.0 == "a wrong hash" } }
        for (what, key, condition, code) in [
            ("absent, is there", "here", .absent, .conflict), ("absent", "new", .absent, nil),
            ("another version", "here", .matches(md5([9])), .conflict), ("this one", "here", .matches(here), nil),
        ] as [(String, String, PutOptions.Condition, ActorError.Code?)] {
            cases.append(
                (
                    what, code,
                    { () throws(ActorError) in
                        _ = try await store.put(name(key), one, PutOptions(condition: condition))
                    }
                ))
        }
        var found: [String] = []
        for (what, code, call) in cases {
            let result = await failure(call)
            if result != code {
                found.append("\(what): \(String(describing: result)), not \(String(describing: code))")
            }
        }
        _ = try await store.delete(["here", "new", "lie"], in: bucket)
        return found
    }

    private func parts() async throws(ActorError) -> [String] {
        let first = (0..<(5 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        let last = Array("the end".utf8)
        let object = name("parts/of one")
        var found: [String] = []
        let abandoned = try await store.begin(object, PutOptions())
        let upload = try await store.begin(object, PutOptions(sha256: sha256(first + last)))
        let two = try await store.put(part: 2, of: upload, body(last))
        let one = try await store.put(part: 1, of: upload, body(first))
        if try await store.parts(of: upload) != [one, two] { found.append("its parts are listed otherwise") }
        let unfinished = Set(try await store.unfinished(object))
        if unfinished != [abandoned, upload] { found.append("\(unfinished.count) uploads are unfinished, not 2") }
        try await store.abort(abandoned)
        try await store.abort(abandoned)
        let stored = try await store.complete(upload, [one, two], PutOptions(sha256: sha256(first + last)))
        let digests = [first, last].flatMap { Hexadecimal.bytes(md5($0)) ?? [] }
        if stored.etag != "\(md5(digests))-2" { found.append("the ETag of two parts is \(stored.etag)") }
        if try await read(object.key) != first + last { found.append("the parts make another content") }
        if try await store.head(object)?.sha256 != sha256(first + last) { found.append("the noted hash is lost") }
        if try await !store.unfinished(object).isEmpty { found.append("a completed upload is unfinished") }
        let gone = await failure { () throws(ActorError) in _ = try await store.parts(of: abandoned) }
        if gone != .notFound { found.append("parts of an aborted upload: \(String(describing: gone))") }
        _ = try await store.delete([object.key], in: bucket)
        return found
    }

    private func deletions() async throws(ActorError) -> [String] {
        var found: [String] = []
        let refused = try await store.delete(Self.keys + ["was never there"], in: bucket)
        if !refused.isEmpty { found.append("not deleted: \(refused)") }
        let left = try await store.list(ObjectQuery(bucket: bucket))
        if !left.objects.isEmpty { found.append("left over: \(left.objects.map(\.key))") }
        return found
    }
}
