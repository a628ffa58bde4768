import ActorCore
import Crypto
import Glibc

/// Who opened an upload. It is kept beside the parts, as a link that leads nowhere: a link is there whole or not at
/// all, and has no bytes that would count as the inbox's. Disks that know no links get a small file instead, and where
/// that cannot be either, the upload is everybody's: this decides who may change what came, never whether it comes.
extension InboxFolder {
    /// Whoever wants to change an upload.
    struct Claimant: Sendable {
        /// Tells users and nonces apart, and tells nobody who they are.
        let key: String
        /// The user who made the nonce; nil for a user.
        let maker: String?
        let isAdmin: Bool
        /// The nonce that began the upload, when it lets nobody in any more.
        var predecessor: String?

        init(_ caller: Caller) {
            let user = InboxFolder.hash("\(caller.principal.tenant)/\(caller.username)")
            key = caller.nonce.map { Self.key(of: $0) } ?? user
            maker = caller.nonce.map { _ in user }
            isAdmin = caller.isAdmin
        }

        /// A nonce is its own: it stands for an instrument, and those of one user are many.
        static func key(of nonce: Nonce) -> String { InboxFolder.hash("\u{1}nonce:\(nonce.id)") }
    }

    struct Owner: Sendable, Equatable {
        let key: String
        /// The user who made the nonce that has the key; nil where it is a user's.
        var maker: String?
        /// The number of the file or folder that has come of it; nil while there are parts of it only.
        var landed: UInt64?

        init(_ claimant: Claimant) {
            key = claimant.key
            maker = claimant.maker
        }

        init?(_ text: String) {
            let halves = text.split(separator: ":")
            guard halves.count == 2, let first = halves[0].split(separator: ".").first else { return nil }
            key = String(first)
            maker = first.endIndex == halves[0].endIndex ? nil : String(halves[0][first.endIndex...].dropFirst())
            landed = UInt64(halves[1])
        }

        var text: String { key + (maker.map { ".\($0)" } ?? "") + ":" + (landed.map { "\($0)" } ?? "open") }

        /// Whether somebody may go on with the upload. A nonce does not reach what its maker began, nor what another
        /// nonce did: instruments must not overwrite each other's files. Once the nonce that began it lets nobody in,
        /// others go on, with what has not come yet.
        ///
        /// - Parameter isReplacing: what is there whole would be another.
        func admits(_ claimant: Claimant, isReplacing: Bool) -> Bool {
            if claimant.isAdmin || claimant.key == key || claimant.key == maker { return true }
            return maker != nil && claimant.predecessor == key && !isReplacing
        }
    }

    private static func hash(_ text: String) -> String {
        String(Hexadecimal.text(SHA256.hash(data: Array(text.utf8))).prefix(40))
    }

    private static func ownerName(of upload: String) -> String { "\(hash(upload)).owner" }

    /// The key of the nonce that began an upload; nil when none did.
    func nonce(behind upload: String) throws(ActorError) -> String? {
        let inbox = try openInbox()
        defer { close(inbox) }
        guard let parts = try? openFolder(Self.partsName, in: inbox, creating: false) else { return nil }
        defer { close(parts) }
        return kept(Self.ownerName(of: upload), in: parts).flatMap { $0.maker == nil ? nil : $0.key }
    }

    /// Refuses those whose upload it is not; a new one is theirs from now on. What is there and nobody's, because it
    /// came by another way or from before owners were kept, stays nobody's.
    ///
    /// - Parameter part: what is about to be received of it.
    func claim(_ place: Place, part: String, by claimant: Claimant) throws(ActorError) {
        let inbox = try openInbox()
        defer { close(inbox) }
        let parts = try openFolder(Self.partsName, in: inbox, creating: true)
        defer { close(parts) }
        lock(parts)
        let (name, number) = (Self.ownerName(of: place.upload), Self.number(of: place.upload, in: inbox))
        let isBegun = Self.number(of: part, in: parts) != nil
        if let owner = kept(name, in: parts), Self.holds(owner, number, isBegun: isBegun) {
            try refuse(claimant, unless: owner, isReplacing: Self.number(of: place.shown, in: inbox) != nil)
            // As young as the parts: what nobody goes on with is thrown away.
            utimensat(parts, name, nil, AT_SYMLINK_NOFOLLOW)
            return
        }
        guard number == nil, !isBegun else { return }
        note(Owner(claimant), as: name, in: parts)
    }

