import ActorCore

/// Who is told that an upload has come to its end.
extension IngestReactor {
    /// Somebody who cannot be told keeps nobody else from being told, and the upload from nothing.
    func tell(_ document: UploadDocument, _ settings: IngestSettings, _ context: any ReactorContext) async {
        for (index, listener) in settings.listeners.enumerated() {
            do {
                switch listener {
                case .actor(let alias): try context.send(.alias(alias), Self.news(of: document), key: nil)
                case .webhook(_, _, let onlyFailures) where onlyFailures && document.state == .done: continue
                case .webhook(let url, let secret, _):
                    guard context.secret(secret).flatMap({ WebhookSecret($0) }) != nil else {
                        throw ActorError(
                            .invalidInput,
                            "the secret \(secret) is not listed under secrets in actor.yml, or is no whsec_… text in "
                                + "secrets.json or the environment")
                    }
                    let body: JSONValue = [
                        "type": "reactord.upload.finished", "timestamp": .string(context.now().iso8601),
                        "data": Self.news(of: document),
                    ]
                    let order = OutgoingCall.signedKey(of: context.actor, secret: secret, order: String(index))
                    context.call(url: url, body: body, order: order)
                case .mail(_, let onlyFailures) where onlyFailures && document.state == .done: continue
                case .mail(let address, _):
                    let (mailer, program) = (tools.mailer, settings.sendmail)
                    let mail = Self.mail(to: address, about: document)
                    _ = try await context.step("mail-\(index)") {
                        try await mailer.send(mail, by: program)
                        return true
                    }
                }
            } catch {
                let reason = (error as? ActorError).map { "\($0)" } ?? "\(error)"
                let who = Self.name(of: listener)
                context.log(.warning, "\(who) could not be told of upload \(document.id): \(reason)")
            }
        }
    }

    /// For the log: the address of a webhook may hold a password.
    private static func name(of listener: IngestSettings.Listener) -> String {
        switch listener {
        case .actor(let alias): "actor \(alias)"
        case .mail(let address, _): "mail to \(address)"
        case .webhook(_, let secret, _): "the webhook that \(secret) signs"
        }
    }

    private static func news(of document: UploadDocument) -> JSONValue {
        [
            "kind": "upload-finished", "id": .string(document.id), "upload": .string(document.upload),
            "state": .string(document.state.rawValue), "counts": document.counts,
            "received": .string(document.received), "finished": JSONValue(document.finished),
        ]
    }

    private static func mail(to address: String, about document: UploadDocument) -> Mail {
        var lines = [
            "Upload \(document.id) is \(document.state.rawValue.replacing("_", with: " ")).", "",
            "\(document.fileCount) files, \(document.bytes) bytes, received \(document.received).",
        ]
        for job in document.jobs { lines.append("\(job.status)  \(job.file)  \(job.uuid)") }
        for item in document.waiting { lines.append("BLOCKED  \(item.file)  \(item.blocked ?? "")") }
        for item in document.invalid { lines.append("INVALID  \(item.file):\(item.line ?? 0)  \(item.reason)") }
        lines += ["", "reactord upload show \(document.id)"]
        let state = document.state.rawValue.replacing("_", with: " ")
        return Mail(to: address, subject: "\(document.id): \(state)", text: lines.joined(separator: "\n"))
    }
}
