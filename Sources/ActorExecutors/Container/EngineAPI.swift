import ActorCore

/// Why an engine did not do what it was asked.
enum EngineTrouble: Error, Equatable {
    /// Our own task was cancelled.
    case cancelled
    /// No answer, or one that says "not now": asking again may help.
    case failing(String)
    /// What was asked for cannot be: asking again changes nothing.
    case refused(String)
}

/// The calls of the Docker-compatible API that one container needs, over the engine's Unix socket.
struct EngineAPI: Sendable {
    private let client: any HTTPClient
    private let socket: String

    /// - Parameter socket: absolute path.
    init(client: any HTTPClient, socket: String) {
        self.client = client
        self.socket = socket
    }

    // MARK: Calls

    /// Whether the engine is podman: it does not say when a container ran out of memory.
    func isPodman() async throws(EngineTrouble) -> Bool {
        let json = try await json("GET", "/version", good: 200...200)
        return (json["Components"]?.array ?? []).contains { $0["Name"]?.string?.contains("Podman") == true }
    }

    func inspect(_ name: String) async throws(EngineTrouble) -> ContainerState? {
        let answer = try await call("GET", "/containers/\(name)/json")
        if answer.status == 404 { return nil }
        guard answer.status == 200, let json = try? JSONReader.read(answer.body), let state = ContainerState(json: json)
        else { throw failing(answer, "inspecting the container") }
        return state
    }

    enum Creation { case made, existed, imageMissing }

    func create(_ name: String, _ body: JSONValue) async throws(EngineTrouble) -> Creation {
        let answer = try await wholeCall("POST", "/containers/create?name=\(name)", body: JSONWriter.bytes(body))
        switch answer.status {
        case 201, 200: return .made
        case 409: return .existed
        case 404: return .imageMissing
        case 400: throw .refused("the container cannot be made: \(Self.words(answer))")
        // Podman answers 500 for a name that is taken and for mounts that do not exist.
        case 500 where Self.words(answer).contains("already in use"): return .existed
        case 500 where Self.words(answer).contains("no such image"): return .imageMissing
        default: throw failing(answer, "making the container")
        }
    }

    func start(_ name: String) async throws(EngineTrouble) {
        let answer = try await wholeCall("POST", "/containers/\(name)/start", timeout: 120_000)
        if (200..<300).contains(answer.status) || answer.status == 304 { return }
        let words = Self.words(answer)
        if case .couldNotStart(let why) = ContainerState.unstartable(words, 0) { throw .refused(why) }
        throw failing(answer, "starting the container")
    }

    /// Returns when it does not run any more.
    func wait(_ name: String) async throws(EngineTrouble) {
        // A connection that nothing is said on for a day is opened again.
        _ = try await call("POST", "/containers/\(name)/wait", timeout: 86_400_000)
    }

    func stop(_ name: String, graceSeconds: Double) async throws(EngineTrouble) {
        let grace = (Milliseconds.of(seconds: graceSeconds) + 999) / 1000
        let answer = try await call(
            "POST", "/containers/\(name)/stop?t=\(grace)", timeout: grace * 1000 + 60_000)
        guard (200..<300).contains(answer.status) || [304, 404].contains(answer.status) else {
            throw failing(answer, "stopping the container")
        }
    }

    func remove(_ name: String) async throws(EngineTrouble) {
        let answer = try await call("DELETE", "/containers/\(name)?force=true&v=true", timeout: 60_000)
        guard (200..<300).contains(answer.status) || [404, 409].contains(answer.status) else {
            throw failing(answer, "removing the container")
        }
    }

    /// Output so far and, with `follow`, what comes until the end.
    func logs(_ name: String, follow: Bool) async throws(EngineTrouble) -> ResponseStream {
        let question = request(
            "GET", "/containers/\(name)/logs?stdout=true&stderr=true&follow=\(follow)", body: [], timeout: 30_000)
        do throws(ActorError) {
            let stream = try await client.stream(question, policy: .anywhere)
            guard stream.status == 200 else {
                throw ActorError(
                    .unavailable, "it answers \(stream.status) when it is asked for the container's output")
            }
            return stream
        } catch {
            throw trouble(error)
        }
    }

    /// Ids of our containers, whatever their state.
    func works(_ instance: String) async throws(EngineTrouble) -> [String] {
        let filter: JSONValue = ["label": [.string("\(ContainerOrder.Label.instance)=\(instance)")]]
        let text = PercentText.escaped(JSONWriter.string(filter))
        let json = try await json("GET", "/containers/json?all=true&filters=\(text)", good: 200...200)
        return (json.array ?? []).compactMap { $0["Labels"]?[ContainerOrder.Label.work]?.string }
    }

