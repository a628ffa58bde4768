package import ActorCore
internal import Synchronization

/// Where this daemon is reached, and which URLs mean itself.
///
/// A callback to ourselves is stored without host and port, so that it still arrives when the daemon comes back on
/// another port.
package final class SelfAddress: Sendable {
    private struct State {
        var publicURL = ""
        var local = ""
        var former: [String] = []
    }

    static let scheme = "self:"
    /// Goes with every event that is told to others. One that comes back here, by whatever name or port this daemon can
    /// be reached, would cause the next.
    package static let eventHeader = "Reactord-Event-Of"
    /// What it says; another one after each start.
    package let eventMark = String(UInt64.random(in: .min ... .max), radix: 16)
    /// Goes with every event that an actor's webhook is told: how many messages lead to it. A webhook that leads back
    /// here, by whatever name, ends with the chain that it is a link of.
    package static let hopsHeader = "Reactord-Hops"
    private let state = Mutex(State())

    package init() {}

    /// What that header says. The mark tells it from that of another daemon, which counts for itself.
    package func hopsText(_ hops: Int) -> String { "\(hops) \(eventMark)" }

    /// The count in such a header; 0 for one that this daemon did not write, and for none.
    package func hops(in text: String?) -> Int {
        guard let parts = text?.split(separator: " "), parts.count == 2, parts[1] == eventMark,
            let hops = Int(parts[0])
        else { return 0 }
        return max(0, hops)
    }

    /// - Parameters:
    ///   - publicURL: what links and callback URLs start with, without a slash at the end.
    ///   - local: `http://HOST:PORT` as it is bound.
    ///   - former: what earlier starts were called.
    package func set(publicURL: String, local: String, former: [String]) {
        state.withLock { $0 = State(publicURL: publicURL, local: local, former: former) }
    }

    package var publicURL: String { state.withLock(\.publicURL) }

    /// `self:/path` for a URL that leads here, else the URL as it is.
    func folded(_ url: String) -> String {
        state.withLock { state in
            for base in [state.publicURL, state.local] + state.former
            where !base.isEmpty && url.hasPrefix(base + "/") {
                return Self.scheme + url.dropFirst(base.count)
            }
            return url
        }
    }

    /// Whether a URL leads to this daemon as it is reached now: events told to ourselves would tell of themselves.
    package func leadsHere(_ url: String) -> Bool {
        guard let target = Self.authority(of: url) else { return false }
        return state.withLock { state in
            [state.publicURL, state.local].contains { base in
                guard let own = Self.authority(of: base) else { return false }
                return own == target
                    || own.port == target.port && Self.isLoopback(own.host) && Self.isLoopback(target.host)
            }
        }
    }

    /// The same, or as this daemon was reached at an earlier start: such a call comes here too.
    func leadsBack(_ url: String) -> Bool { folded(url).hasPrefix(Self.scheme) || leadsHere(url) }

    private struct Authority: Equatable {
        let host: String
        let port: String
    }

    private static func authority(of url: String) -> Authority? {
        let lower = url.lowercased()
        for (scheme, port) in [("http://", "80"), ("https://", "443")] where lower.hasPrefix(scheme) {
            let text = lower.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
            let end = text.lastIndex(of: ":")
            if let end, !text[end...].contains("]") {
                return Authority(host: String(text[..<end]), port: String(text[text.index(after: end)...]))
            }
            return Authority(host: String(text), port: port)
        }
        return nil
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "[::1]" || host.hasPrefix("127.")
    }

    /// The URL to call now, and whether it leads here.
    func unfolded(_ url: String) -> (url: String, isOurs: Bool) {
        guard url.hasPrefix(Self.scheme) else { return (url, false) }
        return (state.withLock(\.local) + url.dropFirst(Self.scheme.count), true)
    }
}

/// Makes the URL that moves a job on.
package struct CallbackMaker: Sendable {
    package let address: SelfAddress
    /// The actor that keeps the jobs.
    package let manager: @Sendable () -> ActorID?
    /// Its nonce.
    package let nonce: @Sendable () -> String?

    package init(
        address: SelfAddress, manager: @escaping @Sendable () -> ActorID?, nonce: @escaping @Sendable () -> String?
    ) {
        self.address = address
        self.manager = manager
        self.nonce = nonce
    }

    func url(for job: JobRecord) throws(ActorError) -> String {
        guard let manager = manager() else {
            throw ActorError(.unavailable, "there is no actor pipeline-jobs-manager: a job has no callback without it")
        }
        guard let nonce = nonce() else {
            throw ActorError(.unavailable, "pipeline-jobs-manager has no nonce for job updates yet")
        }
        return JobCallback(base: address.publicURL, manager: manager.rawValue, nonce: nonce).url(of: job)
    }
}
