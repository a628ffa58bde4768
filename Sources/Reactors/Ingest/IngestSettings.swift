package import ActorCore

/// How this house takes its uploads: the ingest's `config.yml`.
package struct IngestSettings: Sendable, Equatable {
    /// Who is told when an upload has come to its end.
    package enum Listener: Sendable, Equatable {
        /// An actor gets a message.
        case actor(String)
        /// A person gets mail, by the machine's own sendmail; with `onlyFailures` not of what went well.
        case mail(String, onlyFailures: Bool)
        /// A URL is posted a Standard Webhook, signed with the secret of this name.
        case webhook(String, secret: String, onlyFailures: Bool)
    }

    /// Job files beside those of the actor's own folder.
    package struct JobSet: Sendable, Equatable {
        package enum Source: Sendable, Equatable {
            /// Absolute.
            case folder(String)
            case repository(JobRepository)
        }

        package let name: String
        package let source: Source
        /// How old what is known of it may be when an upload is taken.
        package let refreshSeconds: Int

        package init(name: String, source: Source, refreshSeconds: Int) {
            self.name = name
            self.source = source
            self.refreshSeconds = refreshSeconds
        }
    }

    package var template = JobTemplate()
    package var jobSets: [JobSet] = []
    package var folders = FolderRule.standard
    /// Folders whose content a message may bring in.
    package var allowedPaths: [String] = []
    /// Hosts in private networks that a message may have something fetched from.
    package var allowedHosts: [String] = []
    package var listeners: [Listener] = []
    package var sendmail = "/usr/sbin/sendmail"
    /// Files that list what is an upload, one a line.
    package var lists: [String] = []

    package init() {}

    /// Throws all that is wrong with it, with the JSON pointer of each.
    package init(json: JSONValue) throws(ActorError) {
        var problems: [ActorError.Detail] = []
        func wrong(_ place: String, _ problem: String) { problems.append(.init(place: place, problem: problem)) }
        if let value = json["substitution"], !value.isNull {
            if let mode = value.string.flatMap(JobTemplate.Mode.init(rawValue:)) {
                template.mode = mode
            } else {
                wrong("/substitution", "must be uuid or envsubst")
            }
        }
        for member in json["variables"]?.object ?? [] {
            let place = "/variables/\(member.name)"
            guard JobTemplate.isName(member.name) else { wrong(place, "is no name of a variable"); continue }
            if let text = member.value.string ?? member.value.int.map(String.init) {
                template.variables[member.name] = text
            } else {
                wrong(place, "must be text or a whole number")
            }
        }
        if let program = json["sendmail"], !program.isNull {
            sendmail = program.string ?? ""
            if !sendmail.hasPrefix("/") { wrong("/sendmail", "must be the absolute path of a program") }
        }
        if let value = json["folders"], !value.isNull { readFolders(value, wrong) }
        for (index, item) in (json["allow_paths"]?.array ?? []).enumerated() {
            if let path = item.string, path.hasPrefix("/"), path != "/" {
                allowedPaths.append(path.hasSuffix("/") ? String(path.dropLast()) : path)
            } else {
                wrong("/allow_paths/\(index)", "must be an absolute path below /")
            }
        }
        for (index, item) in (json["allow_hosts"]?.array ?? []).enumerated() {
            if let host = item.string, !host.isEmpty {
                allowedHosts.append(host)
            } else {
                wrong("/allow_hosts/\(index)", "must be a host, or host:port")
            }
        }
        for (index, item) in (json["notify"]?.array ?? []).enumerated() {
            if let listener = Self.listener(item, "/notify/\(index)", wrong) { listeners.append(listener) }
        }
        for (index, item) in (json["lists"]?.array ?? []).enumerated() {
            if let path = item.string, path.hasPrefix("/"), path.utf8.count <= 4096 {
                lists.append(path)
            } else {
                wrong("/lists/\(index)", "must be the absolute path of a file")
            }
        }
        for (index, item) in (json["job_sets"]?.array ?? []).enumerated() {
            if let set = Self.jobSet(item, "/job_sets/\(index)", wrong) {
                if jobSets.contains(where: { $0.name == set.name }) {
                    wrong("/job_sets/\(index)/name", "is the name of another set too")
                }
                jobSets.append(set)
            }
        }
        guard problems.isEmpty else {
            throw ActorError(.invalidInput, "the ingest's config.yml is not as it should be", details: problems)
        }
    }

    private static func listener(
        _ item: JSONValue, _ place: String, _ wrong: (String, String) -> Void
    ) -> Listener? {
        let onlyFailures = item["only_failures"]?.bool ?? false
        if let actor = item["actor"]?.string { return .actor(actor) }
        if let address = item["mail"]?.string, Mail.isAddress(address) {
            return .mail(address, onlyFailures: onlyFailures)
        }
        guard let url = item["webhook"]?.string else {
            wrong(place, "must be {actor: NAME}, {mail: ADDRESS} or {webhook: URL, secret: NAME}")
            return nil
        }
        guard url.hasPrefix("https://") || url.hasPrefix("http://"), url.utf8.count <= 8192 else {
            wrong("\(place)/webhook", "must be an address that begins with https:// or http://")
            return nil
        }
        guard let secret = item["secret"]?.string, JobTemplate.isName(secret) else {
            wrong("\(place)/secret", "must be the name of a secret (whsec_…) that actor.yml lists under secrets")
            return nil
        }
        return .webhook(url, secret: secret, onlyFailures: onlyFailures)
    }

    private static func jobSet(
        _ item: JSONValue, _ place: String, _ wrong: (String, String) -> Void
    ) -> JobSet? {
        guard let name = item["name"]?.string, NameRules.isAlias(name), name != "jobs" else {
            wrong("\(place)/name", "must be a name of letters, digits and ._-, other than jobs")
            return nil
        }
        let refresh = item["refresh_seconds"]?.int ?? 60
        guard (1...86_400).contains(refresh) else {
            wrong("\(place)/refresh_seconds", "must be from 1 to 86400")
            return nil
        }
        if let folder = item["folder"]?.string, item["git"] == nil {
            guard folder.hasPrefix("/") else {
                wrong("\(place)/folder", "must be an absolute path")
                return nil
            }
            return JobSet(name: name, source: .folder(folder), refreshSeconds: refresh)
        }
        guard let url = item["git"]?.string, JobRepository.isAddress(url) else {
            wrong("\(place)/git", "must be https://…, ssh://…, user@host:path or an absolute path; or give a folder")
            return nil
        }
        let branch = item["branch"]?.string ?? "main"
        guard JobRepository.isBranch(branch) else {
            wrong("\(place)/branch", "must be the name of a branch")
            return nil
        }
        let path = item["path"]?.string ?? ""
        guard path.isEmpty || NameRules.isUploadPath(path) else {
            wrong("\(place)/path", "must be a folder below the top of the repository")
            return nil
        }
        return JobSet(
            name: name, source: .repository(JobRepository(url: url, branch: branch, path: path)),
            refreshSeconds: refresh)
    }

    private mutating func readFolders(_ value: JSONValue, _ wrong: (String, String) -> Void) {
        guard let items = value.array else { return wrong("/folders", "must be a list of {folder, when}") }
        var branches: [FolderRule.Branch] = []
        for (index, item) in items.enumerated() {
            let place = "/folders/\(index)"
            guard let folder = item["folder"]?.string, NameRules.isUploadName(folder) else {
                wrong("\(place)/folder", "must be the name of a folder of job files")
                continue
            }
            guard let text = item["when"]?.string else {
                wrong("\(place)/when", "must be a condition like name[11] == \"e\"")
                continue
            }
            do {
                let condition = try UploadCondition(parsing: text)
                branches.append(.init(folder: folder, condition: condition, text: text))
            } catch {
                wrong("\(place)/when", "\(error)")
            }
        }
        folders = FolderRule(branches: branches)
    }
}
