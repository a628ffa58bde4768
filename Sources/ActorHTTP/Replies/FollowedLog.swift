import ActorCore
import ActorRuntime
import Glibc
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

extension HTTPFront {
    private static let followInterval = Duration.milliseconds(400)
    /// The first byte of Linux's `tcp_info` is the connection's state: its peer has closed it (`TCP_CLOSE_WAIT`).
    private static let closedByPeer: UInt8 = 8

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
                    if log.isFinal || !system.isAccepting { break }
                    if await Self.hasGone(channel) { break }
                    guard await Self.pause() else { break }
                }
                try await writer.finish(nil)
            })
    }

    /// A channel stays active when its peer has closed in order: it may still listen. Who follows a log and closes
    /// does not.
    private static func hasGone(_ channel: any Channel) async -> Bool {
        guard channel.isActive else { return true }
        guard let socket = channel as? any SocketOptionProvider else { return false }
        let state: EventLoopFuture<UInt8> = socket.unsafeGetSocketOption(
            level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_INFO))
        return (try? await state.get()) == closedByPeer
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
