package import ActorCore
import Synchronization

/// An object store in memory that keeps S3's rules; hashes are computed by functions that the test brings.
package final class MemoryObjects: ObjectStore {
    package typealias Hash = @Sendable ([UInt8]) -> String

    private struct Object {
        var bytes: [UInt8]
        var etag: String
        var sha256: String?
    }

    private struct Parts {
        var upload: MultipartUpload
        var sha256: String?
        var parts: [Int: [UInt8]] = [:]
    }

    private struct State {
        var buckets: [String: [String: Object]]
        var parts: [Parts] = []
        var next = 1
        var breaks: [Int] = []
        var failures: [ActorError] = []
        var calls: [String] = []
    }

    private static let smallestPart = 5 << 20
    private let state: Mutex<State>
    private let md5: Hash
    private let sha256: Hash
    private let minimumPart: Int

    /// - Parameter minimumPart: bytes that all parts but the last must have; S3 wants 5 MiB.
    package init(buckets: [String], md5: @escaping Hash, sha256: @escaping Hash, minimumPart: Int = smallestPart) {
        self.md5 = md5
        self.sha256 = sha256
        self.minimumPart = minimumPart
        state = Mutex(State(buckets: Dictionary(buckets.map { ($0, [:]) }, uniquingKeysWith: { $1 })))
    }

    /// The next gets break off after so many bytes each.
    package func breakGets(after bytes: Int...) { state.withLock { $0.breaks += bytes } }

    /// The next calls fail like this, one each.
    package func fail(_ errors: ActorError...) { state.withLock { $0.failures += errors } }

    /// What was asked, as `put KEY`, `part 3 of KEY`.
    package var calls: [String] { state.withLock { $0.calls } }

    package func content(_ name: ObjectName) -> [UInt8]? {
        state.withLock { $0.buckets[name.bucket]?[name.key]?.bytes }
    }

    private func change<Value: Sendable>(
        _ what: String, _ bucket: String, _ body: (inout State) throws(ActorError) -> Value
    ) throws(ActorError) -> Value {
        try state.withLock { state throws(ActorError) -> Value in
            state.calls.append(what)
            if !state.failures.isEmpty { throw state.failures.removeFirst() }
            guard state.buckets[bucket] != nil else { throw ActorError(.notFound, "there is no bucket \(bucket)") }
            return try body(&state)
        }
    }

    package func list(_ query: ObjectQuery) async throws(ActorError) -> ObjectPage {
        try change("list \(query.prefix)", query.bucket) { state throws(ActorError) in
            let objects = state.buckets[query.bucket] ?? [:]
            let keys = objects.keys.filter { $0.hasPrefix(query.prefix) }
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            var items: [(name: String, object: StoredObject?)] = []
            for key in keys {
                let rest = key.dropFirst(query.prefix.count)
                if let delimiter = query.delimiter, let end = rest.firstRange(of: delimiter) {
                    let prefix = query.prefix + rest[..<end.upperBound]
                    if items.last?.name != prefix { items.append((prefix, nil)) }
                } else {
                    items.append((key, objects[key].map { Self.stored(key, $0, listed: true) }))
                }
            }
            let left = items.filter { item in
                query.after.map { $0.utf8.lexicographicallyPrecedes(item.name.utf8) } ?? true
            }
            let page = left.prefix(max(1, min(1000, query.limit)))
            return ObjectPage(
                objects: page.compactMap(\.object), prefixes: page.filter { $0.object == nil }.map(\.name),
                next: left.count > page.count ? page.last?.name : nil)
        }
    }

    private static func stored(_ key: String, _ object: Object, listed: Bool = false) -> StoredObject {
        StoredObject(
            key: key, bytes: Int64(object.bytes.count), etag: object.etag, sha256: listed ? nil : object.sha256)
    }

    package func head(_ name: ObjectName) async throws(ActorError) -> StoredObject? {
        do throws(ActorError) {
            return try change("head \(name.key)", name.bucket) { state throws(ActorError) in
                state.buckets[name.bucket]?[name.key].map { Self.stored(name.key, $0) }
            }
        } catch  where error.code == .notFound {
            return nil
        }
    }

    package func get(
        _ name: ObjectName, _ range: ObjectRange, into sink: any BodySink
    ) async throws(ActorError) -> StoredObject {
        let (object, breaksAfter) = try change("get \(name.key) from \(range.from)", name.bucket) {
            state throws(ActorError) -> (Object, Int?) in
            guard let object = state.buckets[name.bucket]?[name.key] else {
                throw ActorError(.notFound, "there is no \(name)")
            }
            if let etag = range.etag, etag != object.etag { throw ActorError(.conflict, "\(name) has changed") }
            guard range.from < object.bytes.count || range.from == 0 else {
                throw ActorError(.invalidInput, "\(name) is shorter")
            }
            return (object, state.breaks.isEmpty ? nil : state.breaks.removeFirst())
        }
        var bytes = object.bytes.dropFirst(Int(range.from))
        if let count = range.count { bytes = bytes.prefix(Int(count)) }
        let isPart = range.from > 0 || range.count != nil
        try sink.begin(IncomingResponse(status: isPart ? 206 : 200, headers: [], body: []))
        var failure: ActorError?
        Array(bytes.prefix(breaksAfter ?? .max)).withUnsafeBytes { bytes in
            do throws(ActorError) {
                try sink.write(bytes)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        if let breaksAfter, breaksAfter < bytes.count { throw ActorError(.unavailable, "the connection broke") }
        return Self.stored(name.key, object)
    }

    private func content(_ body: ObjectBody) throws(ActorError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while Int64(bytes.count) < body.source.count {
            var count = 0
            var failure: ActorError?
            buffer.withUnsafeMutableBytes { buffer in
                do throws(ActorError) {
                    count = try body.source.read(at: Int64(bytes.count), into: buffer)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            guard count > 0 else { throw ActorError(.conflict, "the body ended early") }
            bytes += buffer.prefix(min(count, Int(body.source.count) - bytes.count))
        }
        guard sha256(bytes) == body.sha256 else { throw ActorError(.conflict, "the content is not what its hash says") }
        return bytes
    }

    private static func check(
        _ condition: PutOptions.Condition, _ there: Object?, _ name: ObjectName
    ) throws(ActorError) {
        switch condition {
        case .none: return
        case .absent where there == nil: return
        case .matches(let etag) where there?.etag == etag: return
        default: throw ActorError(.conflict, "the condition for \(name) does not hold")
        }
    }

    package func put(
        _ name: ObjectName, _ body: ObjectBody, _ options: PutOptions
    ) async throws(ActorError) -> StoredObject {
        let bytes = try content(body)
        let object = Object(bytes: bytes, etag: md5(bytes), sha256: options.sha256)
        return try change("put \(name.key)", name.bucket) { state throws(ActorError) in
            try Self.check(options.condition, state.buckets[name.bucket]?[name.key], name)
            state.buckets[name.bucket]?[name.key] = object
            return Self.stored(name.key, object)
        }
    }

    package func delete(_ keys: [String], in bucket: String) async throws(ActorError) -> [ObjectRefusal] {
        try change("delete \(keys.joined(separator: " "))", bucket) { state throws(ActorError) in
            for key in keys { state.buckets[bucket]?[key] = nil }
            return []
        }
    }

    package func begin(_ name: ObjectName, _ options: PutOptions) async throws(ActorError) -> MultipartUpload {
        try change("begin \(name.key)", name.bucket) { state throws(ActorError) in
            let upload = MultipartUpload(object: name, id: "upload-\(state.next)")
            state.next += 1
            state.parts.append(Parts(upload: upload, sha256: options.sha256))
            return upload
        }
    }

    package func unfinished(_ name: ObjectName) async throws(ActorError) -> [MultipartUpload] {
        try change("unfinished \(name.key)", name.bucket) { state throws(ActorError) in
            state.parts.map(\.upload).filter { $0.object == name }
        }
    }

    private static func index(_ upload: MultipartUpload, _ state: State) throws(ActorError) -> Int {
        guard let index = state.parts.firstIndex(where: { $0.upload == upload }) else {
            throw ActorError(.notFound, "there is no upload \(upload.id)")
        }
        return index
    }

    package func parts(of upload: MultipartUpload) async throws(ActorError) -> [MultipartPart] {
        let md5 = self.md5
        return try change("parts of \(upload.object.key)", upload.object.bucket) { state throws(ActorError) in
            let parts = state.parts[try Self.index(upload, state)].parts
            return parts.keys.sorted().compactMap { number in
                parts[number].map { MultipartPart(number: number, bytes: Int64($0.count), etag: md5($0)) }
            }
        }
    }

    package func put(
        part number: Int, of upload: MultipartUpload, _ body: ObjectBody
    ) async throws(ActorError) -> MultipartPart {
        let bytes = try content(body)
        let part = MultipartPart(number: number, bytes: Int64(bytes.count), etag: md5(bytes))
        return try change("part \(number) of \(upload.object.key)", upload.object.bucket) { state throws(ActorError) in
            guard (1...10000).contains(number) else { throw ActorError(.invalidInput, "there is no part \(number)") }
            state.parts[try Self.index(upload, state)].parts[number] = bytes
            return part
        }
    }

    package func complete(
        _ upload: MultipartUpload, _ parts: [MultipartPart], _ options: PutOptions
    ) async throws(ActorError) -> StoredObject {
        let md5 = self.md5
        let minimum = minimumPart
        let name = upload.object
        return try change("complete \(name.key)", name.bucket) { state throws(ActorError) in
            let index = try Self.index(upload, state)
            let have = state.parts[index]
            try Self.check(options.condition, state.buckets[name.bucket]?[name.key], name)
            var bytes: [UInt8] = []
            var digests: [UInt8] = []
            for part in parts {
                guard let content = have.parts[part.number], md5(content) == part.etag else {
                    throw ActorError(.invalidInput, "part \(part.number) is not there, or another")
                }
                guard content.count >= minimum || part == parts.last else {
                    throw ActorError(.invalidInput, "part \(part.number) is too small")
                }
                bytes += content
                digests += Hexadecimal.bytes(part.etag) ?? []
            }
            state.parts.remove(at: index)
            let object = Object(bytes: bytes, etag: "\(md5(digests))-\(parts.count)", sha256: have.sha256)
            state.buckets[name.bucket]?[name.key] = object
            return Self.stored(name.key, object)
        }
    }

    package func abort(_ upload: MultipartUpload) async throws(ActorError) {
        try change("abort \(upload.object.key)", upload.object.bucket) { state throws(ActorError) in
            state.parts.removeAll { $0.upload == upload }
        }
    }

    package func presigned(_ name: ObjectName, method: String, seconds: Int) throws(ActorError) -> String {
        guard (1...604_800).contains(seconds), method == "GET" || method == "PUT" else {
            throw ActorError(.invalidInput, "for GET or PUT, a week at most")
        }
        return "https://objects.invalid/\(name.bucket)/\(name.key)?\(method)"
    }
}
