/// Bounds of what an archive may become.
package struct UnpackLimits: Sendable, Equatable {
    /// Files and folders.
    package var entries: Int
    /// Of all files together.
    package var bytes: Int64
    /// Bytes that come out for one that goes in; counted once much has come out.
    package var ratio: Int64
    /// What may come out before the ratio counts.
    package var freeBytes: Int64

    package init(
        entries: Int = 100_000, bytes: Int64 = 4 << 40, ratio: Int64 = 200, freeBytes: Int64 = 1 << 30
    ) {
        self.entries = entries
        self.bytes = bytes
        self.ratio = ratio
        self.freeBytes = freeBytes
    }
}

/// Decides what becomes of every entry of an archive from strange hands: where it goes, that it is left out, or that
/// the archive is refused as a whole.
package struct UnpackMachine: Sendable {
    /// What is to be done with an entry.
    package enum Action: Sendable, Equatable {
        /// The names on the way to it, then its own.
        case file([String])
        case folder([String])
        /// It is none of the content; why, when that is worth telling.
        case leaveOut(String?)
        /// The archive is hostile, broken or too large.
        case refuse(String)
    }

    private enum Node: Sendable {
        case file, folder
    }

    private static let longestName = 255
    private static let deepest = 48

    private let format: ArchiveFormat
    private let limits: UnpackLimits
    private var nodes: [String: Node] = [:]
    private var bytes: Int64 = 0
    private(set) package var files = 0

    package init(format: ArchiveFormat, limits: UnpackLimits) {
        self.format = format
        self.limits = limits
    }

    package mutating func found(_ entry: ArchiveEntry) -> Action {
        guard let bytes = entry.name, let text = Self.text(bytes) else {
            return .refuse("an entry has a name that cannot be read")
        }
        let shown = "\"\(text.prefix(200))\""
        if entry.isEncrypted { return .refuse("\(shown) is encrypted: upload it without a password") }
        let path: [String]
        switch names(in: text) {
        case .failure(let problem): return .refuse("\(shown) \(problem.text)")
        case .success(let names): path = names
        }
        switch entry.kind {
        case .link: return .leaveOut("\(shown) is a link")
        case .other: return .leaveOut("\(shown) is neither a file nor a folder")
        case .file, .folder: break
        }
        if path.isEmpty { return .leaveOut(nil) }
        // What a Mac puts beside every file.
        if path[0] == "__MACOSX" || path.last == ".DS_Store" { return .leaveOut(nil) }
        return place(path, entry.kind == .file ? .file : .folder, shown)
    }

    /// Bytes of a file have come out; why the archive is refused, or nil.
    ///
    /// - Parameter consumed: bytes of the archive that were read so far.
    package mutating func wrote(_ count: Int, consumed: Int64) -> String? {
        bytes += Int64(count)
        if bytes > limits.bytes { return "it holds more than \(limits.bytes) bytes" }
        if bytes > limits.freeBytes, bytes / max(1, consumed) > limits.ratio {
            return "more than \(limits.ratio) bytes come out for each that it has: unpack it yourself and upload that"
        }
        return nil
    }

    private mutating func place(_ path: [String], _ node: Node, _ shown: String) -> Action {
        for depth in 1..<max(1, path.count) {
            let folder = path[..<depth].joined(separator: "/")
            switch nodes[folder] {
            case .folder?: continue
            case .file?: return .refuse("\(shown) lies in something that is a file")
            case nil:
                guard nodes.count < limits.entries else { return tooMany() }
                nodes[folder] = .folder
            }
        }
        let whole = path.joined(separator: "/")
        switch (nodes[whole], node) {
        case (nil, _):
            guard nodes.count < limits.entries else { return tooMany() }
            nodes[whole] = node
            if node == .file { files += 1 }
            return node == .file ? .file(path) : .folder(path)
        case (.folder?, .folder): return .leaveOut(nil)
        default: return .refuse("\(shown) is there twice")
        }
    }

    private func tooMany() -> Action { .refuse("it holds more than \(limits.entries) files and folders") }

    private struct Problem: Error { let text: String }

    private func names(in text: String) -> Result<[String], Problem> {
        // Some programs on Windows write their own separator, against the format.
        let text = format == .zip ? String(text.map { $0 == "\\" ? "/" : $0 }) : text
        if text.hasPrefix("/") { return .failure(Problem(text: "is an absolute path")) }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
            return .failure(Problem(text: "holds a control character"))
        }
        let names = text.split(separator: "/").map(String.init).filter { $0 != "." }
        if names.contains("..") { return .failure(Problem(text: "leads out of the archive")) }
        if names.contains(where: { $0.utf8.count > Self.longestName }) {
            return .failure(Problem(text: "has a name longer than \(Self.longestName) bytes"))
        }
        if names.count > Self.deepest {
            return .failure(Problem(text: "is nested deeper than \(Self.deepest) folders"))
        }
        return .success(names)
    }

    /// UTF-8 when it is that (most programs write it, whether they say so or not), else the code page of the first PCs,
    /// which is what the zip format means by saying nothing.
    private static func text(_ bytes: [UInt8]) -> String? {
        if bytes.isEmpty || bytes.contains(0) { return nil }
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return String(
            String.UnicodeScalarView(bytes.map { $0 < 0x80 ? Unicode.Scalar($0) : CodePage437.high[Int($0) - 128] }))
    }
}

/// The upper half of code page 437.
enum CodePage437 {
    static let high = Array(
        """
        ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
        αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}
        """.unicodeScalars)
}
