// Where credentials come from: decided purely from the environment and the files, before anything is asked.

/// One source, with everything that is needed to ask it.
indirect enum CredentialSource: Equatable {
    struct Role: Equatable {
        var roleARN: String
        var sessionName: String?
        var externalID: String?
        var durationSeconds: Int?
        var mfaSerial: String?
        var label: String
    }

    struct WebIdentity: Equatable {
        var tokenFile: String
        var roleARN: String
        var sessionName: String?
        var label: String
    }

    struct SSO: Equatable {
        var profile: String
        /// The name of the `[sso-session …]`; `nil` in the legacy form.
        var session: String?
        var startURL: String
        var region: String
        var accountID: String
        var roleName: String

        var label: String { "profile \(profile): sso" }
    }

    /// Environment variables or keys in a file.
    case known(AWSCredentials)
    case assumeRole(Role, base: CredentialSource)
    case webIdentity(WebIdentity)
    case sso(SSO)
    case process(command: String, label: String)
    case container
    case instanceMetadata

    var label: String {
        switch self {
        case .known(let credentials): credentials.source
        case .assumeRole(let role, _): role.label
        case .webIdentity(let identity): identity.label
        case .sso(let sso): sso.label
        case .process(_, let label): label
        case .container: "container"
        case .instanceMetadata: "instance metadata"
        }
    }
}

/// Finds the source in the order of the SDKs; what it passes by is kept with the reason.
struct CredentialDecision: Equatable {
    private(set) var source: CredentialSource
    private(set) var skipped: [CredentialsError.Attempt]

    /// - Throws: for a source that is named but incomplete or contradictory; then no other is looked at, since the
    ///   wrong identity is worse than none.
    static func make(
        _ provider: AWSAccessSettings, _ collaborators: AWSCollaborators, _ profiles: SharedProfiles
    ) throws(CredentialsError) -> CredentialDecision {
        var maker = CredentialDecisionMaker(provider: provider, collaborators: collaborators, profiles: profiles)
        var source = try maker.decide()
        if let role = provider.assumeRole {
            source = .assumeRole(
                CredentialSource.Role(
                    roleARN: role.roleARN, sessionName: role.sessionName, externalID: role.externalID,
                    durationSeconds: role.durationSeconds, label: "assume_role \(role.roleARN)"),
                base: source)
        }
        return CredentialDecision(source: source, skipped: maker.skipped)
    }
}

private struct CredentialDecisionMaker {
    let provider: AWSAccessSettings
    let collaborators: AWSCollaborators
    let profiles: SharedProfiles
    var skipped: [CredentialsError.Attempt] = []

    init(provider: AWSAccessSettings, collaborators: AWSCollaborators, profiles: SharedProfiles) {
        self.provider = provider
        self.collaborators = collaborators
        self.profiles = profiles
    }

    private mutating func skip(_ source: String, _ reason: String) {
        skipped.append(CredentialsError.Attempt(source, reason))
    }

    private func failure(_ source: String, _ reason: String, hint: String? = nil) -> CredentialsError {
        CredentialsError(
            "the credentials that are configured cannot be used", attempts: skipped + [.init(source, reason)],
            hint: hint)
    }

    private func variable(_ name: String) -> String? { collaborators.variable(name) }

    mutating func decide() throws(CredentialsError) -> CredentialSource {
        let loader = AWSConfigurationLoader(provider: provider, collaborators: collaborators, profiles: profiles)
        let name = loader.chosenProfile?.name ?? "default"
        if provider.profile == nil {
            if let credentials = try environment() { return .known(credentials) }
            skip("environment variables", "AWS_ACCESS_KEY_ID is not set")
        } else {
            skip("environment variables", "not looked at: profile \(name) was chosen explicitly")
        }

        let profile = profiles.profiles[name]
        if let profile, isAssumeRole(profile) { return try assumeRole(profile, visited: []) }
        if provider.profile == nil, let identity = try environmentWebIdentity() { return .webIdentity(identity) }
        if let profile {
            if let source = try ofProfile(profile) { return source }
            skip(
                "profile \(name)",
                "it has none of role_arn, web_identity_token_file, sso_session, sso_start_url, aws_access_key_id and "
                    + "credential_process")
        } else {
            skip("profile \(name)", "there is no such profile in \(profiles.places)")
        }

        if hasContainer { return .container }
        skip(
            "container",
            "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set")
        return .instanceMetadata
    }

