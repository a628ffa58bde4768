import ActorCore
import Crypto

/// Puts what one execution brings into the inbox: whole, under its own name at once, marked done, and once only.
///
/// The draft is the execution's own. When it is whole, a note says which file or folder it is (its number in the file
/// system, which a move keeps): a repeat after a crash knows by that what it has brought itself, and takes nothing that
/// somebody else brought under the same name for it. The note stays for a week.
struct InboxDelivery: Sendable {
    private let inbox: String
    private let name: String
    private let force: Bool
    /// In the folder of parts.
    let draft: String
    private let note: String

    /// - Parameter key: names the execution.
    init(inbox: String, name: String, key: String, force: Bool) throws(ActorError) {
        guard NameRules.isUploadName(name), !FolderInbox.isMarker(name) else {
            throw ActorError(.invalidInput, "\"\(name.prefix(200))\" is no name of an upload")
        }
        self.inbox = inbox
        self.name = name
        self.force = force
        note = String(Hexadecimal.text(SHA256.hash(data: Array("\(key)\n\(name)".utf8))).prefix(40))
        draft = "\(note).bringing"
    }

    /// Whether the draft is still to be made; what is left of an earlier one is removed then. When it was whole already
    /// the rest of its way is done here.
    func begin() throws(ActorError) -> Bool {
        let target = try Folder(path: inbox)
        let parts = try target.making(InboxParts.folder)
        if let number = try noted(in: parts) {
            if try parts.status(draft)?.number == number { try move(number, from: parts, to: target) }
            // It was moved. A marker is what it may lack, unless it was taken already.
            try mark(number, in: target)
            return false
        }
        try refuseTaken(target)
        try FileTree.remove(draft, in: parts)
        return true
    }

    /// The draft is whole and on disk: it becomes an upload.
    func end() throws(ActorError) {
        let target = try Folder(path: inbox)
        let parts = try target.making(InboxParts.folder)
        try parts.synchronize()
        guard let number = try parts.status(draft)?.number else {
            throw ActorError(.unavailable, "\(parts.path)/\(draft) has been removed; trying again")
        }
        let text: JSONValue = ["name": .string(name), "number": .string(String(number))]
        try parts.making(InboxParts.brought).write(JSONWriter.bytes(text), to: note)
        try move(number, from: parts, to: target)
        try mark(number, in: target)
    }

    private func noted(in parts: borrowing Folder) throws(ActorError) -> UInt64? {
        let notes = try parts.making(InboxParts.brought)
        guard try notes.status(note)?.kind == .file else { return nil }
        let file = try notes.file(note)
        let bytes = try file.bytes(from: 0, length: Int(min(file.status.bytes, 4096)))
        return (try? JSONReader.read(bytes))?["number"]?.string.flatMap { UInt64($0) }
    }

    private func move(
        _ number: UInt64, from parts: borrowing Folder, to target: borrowing Folder
    ) throws(ActorError) {
        // A crash between the two steps of a move leaves both names.
        if try target.status(name)?.number == number { return try parts.removeFile(draft) }
        try refuseTaken(target)
        do throws(ActorError) {
            try parts.moveAsNew(draft, to: target, as: name)
        } catch  where error.code == .conflict {
            throw taken
        }
        try target.synchronize()
    }

    private func mark(_ number: UInt64, in target: borrowing Folder) throws(ActorError) {
        guard try target.status(name)?.number == number, try target.status("\(name).done") == nil else { return }
        try target.write(Array(force ? "force\n".utf8 : "".utf8), to: "\(name).done")
    }

    private func refuseTaken(_ target: borrowing Folder) throws(ActorError) {
        if try target.status(name) != nil { throw taken }
        // Of an upload that has left: it says nothing of the one that comes.
        if try target.status("\(name).done")?.kind == .file { try target.removeFile("\(name).done") }
    }

    private var taken: ActorError {
        ActorError(
            .unavailable,
            "another upload \(name) lies in the inbox: it is tried again until that has been taken; give this one "
                + "another name if that is to last")
    }
}
