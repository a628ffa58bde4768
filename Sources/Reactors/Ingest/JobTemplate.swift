/// Puts an upload's name into the text of a job file (lab workflows, section 0.3).
package enum JobTemplate {
    /// Replaces `${UUID}` and `$UUID` (not followed by a letter, a digit or `_`) and nothing else: shell variables
    /// in a job's own commands stay as they are.
    package static func render(_ text: [UInt8], uuid: String) -> [UInt8] {
        let braced = Array("${UUID}".utf8)
        let bare = Array("$UUID".utf8)
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let rest = text[index...]
            if text[index] == UInt8(ascii: "$"), rest.starts(with: braced) {
                output += uuid.utf8
                index += braced.count
            } else if text[index] == UInt8(ascii: "$"), rest.starts(with: bare),
                !(rest.dropFirst(bare.count).first.map(continuesName) ?? false)
            {
                output += uuid.utf8
                index += bare.count
            } else {
                output.append(text[index])
                index += 1
            }
        }
        return output
    }

    private static func continuesName(_ byte: UInt8) -> Bool {
        let character = Character(Unicode.Scalar(byte))
        return byte == UInt8(ascii: "_") || (byte < 0x80 && (character.isLetter || character.isNumber))
    }
}
