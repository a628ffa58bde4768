/// Where the content of a string stands in a text that is being scanned; its bytes are read only when asked for.
struct JSONKey {
    let start: Int
    let end: Int
    /// ASCII without escapes: its bytes are its characters.
    let isPlain: Bool

    /// Up to so many keys are compared one by one, which needs no memory.
    private static let few = 12

    /// Whether no two of these are the same name, as Swift's `String` compares: escapes decoded, and different
    /// spellings of one character taken as equal.
    static func areDistinct(_ keys: ArraySlice<JSONKey>, in bytes: UnsafeRawBufferPointer) -> Bool {
        guard keys.allSatisfy(\.isPlain) else {
            var names = Set<String>(minimumCapacity: keys.count)
            return keys.allSatisfy { names.insert($0.name(in: bytes)).inserted }
        }
        if keys.count <= few {
            for index in keys.indices.dropFirst() {
                for other in keys.startIndex..<index where keys[index].hasSameBytes(as: keys[other], in: bytes) {
                    return false
                }
            }
            return true
        }
        var seen = Set<Slice>(minimumCapacity: keys.count)
        return keys.allSatisfy { seen.insert(Slice(bytes: $0.content(in: bytes))).inserted }
    }

    func isSame(as name: String, in bytes: UnsafeRawBufferPointer) -> Bool {
        guard isPlain else { return self.name(in: bytes) == name }
        return name.utf8.count == end - start && name.utf8.elementsEqual(content(in: bytes))
    }

    private func content(in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    }

    @inline(__always)
    private func hasSameBytes(as other: JSONKey, in bytes: UnsafeRawBufferPointer) -> Bool {
        guard end - start == other.end - other.start else { return false }
        guard start < end else { return true }
        return bytes[start] == bytes[other.start] && content(in: bytes).elementsEqual(other.content(in: bytes))
    }

    /// Decoded; the scan has found it well-formed.
    private func name(in bytes: UnsafeRawBufferPointer) -> String {
        let quoted = [0x22] + content(in: bytes) + [0x22]
        guard case .string(let name)? = try? JSONReader.read(quoted) else { return "" }
        return name
    }

    /// Hashed with the process's own seed: nobody can choose keys that collide.
    private struct Slice: Hashable {
        let bytes: UnsafeRawBufferPointer

        static func == (left: Slice, right: Slice) -> Bool { left.bytes.elementsEqual(right.bytes) }

        func hash(into hasher: inout Hasher) { hasher.combine(bytes: bytes) }
    }
}
