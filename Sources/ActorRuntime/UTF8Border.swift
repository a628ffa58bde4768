/// Where a text that is still being written can be cut.
enum UTF8Border {
    /// Without the bytes at the end that begin a character and do not finish it.
    static func whole(_ bytes: [UInt8]) -> [UInt8] {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            guard byte & 0xc0 != 0x80 else { continue }
            let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
            return length > back ? Array(bytes.dropLast(back)) : bytes
        }
        return bytes
    }
}
