/// A message to a person.
package struct Mail: Sendable, Equatable {
    /// One address, checked.
    package let to: String
    package let subject: String
    package let text: String

    package init(to: String, subject: String, text: String) {
        self.to = to
        self.subject = subject
        self.text = text
    }

    /// Whether a text is an address that is one word of a command line and nothing else: `user@host`, plain letters.
    package static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && text.utf8.count <= 254
            && parts.allSatisfy { part in
                !part.isEmpty && part.first != "-"
                    && part.utf8.allSatisfy { NameRules.isAlphanumeric($0) || Array("._+-".utf8).contains($0) }
            }
    }
}

/// Hands mail to this machine's own way of sending it.
package protocol Mailer: Sendable {
    /// - Parameter program: absolute; takes what sendmail takes.
    ///
    /// Throws `unavailable` when it is not there, does not end in time, or refuses.
    func send(_ mail: Mail, by program: String) async throws(ActorError)
}

/// A house without mail: says so to who wants to send some.
package struct NoMailer: Mailer {
    package init() {}

    package func send(_ mail: Mail, by program: String) async throws(ActorError) {
        throw ActorError(.unavailable, "this house sends no mail")
    }
}