    // MARK: Images

    func pull(_ image: String) async throws(EngineTrouble) {
        let (name, tag) = Self.parts(of: image)
        var order = request(
            "POST", "/images/create?fromImage=\(PercentText.escaped(name))&tag=\(PercentText.escaped(tag))", body: [],
            timeout: 60_000)
        order.idleMilliseconds = 300_000
        var tail: [UInt8] = []
        var status = 0
        do throws(ActorError) {
            let stream = try await client.stream(order, policy: .anywhere)
            status = stream.status
            while let more = try await stream.next() { tail = Array((tail + more).suffix(4096)) }
        } catch {
            throw trouble(error)
        }
        let words = String(decoding: tail, as: UTF8.self)
        guard status != 200 || words.contains("\"error\"") else { return }
        let final = ["not found", "manifest unknown", "denied", "unauthorized", "does not exist", "invalid reference"]
        let why = "image \(image) could not be pulled: \(Self.lastError(words))"
        if final.contains(where: { words.contains($0) }) { throw .refused(why) }
        throw .failing(why)
    }

    /// A name and its tag or digest; without either it is the tag `latest`, not all of them.
    static func parts(of image: String) -> (name: String, tag: String) {
        if let at = image.firstIndex(of: "@") {
            return (String(image[..<at]), String(image[image.index(after: at)...]))
        }
        let slash = image.lastIndex(of: "/") ?? image.startIndex
        if let colon = image[slash...].lastIndex(of: ":") {
            return (String(image[..<colon]), String(image[image.index(after: colon)...]))
        }
        return (image, "latest")
    }

    private static func lastError(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map(String.init)
        for line in lines.reversed() {
            guard let json = try? JSONReader.read(Array(line.utf8)) else { continue }
            if let error = json["error"]?.string ?? json["message"]?.string ?? json["cause"]?.string { return error }
        }
        return String(text.suffix(300))
    }

    // MARK: Requests

    private func request(_ method: String, _ path: String, body: [UInt8], timeout: Int64) -> OutgoingRequest {
        // The host names nobody: the socket is where it goes.
        OutgoingRequest(
            method: method, url: "http://engine\(path)",
            headers: body.isEmpty ? [] : [(name: "Content-Type", value: "application/json")], body: body,
            timeoutMilliseconds: timeout, maxResponseBytes: 16_777_216, unixSocket: socket)
    }

    private func call(
        _ method: String, _ path: String, body: [UInt8] = [], timeout: Int64 = 30_000
    ) async throws(EngineTrouble) -> IncomingResponse {
        do throws(ActorError) {
            return try await client.send(
                request(method, path, body: body, timeout: timeout), policy: .anywhere)
        } catch {
            throw trouble(error)
        }
    }

    /// To its end although our task is cancelled: an engine that was half told does it after all, when nobody looks any
    /// more.
    private func wholeCall(
        _ method: String, _ path: String, body: [UInt8] = [], timeout: Int64 = 60_000
    ) async throws(EngineTrouble) -> IncomingResponse {
        let result = await shielded { () async -> Result<IncomingResponse, EngineTrouble> in
            do throws(EngineTrouble) {
                return .success(try await call(method, path, body: body, timeout: timeout))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func json(
        _ method: String, _ path: String, good: ClosedRange<Int>
    ) async throws(EngineTrouble) -> JSONValue {
        let answer = try await call(method, path)
        guard good.contains(answer.status), let json = try? JSONReader.read(answer.body) else {
            throw failing(answer, path)
        }
        return json
    }

    func trouble(_ error: ActorError) -> EngineTrouble {
        if error.code == .cancelled { return .cancelled }
        return .failing(
            "the container engine at unix://\(socket) does not answer (\(error.message)): start it, or correct "
                + "executors.container.socket")
    }

    private func failing(_ answer: IncomingResponse, _ what: String) -> EngineTrouble {
        .failing("the container engine answers \(answer.status) to \(what): \(Self.words(answer))")
    }

    private static func words(_ answer: IncomingResponse) -> String {
        let message = (try? JSONReader.read(answer.body)).flatMap { $0["message"]?.string ?? $0["cause"]?.string }
        return String((message ?? String(decoding: answer.body, as: UTF8.self)).prefix(1000))
    }
}
