import ActorCore

/// Who is told that an upload has come to its end.
extension IngestReactor {
    /// Somebody who cannot be told keeps nobody else from being told, and the upload from nothing.
    func tell(_ document: UploadDocument, _ settings: IngestSettings, _ context: any ReactorContext) async {
        for (index, listener) in settings.listeners.enumerated() {
            do {
                switch listener {
                case .actor(let alias): try context.send(.alias(alias), Self.news(of: document), key: nil)
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
                context.log(.warning, "\(listener) could not be told of upload \(document.id): \(reason)")
            }
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
