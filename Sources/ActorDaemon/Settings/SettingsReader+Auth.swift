import ActorCore

extension SettingsReader {
    static let algorithms = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    ]

    func readAuth(_ auth: StrictMapping, _ settings: inout Settings) {
        settings.auth.isOn = mode(auth)
        let users = auth.mapping("users")
        for (name, user) in users.entries() {
            if name.isEmpty || name.utf8.count > 128 || name.contains(where: \.isWhitespace) {
                users.report(name, "is no user name: no blanks, at most 128 bytes")
            }
            settings.auth.users.append(
                UserSettings(
                    name: name, roles: roles(user, "roles", or: [.user]), password: user.secret("password")))
            user.finish()
        }
        settings.auth.tokensFile = path(auth, "tokens_file")
        settings.auth.jwt = auth.mappings("jwt").map(jwt)
        auth.finish()
    }

    /// YAML 1.1 reads a bare `on` as true; both spellings are taken.
    private func mode(_ auth: StrictMapping) -> Bool {
        switch auth.value("mode") {
        case nil, .bool(true): true
        case .bool(false): false
        default: auth.choice("mode", or: "on", of: ["on", "off"]) == "on"
        }
    }

    private func roles(_ mapping: StrictMapping, _ key: String, or standard: [Role]) -> [Role] {
        guard mapping.isSet(key) else {
            _ = mapping.value(key)
            return standard
        }
        return mapping.texts(key).enumerated().compactMap { index, word in
            role(word, at: "\(mapping.place(key))/\(index)")
        }
    }

    private func role(_ word: String, at pointer: String) -> Role? {
        if let role = Role(rawValue: word) { return role }
        let words = Role.allCases.map(\.rawValue)
        let meant = Suggestion.nearest(to: word, in: words).map { "; did you mean \($0)?" } ?? ""
        problems.report(
            pointer, "\"\(word.prefix(40))\" is no role: \(StrictMapping.list(words, "or"))\(meant)")
        return nil
    }

    private func jwt(_ entry: StrictMapping) -> JWTSettings {
        var jwt = JWTSettings()
        jwt.header = entry.text("header", or: jwt.header)
        jwt.algorithms = entry.texts("algorithms", or: jwt.algorithms)
        for word in jwt.algorithms where !Self.algorithms.contains(word) {
            // `none` and shared-key algorithms are how forged tokens get in.
            entry.report("algorithms", "takes \(StrictMapping.list(Self.algorithms, "or")), not \"\(word.prefix(40))\"")
        }
        jwt.publicKeyFile = path(entry, "public_key_file")
        jwt.keySetFile = path(entry, "jwks_file")
        jwt.keySetURL = url(entry, "jwks_url")
        let sources = ["public_key_file", "jwks_file", "jwks_url"].filter(entry.isSet)
        if sources.count != 1 {
            entry.report(
                "public_key_file",
                sources.isEmpty
                    ? "is needed: the PEM file to check tokens with; or give jwks_file or jwks_url"
                    : "is one of three: keep one of \(StrictMapping.list(sources, "and"))")
        }
        jwt.usernameClaim = entry.text("username_claim", or: jwt.usernameClaim)
        jwt.tenantClaim = entry.text("tenant_claim")
        jwt.rolesClaim = entry.text("roles_claim")
        let map = entry.mapping("role_map")
        jwt.roleMap = map.textEntries().compactMap { name, word in
            role(word, at: map.place(name)).map { (name, $0) }
        }
        jwt.defaultRoles = roles(entry, "default_roles", or: jwt.defaultRoles)
        entry.finish()
        return jwt
    }
}
