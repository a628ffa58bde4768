/// Takes the frames of an engine's log stream apart: a byte for the stream, three of nothing, four for the length, then
/// that many bytes. Pure; takes pieces of any size.
struct LogFrames {
    private var header: [UInt8] = []
    private var left = 0

    /// The output in `bytes`, of both streams, in order.
    mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var rest = bytes[...]
        while !rest.isEmpty {
            if left > 0 {
                let part = rest.prefix(left)
                output += part
                left -= part.count
                rest = rest.dropFirst(part.count)
                continue
            }
            let part = rest.prefix(8 - header.count)
            header += part
            rest = rest.dropFirst(part.count)
            guard header.count == 8 else { break }
            left = header[4...].reduce(0) { $0 << 8 | Int($1) }
            header = []
        }
        return output
    }
}