    private var hasContainer: Bool {
        variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != nil
            || variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") != nil
    }

    // MARK: - The environment

    private func environment() throws(CredentialsError) -> AWSCredentials? {
        let label = "environment variables"
        guard let accessKeyID = variable("AWS_ACCESS_KEY_ID") else {
            guard variable("AWS_SECRET_ACCESS_KEY") == nil else {
                throw failure(label, "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not")
            }
            return nil
        }
        guard let secret = variable("AWS_SECRET_ACCESS_KEY") else {
            throw failure(label, "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")
        }
        var expiration: Timestamp?
        if let text = variable("AWS_CREDENTIAL_EXPIRATION") {
            guard let time = Timestamp(iso8601: text) else {
                throw failure(label, "AWS_CREDENTIAL_EXPIRATION is not a time: \"\(text)\"")
            }
            expiration = time
        }
        return AWSCredentials(
            accessKeyID: accessKeyID, secretAccessKey: Secret(secret),
            sessionToken: (variable("AWS_SESSION_TOKEN") ?? variable("AWS_SECURITY_TOKEN")).map { Secret($0) },
            expiration: expiration, accountID: variable("AWS_ACCOUNT_ID"), source: label)
    }

    private mutating func environmentWebIdentity() throws(CredentialsError) -> CredentialSource.WebIdentity? {
        let label = "web identity"
        guard let tokenFile = variable("AWS_WEB_IDENTITY_TOKEN_FILE") else {
            skip(label, "AWS_WEB_IDENTITY_TOKEN_FILE is not set")
            return nil
        }
        guard let roleARN = variable("AWS_ROLE_ARN") else {
            throw failure(label, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not")
        }
        return CredentialSource.WebIdentity(
            tokenFile: tokenFile, roleARN: roleARN, sessionName: variable("AWS_ROLE_SESSION_NAME"), label: label)
    }

    // MARK: - Profiles

    private func isAssumeRole(_ profile: SharedProfile) -> Bool {
        profile["role_arn"] != nil && profile["web_identity_token_file"] == nil
    }

    private func hasStaticKeys(_ profile: SharedProfile) -> Bool {
        profile["aws_access_key_id"] != nil || profile["aws_secret_access_key"] != nil
    }

    /// Everything but assuming a role with another identity.
    private mutating func ofProfile(_ profile: SharedProfile) throws(CredentialsError) -> CredentialSource? {
        let label = "profile \(profile.name)"
        if let tokenFile = profile["web_identity_token_file"] {
            guard let roleARN = profile["role_arn"] else {
                throw failure("\(label): web_identity_token_file", "role_arn is not set")
            }
            return .webIdentity(
                CredentialSource.WebIdentity(
                    tokenFile: collaborators.expandingHome(tokenFile), roleARN: roleARN,
                    sessionName: profile["role_session_name"], label: "\(label): web_identity_token_file"))
        }
        if profile["sso_session"] != nil || profile["sso_start_url"] != nil { return .sso(try sso(profile)) }
        // Keys in the credentials file come before a process, keys in the configuration file after it.
        let keysAreInCredentialsFile = profile.values["aws_access_key_id"]?.isFromCredentialsFile == true
        if hasStaticKeys(profile), keysAreInCredentialsFile || profile["credential_process"] == nil {
            return .known(try staticKeys(profile))
        }
        if profile["login_session"] != nil {
            throw failure(
                "\(label): login_session", "sessions of \"aws login\" are not supported",
                hint: "use credential_process = aws configure export-credentials --profile \(profile.name)")
        }
        if let command = profile["credential_process"] {
            return .process(command: command, label: "\(label): credential_process")
        }
        return nil
    }

    private func staticKeys(_ profile: SharedProfile) throws(CredentialsError) -> AWSCredentials {
        let label = "profile \(profile.name)"
        guard let accessKeyID = profile["aws_access_key_id"], let secret = profile["aws_secret_access_key"] else {
            throw failure(label, "it has only one of aws_access_key_id and aws_secret_access_key")
        }
        return AWSCredentials(
            accessKeyID: accessKeyID, secretAccessKey: Secret(secret),
            sessionToken: profile["aws_session_token"].map { Secret($0) }, accountID: profile["aws_account_id"],
            source: label)
    }

    private func sso(_ profile: SharedProfile) throws(CredentialsError) -> CredentialSource.SSO {
        let label = "profile \(profile.name): sso"
        var settings = profile
        if let name = profile["sso_session"] {
            guard let session = profiles.ssoSessions[name] else {
                throw failure(label, "there is no section [sso-session \(name)] in \(profiles.configPath ?? "")")
            }
            for key in ["sso_start_url", "sso_region"] {
                if let own = profile[key], let shared = session[key], own != shared {
                    throw failure(label, "\(key) differs between the profile and [sso-session \(name)]")
                }
                settings.values[key] = session.values[key] ?? settings.values[key]
            }
        }
        let wanted = ["sso_start_url", "sso_region", "sso_account_id", "sso_role_name"]
        let missing = wanted.filter { settings[$0] == nil }
        guard missing.isEmpty, let startURL = settings["sso_start_url"], let region = settings["sso_region"],
            let accountID = settings["sso_account_id"], let roleName = settings["sso_role_name"]
        else { throw failure(label, "not set: \(missing.joined(separator: ", "))") }
        return CredentialSource.SSO(
            profile: profile.name, session: profile["sso_session"], startURL: startURL, region: region,
            accountID: accountID, roleName: roleName)
    }

    // MARK: - Assuming roles

    private mutating func assumeRole(
        _ profile: SharedProfile, visited: [String]
    ) throws(CredentialsError) -> CredentialSource {
        let label = "profile \(profile.name): role_arn"
        let visited = visited + [profile.name]
        var duration: Int?
        if let text = profile["duration_seconds"] {
            guard let seconds = Int(text), (900...43_200).contains(seconds) else {
                throw failure(label, "duration_seconds is \"\(text)\", not a number from 900 to 43200")
            }
            duration = seconds
        }
        let role = CredentialSource.Role(
            roleARN: profile["role_arn"] ?? "", sessionName: profile["role_session_name"],
            externalID: profile["external_id"], durationSeconds: duration, mfaSerial: profile["mfa_serial"],
            label: label)
        switch (profile["source_profile"], profile["credential_source"]) {
        case (_?, _?): throw failure(label, "it has both source_profile and credential_source")
        case (nil, nil): throw failure(label, "it has neither source_profile nor credential_source")
        case (let source?, nil): return .assumeRole(role, base: try base(source, of: profile, visited))
        case (nil, let source?): return .assumeRole(role, base: try base(credentialSource: source, label))
        }
    }

    private mutating func base(
        _ name: String, of profile: SharedProfile, _ visited: [String]
    ) throws(CredentialsError) -> CredentialSource {
        let label = "profile \(profile.name): source_profile"
        guard let source = profiles.profiles[name] else {
            throw failure(label, "there is no profile \(name) in \(profiles.places)")
        }
        // A profile may stand on its own keys.
        if name == profile.name, hasStaticKeys(source) { return .known(try staticKeys(source)) }
        guard !visited.contains(name) else {
            throw failure(label, "the profiles form a loop: \((visited + [name]).joined(separator: " → "))")
        }
        if hasStaticKeys(source), source["role_arn"] == nil || !isAssumeRole(source) {
            return .known(try staticKeys(source))
        }
        if isAssumeRole(source) {
            return hasStaticKeys(source)
                ? .known(try staticKeys(source)) : try assumeRole(source, visited: visited)
        }
        guard let found = try ofProfile(source) else { throw failure(label, "profile \(name) has no credentials") }
        return found
    }

    private func base(credentialSource: String, _ label: String) throws(CredentialsError) -> CredentialSource {
        switch credentialSource.lowercased() {
        case "environment":
            guard let credentials = try environment() else {
                throw failure(label, "credential_source is Environment, but AWS_ACCESS_KEY_ID is not set")
            }
            return .known(credentials)
        case "ec2instancemetadata": return .instanceMetadata
        case "ecscontainer":
            guard hasContainer else {
                throw failure(
                    label,
                    "credential_source is EcsContainer, but AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set")
            }
            return .container
        default:
            throw failure(
                label,
                "credential_source is \"\(credentialSource)\", not Environment, Ec2InstanceMetadata or EcsContainer")
        }
    }
}
