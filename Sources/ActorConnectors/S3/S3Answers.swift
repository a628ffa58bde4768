import ActorCore

/// Reads what an S3 store answers.
enum S3Answers {
    static func page(_ body: [UInt8]) throws(ActorError) -> ObjectPage {
        let root = try XMLReader.read(body)
        guard root.name == "ListBucketResult" else {
            throw ActorError(.unavailable, "the answer to a listing is a <\(root.name.prefix(50))>: is this S3?")
        }
        let objects = root.all("Contents").compactMap { content -> StoredObject? in
            guard let key = key(content.text("Key"), root), let bytes = content.text("Size").flatMap({ Int64($0) })
            else { return nil }
            return StoredObject(
                key: key, bytes: bytes, etag: etag(content.text("ETag")),
                modified: content.text("LastModified").flatMap(Timestamp.init(iso8601:)))
        }
        let prefixes = root.all("CommonPrefixes").compactMap { key($0.text("Prefix"), root) }
        let isCut = root.text("IsTruncated") == "true"
        let next = root.text("NextContinuationToken")
        guard !isCut || next != nil else {
            throw ActorError(.unavailable, "the listing is cut and does not say how to go on")
        }
        return ObjectPage(objects: objects, prefixes: prefixes, next: isCut ? next : nil)
    }

    static func object(_ key: String, _ response: IncomingResponse) -> StoredObject {
        // The whole object's length, also where a part of it was asked for.
        let total = response.header("content-range").flatMap { $0.split(separator: "/").last }.flatMap { Int64($0) }
        let bytes = total ?? response.header("content-length").flatMap { Int64($0) } ?? 0
        let isOpaque =
            response.header("x-amz-server-side-encryption")?.hasPrefix("aws:kms") == true
            || response.header("x-amz-server-side-encryption-customer-algorithm") != nil
        return StoredObject(
            key: key, bytes: bytes, etag: etag(response.header("etag")), sha256: sha256(response), isOpaque: isOpaque)
    }

    private static func sha256(_ response: IncomingResponse) -> String? {
        // One with a dash is a hash of the parts' hashes.
        if response.header("x-amz-checksum-type") != "COMPOSITE",
            let digest = response.header("x-amz-checksum-sha256").flatMap(Base64.decode), digest.count == 32
        {
            return Hexadecimal.text(digest)
        }
        guard let noted = response.header("x-amz-meta-sha256"), noted.utf8.count == 64, Hexadecimal.bytes(noted) != nil
        else { return nil }
        return noted.lowercased()
    }

    static func part(_ element: XMLElement) -> MultipartPart? {
        guard let number = element.text("PartNumber").flatMap({ Int($0) }),
            let bytes = element.text("Size").flatMap({ Int64($0) })
        else { return nil }
        return MultipartPart(number: number, bytes: bytes, etag: etag(element.text("ETag")))
    }

    /// Without its quotes.
    static func etag(_ text: String?) -> String { (text ?? "").filter { $0 != "\"" } }

    /// Whether a key of an answer is this one. Ceph encodes the keys of uploads as asked and does not say so; all of
    /// them begin with the key that was asked for.
    static func isKey(_ text: String?, _ wanted: String, _ root: XMLElement) -> Bool {
        guard let text else { return false }
        if key(text, root) == wanted { return true }
        return !text.hasPrefix(wanted) && WebAddress.decoded(text[...], plusIsBlank: true) == wanted
    }

    /// As the store knows it; in answers it is encoded when we asked for that and the store can.
    static func key(_ text: String?, _ root: XMLElement) -> String? {
        guard let text else { return nil }
        return root.text("EncodingType") == "url" ? WebAddress.decoded(text[...], plusIsBlank: true) : text
    }
}