    /// That all of an upload is there says everybody who may send, but a nonce only of what it may go on with.
    func refuseToEnd(_ upload: String, by claimant: Claimant) throws(ActorError) {
        guard claimant.maker != nil else { return }
        let inbox = try openInbox()
        defer { close(inbox) }
        guard let parts = try? openFolder(Self.partsName, in: inbox, creating: false) else { return }
        defer { close(parts) }
        let number = Self.number(of: upload, in: inbox)
        guard let owner = kept(Self.ownerName(of: upload), in: parts),
            Self.holds(owner, number, isBegun: number == nil)
        else { return }
        try refuse(claimant, unless: owner, isReplacing: false)
    }

    /// Remembers what has come of an upload: once that is taken from the inbox, its name is anybody's again.
    ///
    /// - Parameter number: of the file that is about to come; nil for what is there.
    func noteLanding(of upload: String, as number: UInt64? = nil) throws(ActorError) {
        let inbox = try openInbox()
        defer { close(inbox) }
        let parts = try openFolder(Self.partsName, in: inbox, creating: false)
        defer { close(parts) }
        lock(parts)
        let name = Self.ownerName(of: upload)
        guard var owner = kept(name, in: parts) else { return }
        guard let number = number ?? Self.number(of: upload, in: inbox) else {
            unlinkat(parts, name, 0)
            return
        }
        guard owner.landed != number else { return }
        owner.landed = number
        note(owner, as: name, in: parts)
    }

    /// Whether the file with this number has come from this sender, or from one whose files are this one's to replace.
    func hasLanded(_ number: UInt64, of upload: String, by claimant: Claimant) throws(ActorError) -> Bool {
        let inbox = try openInbox()
        defer { close(inbox) }
        guard let parts = try? openFolder(Self.partsName, in: inbox, creating: false) else { return false }
        defer { close(parts) }
        guard let owner = kept(Self.ownerName(of: upload), in: parts) else { return false }
        return owner.landed == number && owner.admits(claimant, isReplacing: true)
    }

    // MARK: The link

    /// Whether the upload that is there, if any is, is the one that was opened.
    private static func holds(_ owner: Owner, _ number: UInt64?, isBegun: Bool) -> Bool {
        guard let landed = owner.landed else { return true }
        return number.map { $0 == landed } ?? isBegun
    }

    private func refuse(_ claimant: Claimant, unless owner: Owner, isReplacing: Bool) throws(ActorError) {
        guard !owner.admits(claimant, isReplacing: isReplacing) else { return }
        throw ActorError(
            .forbidden,
            owner.maker == nil
                ? "this is somebody else's upload: use another name; whoever began it goes on with it, or an admin"
                : "this is somebody else's upload, begun by a nonce: use another name; that nonce goes on with it, who "
                    + "made the nonce, or an admin, and others once the nonce is deleted or used up, with files that "
                    + "are not there yet")
    }

    /// Of two who begin at once, one is the first. It ends with the descriptor. Where folders cannot be locked, the
    /// last is.
    private func lock(_ parts: Int32) {
        while flock(parts, LOCK_EX) != 0, errno == EINTR {}
    }

    private static func number(of name: String, in folder: Int32) -> UInt64? {
        var status = stat()
        return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? UInt64(status.st_ino) : nil
    }

    /// Nil when nothing is kept, and when it cannot be read.
    private func kept(_ name: String, in parts: Int32) -> Owner? {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = bytes.withUnsafeMutableBytes { buffer -> Int in
            guard let start = buffer.baseAddress else { return 0 }
            let count = readlinkat(parts, name, start.assumingMemoryBound(to: CChar.self), buffer.count)
            guard count < 0, errno == EINVAL else { return count }
            let file = openat(parts, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
            guard file >= 0 else { return -1 }
            defer { close(file) }
            return Glibc.read(file, start, buffer.count)
        }
        return count < 0 ? nil : Owner(String(decoding: bytes.prefix(count), as: UTF8.self))
    }

    /// As a link, else as a file, else not at all.
    private func note(_ owner: Owner, as name: String, in parts: Int32) {
        let draft = "\(name).new"
        unlinkat(parts, draft, 0)
        guard makeLink(owner.text, parts, draft) || makeFile(owner.text, parts, draft),
            renameat(parts, draft, parts, name) == 0
        else { return }
        fsync(parts)
    }

    private func makeFile(_ text: String, _ folder: Int32, _ name: String) -> Bool {
        let file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard file >= 0 else { return false }
        defer { close(file) }
        let bytes = Array(text.utf8)
        return Glibc.write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
    }
}
