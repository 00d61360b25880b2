/// A profile of the shared files, with what its credentials file says winning over its configuration file.
struct SharedProfile: Equatable {
    struct Value: Equatable {
        var text: String
        var nested: [String: String]
        /// `path:line`.
        var place: String
        var isFromCredentialsFile: Bool
    }

    var name: String
    var values: [String: Value] = [:]

    /// The value of a key; an empty one counts as not set.
    subscript(key: String) -> String? {
        guard let text = values[key]?.text, !text.isEmpty else { return nil }
        return text
    }
}

/// Everything in `~/.aws/config` and `~/.aws/credentials` (or where the environment says they are).
struct SharedProfiles: Equatable {
    var configPath: String?
    var credentialsPath: String?
    var profiles: [String: SharedProfile] = [:]
    var ssoSessions: [String: SharedProfile] = [:]
    var services: [String: SharedProfile] = [:]

    /// - Throws: where a file is there and cannot be read or understood.
    static func load(_ collaborators: AWSCollaborators) async throws(AWSConfigurationError) -> SharedProfiles {
        var result = SharedProfiles()
        result.configPath = path("AWS_CONFIG_FILE", "config", collaborators)
        result.credentialsPath = path("AWS_SHARED_CREDENTIALS_FILE", "credentials", collaborators)
        if let file = try await file(result.configPath, collaborators) { result.addConfig(file) }
        if let file = try await file(result.credentialsPath, collaborators) { result.addCredentials(file) }
        return result
    }

    /// Where the files were looked for, for messages.
    var places: String { [configPath, credentialsPath].compactMap { $0 }.joined(separator: " and ") }

    private static func path(_ variable: String, _ name: String, _ collaborators: AWSCollaborators) -> String? {
        if let path = collaborators.variable(variable) { return collaborators.expandingHome(path) }
        return collaborators.homeDirectory.map { "\($0)/.aws/\(name)" }
    }

    private static func file(
        _ path: String?, _ collaborators: AWSCollaborators
    ) async throws(AWSConfigurationError) -> INIFile? {
        guard let path else { return nil }
        switch await collaborators.readFile(path) {
        case .absent: return nil
        case .unreadable(let reason):
            throw AWSConfigurationError("the file cannot be read: \(reason)", place: path)
        case .content(let bytes): return try INIFile.parse(bytes, path: path)
        }
    }

    private mutating func addConfig(_ file: INIFile) {
        // `[profile default]` wins over `[default]`, which therefore comes first.
        let sections = file.sections.sorted { $0.name == "default" && $1.name != "default" }
        for section in sections {
            let parts = section.name.split(maxSplits: 1) { $0 == " " || $0 == "\t" }
            let name = parts.count > 1 ? Self.unquoted(String(parts[1]).trimmedBlanks) : ""
            switch parts.first {
            case "default" where parts.count == 1: Self.merge(section, file, "default", into: &profiles)
            case "profile" where parts.count == 2: Self.merge(section, file, name, into: &profiles)
            case "sso-session" where parts.count == 2: Self.merge(section, file, name, into: &ssoSessions)
            case "services" where parts.count == 2: Self.merge(section, file, name, into: &services)
            default: break
            }
        }
    }

    private mutating func addCredentials(_ file: INIFile) {
        for section in file.sections {
            Self.merge(section, file, Self.unquoted(section.name), into: &profiles, isCredentials: true)
        }
    }

    private static func merge(
        _ section: INIFile.Section, _ file: INIFile, _ name: String, into profiles: inout [String: SharedProfile],
        isCredentials: Bool = false
    ) {
        var profile = profiles[name] ?? SharedProfile(name: name)
        for (key, value) in section.values {
            profile.values[key] = SharedProfile.Value(
                text: value.text, nested: value.nested, place: "\(file.path):\(value.line)",
                isFromCredentialsFile: isCredentials)
        }
        profiles[name] = profile
    }

    private static func unquoted(_ name: String) -> String {
        guard name.count >= 2, let quote = name.first, quote == "\"" || quote == "'", name.last == quote else {
            return name
        }
        return String(name.dropFirst().dropLast())
    }
}

extension AWSCollaborators {
    /// A variable of the environment; an empty one counts as not set.
    func variable(_ name: String) -> String? {
        guard let value = environment[name], !value.isEmpty else { return nil }
        return value
    }

    func expandingHome(_ path: String) -> String {
        guard let homeDirectory, path == "~" || path.hasPrefix("~/") else { return path }
        return homeDirectory + path.dropFirst()
    }
}
