import ActorCore
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// Turns everything thrown further in into an answer, and closes connections whose body nobody will read.
struct ErrorMiddleware: RouterMiddleware {
    typealias Context = HTTPContext

    /// A refused body up to this size is read and dropped, so that the connection stays usable.
    static let drainedBytes = 262_144

    let version: String
    let logger: Logger

    func handle(
        _ request: Request, context: HTTPContext,
        next: @concurrent (Request, HTTPContext) async throws -> Response
    ) async throws -> Response {
        let area = RequestArea(path: request.uri.path)
        let answer: Response
        do {
            return try await next(request, context)
        } catch let error as ActorError {
            Self.note(error, path: request.uri.path, logger)
            answer = ErrorReply.response(to: error, area: area, version: version)
        } catch let refused as KeeperRefusal {
            answer = ErrorReply.response(to: refused)
        } catch let error as HTTPError {
            answer = ErrorReply.response(to: error, area: area, version: version)
        } catch is HTTPParserError {
            answer = ErrorReply.response(
                to: ActorError(.invalidInput, "the body's chunks are not framed as HTTP has it"), area: area,
                version: version)
        } catch is CancellationError {
            answer = ErrorReply.response(
                to: ActorError(.unavailable, "the daemon is stopping; try again in a moment"), area: area,
                version: version)
        } catch {
            logger.error(
                "a request failed unexpectedly",
                metadata: [LogKeys.path: "\(request.uri.path)", LogKeys.error: "\(error)"])
            answer = ErrorReply.response(
                to: ActorError(.internalFailure, "the request failed; the daemon's log says why"), area: area,
                version: version)
        }
        return hasLongBody(request) ? closing(answer, context.channel) : answer
    }

    /// What the daemon's owner must hear of.
    static func note(_ error: ActorError, path: String, _ logger: Logger) {
        guard error.code == .internalFailure || error.code == .storageFull else { return }
        logger.error("a request failed", metadata: [LogKeys.path: "\(path)", LogKeys.error: "\(error)"])
    }

    private func hasLongBody(_ request: Request) -> Bool {
        if request.headers[.transferEncoding] != nil { return true }
        guard let text = request.headers[.contentLength] else { return false }
        return Int(text).map { $0 > Self.drainedBytes } ?? true
    }

    /// The same answer, after which the connection ends: a sender of gigabytes must not keep it.
    private func closing(_ response: Response, _ channel: any Channel) -> Response {
        var response = response
        response.headers[.connection] = "close"
        let body = response.body
        // Closing resets the connection while the sender still sends, and with it what it has not read yet: a busy
        // sender gets the time to read why.
        let linger = TimeAmount.seconds(5)
        let length = body.contentLength
        return Response(
            status: response.status, headers: response.headers,
            body: ResponseBody(contentLength: length) { writer in
                try await body.write(writer)
                _ = channel.eventLoop.scheduleTask(in: linger) { channel.close(promise: nil) }
            })
    }
}
