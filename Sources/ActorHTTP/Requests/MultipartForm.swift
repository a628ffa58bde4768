/// Plain fields of a `multipart/form-data` body; files are skipped.
enum MultipartForm {
    /// The first field called `name`, or nil. A body that is cut off counts up to where it ends.
    static func field(_ name: String, in body: [UInt8], boundary: String) -> String? {
        let delimiter = Array("--\(boundary)".utf8)
        guard !boundary.isEmpty, boundary.utf8.count <= 200 else { return nil }
        var starts: [Int] = []
        var index = 0
        while let found = position(of: delimiter, in: body, from: index), starts.count < 256 {
            starts.append(found)
            index = found + delimiter.count
        }
        for (number, start) in starts.enumerated() {
            let end = number + 1 < starts.count ? starts[number + 1] : body.count
            let part = body[min(start + delimiter.count, end)..<end]
            if let value = value(of: Array(part), called: name) { return value }
        }
        return nil
    }

    /// The content of one part when it is the plain field `name`.
    private static func value(of part: [UInt8], called name: String) -> String? {
        let blank = Array("\r\n\r\n".utf8)
        guard let split = position(of: blank, in: part, from: 0) else { return nil }
        let head = String(decoding: part[..<split], as: UTF8.self)
        for line in head.split(whereSeparator: \.isNewline) {
            guard line.lowercased().hasPrefix("content-disposition:") else { continue }
            let disposition = ContentType(String(line.dropFirst("content-disposition:".count)))
            guard disposition.parameter("name") == name, disposition.parameter("filename") == nil else { return nil }
            var content = part[(split + blank.count)...]
            if content.suffix(2).elementsEqual("\r\n".utf8) { content = content.dropLast(2) }
            return String(decoding: content, as: UTF8.self)
        }
        return nil
    }

    private static func position(of needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= needle.count, start <= bytes.count - needle.count else { return nil }
        var index = start
        while index <= bytes.count - needle.count {
            if bytes[index] == needle[0], bytes[index..<(index + needle.count)].elementsEqual(needle) { return index }
            index += 1
        }
        return nil
    }
}
