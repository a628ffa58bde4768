import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

extension HTTPFront {
    private static let followInterval = Duration.milliseconds(400)

    /// What an execution prints, as it prints it: ends with the execution, with the daemon, or when nobody listens any
    /// more. It is no longer than the log that is kept, and known secrets are struck out of it.
    ///
    /// - Parameter channel: the reader's connection.
    func followed(_ execution: ExecutionID, by channel: any Channel) -> Response {
        let system = self.system
        return Response(
            status: .ok, headers: [.contentType: Response.plainText],
            body: ResponseBody { writer in
                var sent = 0
                while true {
                    let log = try await system.log(of: execution)
                    let bytes = log.isFinal ? Array(log.text.utf8) : log.bytes
                    if bytes.count > sent {
                        try await writer.write(ByteBuffer(bytes: bytes[sent...]))
                        sent = bytes.count
                    }
                    // Who has gone is not noticed by writing where nothing is printed.
                    if log.isFinal || !system.isAccepting || !channel.isActive { break }
                    guard await Self.pause() else { break }
                }
                try await writer.finish(nil)
            })
    }

    /// False when the daemon stops, or the reader has gone.
    private static func pause() async -> Bool {
        do {
            try await cancelWhenGracefulShutdown { try await Task.sleep(for: followInterval) }
            return true
        } catch {
            return false
        }
    }
}
