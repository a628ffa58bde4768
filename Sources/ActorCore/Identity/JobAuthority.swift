/// By what somebody may move a job.
package enum JobAuthority: Sendable, Equatable {
    /// A word that came with the message, if any did.
    case token(String?)
    /// The daemon has seen who it is: the job's owner.
    case owner
    /// The same, of an admin.
    case admin

    /// The variable of a message in which the daemon's own routes say so. No sender can set it.
    package static let variable = "_reactord_authority"
    /// The variable in which the door tells a built-in actor that an admin sent the message with a token of its own.
    /// It opens no job that the message shows a token for, or none: it is about the sender alone.
    package static let senderRole = "_reactord_sender_role"

    package var word: String? {
        switch self {
        case .token: nil
        case .owner: "owner"
        case .admin: "admin"
        }
    }

    /// What the daemon said, else the token.
    package init(said: String?, token: String?) {
        switch said {
        case "owner": self = .owner
        case "admin": self = .admin
        default: self = .token(token)
        }
    }
}
