import ActorAPI
import HTTPTypes
import Hummingbird

/// Bounds how many lasting answers one caller and all together may have: event streams, logs that are followed, and
/// messages that wait for what they bring about.
struct StreamMiddleware: RouterMiddleware {
    typealias Context = HTTPContext

    private static let events = Paths.events.split(separator: "/")

    let seats: StreamSeats

    func handle(
        _ request: Request, context: HTTPContext,
        next: @concurrent (Request, HTTPContext) async throws -> Response
    ) async throws -> Response {
        guard Self.lasts(request), let caller = context.caller else { return try await next(request, context) }
        let seat = try seats.take(for: caller.principal)
        let response = try await next(request, context)
        let body = response.body
        return Response(
            status: response.status, headers: response.headers,
            body: ResponseBody(contentLength: body.contentLength) { writer in
                defer { seat.giveBack() }
                try await body.write(writer)
            })
    }

    private static func lasts(_ request: Request) -> Bool {
        // As the router takes paths apart.
        let path = request.uri.path.split(separator: "/")
        switch (request.method, path.last) {
        case (.get, "events"): return path == events
        case (.get, "logs"): return request.formItems.first("follow") == "true"
        case (.post, "messages"): return request.formItems.first(MessageRoutes.synchronous)?.lowercased() == "true"
        default: return false
        }
    }
}
