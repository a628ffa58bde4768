import ActorAPI

/// Which of the API's worlds a path belongs to: how its callers are authenticated and its errors are spelled.
enum RequestArea: Equatable {
    /// Abaco's envelope.
    case actors
    /// problem+json.
    case api
    /// Where tokens are had: Abaco's envelope.
    case login
    /// What the operators of old deployments ask; plain answers, for admins.
    case operations
    /// The page, health, and what does not exist.
    case open

    init(path: String) {
        let parts = path.split(separator: "/", maxSplits: 2)
        switch (parts.first, parts.dropFirst().first) {
        case ("actors", _), ("v3", "actors"): self = .actors
        case ("api", _), ("openapi.json", nil): self = .api
        case ("clients", "v2"), ("token", nil), ("v3", "oauth2"), ("v3", "tenants"), ("v3", "sites"): self = .login
        case ("admin", "dashboard"), ("metrics", nil), ("cron", nil): self = .operations
        default: self = .open
        }
    }
}

/// One spelling of the actors API; the handlers are the same.
enum ActorsGeneration: CaseIterable, Sendable {
    case second
    case third
    /// As a gateway sees it; links are those of the second generation.
    case plain

    var prefix: String {
        switch self {
        case .second: Paths.actorPrefixes[0]
        case .third: Paths.actorPrefixes[1]
        case .plain: Paths.actorPrefixes[2]
        }
    }

    /// What links start with (actors API, section 1.1).
    var linkPrefix: String { self == .third ? prefix : Paths.actorPrefixes[0] }
    var profilePrefix: String { self == .third ? "/v3/oauth2/profiles" : "/profiles/v2" }
}
