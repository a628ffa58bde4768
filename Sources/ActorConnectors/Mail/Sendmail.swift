package import ActorCore
import Subprocess
import SystemPackage

/// Mail by the local sendmail, or a program that takes the same words: no shell, the text by standard input.
package struct Sendmail: Mailer {
    private static let limit = Duration.seconds(30)

    package init() {}

    package func send(_ mail: Mail, by program: String) async throws(ActorError) {
        guard Mail.isAddress(mail.to), program.hasPrefix("/") else {
            throw ActorError(
                .invalidInput, "\(mail.to.prefix(254)) is no address, or \(program.prefix(254)) no program")
        }
        var options = PlatformOptions()
        options.createSession = true
        let grace = TeardownStep.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        options.teardownSequence = [grace]
        let status: TerminationStatus
        do {
            let text = Self.message(mail)
            let configuration = Configuration(
                executable: .path(FilePath(program)), arguments: Arguments(["-i", mail.to]),
                environment: .custom(["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"]),
                workingDirectory: "/", platformOptions: options)
            status = try await withThrowingTaskGroup(of: TerminationStatus?.self) { group in
                group.addTask {
                    try await Subprocess.run(
                        configuration, input: .string(text), output: .discarded, error: .discarded
                    ).terminationStatus
                }
                group.addTask {
                    try await Task.sleep(for: Self.limit)
                    return nil
                }
                defer { group.cancelAll() }
                guard let first = try await group.next(), let first else {
                    throw ActorError(.timedOut, "it did not end within \(Self.limit)")
                }
                return first
            }
        } catch {
            throw ActorError(.unavailable, "mail to \(mail.to) could not be handed to \(program)", cause: error)
        }
        guard status == .exited(0) else {
            throw ActorError(.unavailable, "\(program) did not take mail to \(mail.to): it ended with \(status)")
        }
    }

    /// The sender and the date are the business of sendmail.
    static func message(_ mail: Mail) -> String {
        let subject = mail.subject.split(whereSeparator: \.isNewline).joined(separator: " ")
        let isPlain = subject.utf8.allSatisfy { (0x20..<0x7f).contains($0) }
        let encoded = isPlain ? subject : "=?UTF-8?B?\(Base64.encode(Array(subject.utf8)))?="
        return """
            To: \(mail.to)
            Subject: \(encoded)
            Auto-Submitted: auto-generated
            MIME-Version: 1.0
            Content-Type: text/plain; charset=UTF-8
            Content-Transfer-Encoding: 8bit

            \(mail.text)

            """
    }
}
