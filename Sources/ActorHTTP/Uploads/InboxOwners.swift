import ActorCore
import Crypto
import Glibc

/// Who opened an upload. It is kept beside the parts, as a link that leads nowhere: a link is there whole or not at
/// all, and has no bytes that would count as the inbox's.
extension InboxFolder {
    /// Whoever wants to change an upload.
    struct Claimant: Sendable {
        /// Tells users apart, and tells nobody who they are.
        let key: String
        let isAdmin: Bool

        init(_ caller: Caller) {
            let principal = caller.principal
            key = InboxFolder.hash("\(principal.tenant)/\(principal.username)")
            isAdmin = caller.isAdmin
        }
    }

    private struct Owner {
        let key: String
        /// The number of the file or folder that has come of it; nil while there are parts of it only.
        let landed: UInt64?

        init(key: String, landed: UInt64? = nil) {
            self.key = key
            self.landed = landed
        }

        init?(_ text: String) {
            let halves = text.split(separator: ":")
            guard halves.count == 2 else { return nil }
            key = String(halves[0])
            landed = UInt64(halves[1])
        }

        var text: String { "\(key):\(landed.map { "\($0)" } ?? "open")" }
    }

    private static func hash(_ text: String) -> String {
        String(Hexadecimal.text(SHA256.hash(data: Array(text.utf8))).prefix(40))
    }

    private static func ownerName(of upload: String) -> String { "\(hash(upload)).owner" }

    /// Refuses those whose upload it is not; a new one is theirs from now on. What is there and nobody's, because it
    /// came by another way or from before owners were kept, stays nobody's.
    ///
    /// - Parameter part: what is about to be received of it.
    func claim(_ upload: String, part: String, by claimant: Claimant) throws(ActorError) {
        let inbox = try openInbox()
        defer { close(inbox) }
        let parts = try openFolder(Self.partsName, in: inbox, creating: true)
        defer { close(parts) }
        try lock(parts)
        let (name, number) = (Self.ownerName(of: upload), Self.number(of: upload, in: inbox))
        let isBegun = Self.number(of: part, in: parts) != nil
        if let owner = try kept(name, in: parts), Self.holds(owner, number, isBegun: isBegun) {
            try refuse(claimant, unless: owner)
            // As young as the parts: what nobody goes on with is thrown away.
            utimensat(parts, name, nil, AT_SYMLINK_NOFOLLOW)
            return
        }
        guard number == nil, !isBegun else { return }
        try note(Owner(key: claimant.key), as: name, in: parts)
    }

    /// The same for who brings nothing more: what is nobody's stays so.
    func refuseOthers(than claimant: Claimant, of upload: String) throws(ActorError) {
        let inbox = try openInbox()
        defer { close(inbox) }
        guard let parts = try? openFolder(Self.partsName, in: inbox, creating: false) else { return }
        defer { close(parts) }
        let number = Self.number(of: upload, in: inbox)
        guard let owner = try kept(Self.ownerName(of: upload), in: parts),
            Self.holds(owner, number, isBegun: number == nil)
        else { return }
        try refuse(claimant, unless: owner)
    }

    /// Remembers what has come of an upload: once that is taken from the inbox, its name is anybody's again.
    func noteLanding(of upload: String) throws(ActorError) {
        let inbox = try openInbox()
        defer { close(inbox) }
        let parts = try openFolder(Self.partsName, in: inbox, creating: false)
        defer { close(parts) }
        try lock(parts)
        let name = Self.ownerName(of: upload)
        guard let owner = try kept(name, in: parts) else { return }
        guard let number = Self.number(of: upload, in: inbox) else {
            unlinkat(parts, name, 0)
            return
        }
        guard owner.landed != number else { return }
        try note(Owner(key: owner.key, landed: number), as: name, in: parts)
    }

    // MARK: The link

    /// Whether the upload that is there, if any is, is the one that was opened.
    private static func holds(_ owner: Owner, _ number: UInt64?, isBegun: Bool) -> Bool {
        guard let landed = owner.landed else { return true }
        return number.map { $0 == landed } ?? isBegun
    }

    private func refuse(_ claimant: Claimant, unless owner: Owner) throws(ActorError) {
        guard claimant.isAdmin || claimant.key == owner.key else {
            throw ActorError(
                .forbidden,
                "this is somebody else's upload: use another name; whoever began it goes on with it, or an admin")
        }
    }

    /// Of two who begin at once, one is the first. It ends with the descriptor.
    private func lock(_ parts: Int32) throws(ActorError) {
        while flock(parts, LOCK_EX) != 0 {
            guard errno == EINTR else { throw PosixFailure.error("flock", "the upload") }
        }
    }

    private static func number(of name: String, in folder: Int32) -> UInt64? {
        var status = stat()
        return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? UInt64(status.st_ino) : nil
    }

    private func kept(_ name: String, in parts: Int32) throws(ActorError) -> Owner? {
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = bytes.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return 0 }
            return readlinkat(parts, name, start.assumingMemoryBound(to: CChar.self), buffer.count)
        }
        guard count >= 0 else {
            guard errno == ENOENT else { throw PosixFailure.error("readlink", "the upload's owner") }
            return nil
        }
        return Owner(String(decoding: bytes.prefix(count), as: UTF8.self))
    }

    private func note(_ owner: Owner, as name: String, in parts: Int32) throws(ActorError) {
        let draft = "\(name).new"
        unlinkat(parts, draft, 0)
        guard symlinkat(owner.text, parts, draft) == 0, renameat(parts, draft, parts, name) == 0, fsync(parts) == 0
        else { throw PosixFailure.error("symlink", "the upload's owner") }
    }
}
