import HTTPTransport

extension AWSConfiguration {
    /// Settles the configuration from muster's own settings, the environment and the shared files, in this order.
    ///
    /// - Parameter version: of muster, for the `User-Agent`.
    /// - Throws: for a missing or malformed region, an unknown profile, a file that cannot be understood.
    package static func load(
        _ provider: AWSAccessSettings, _ collaborators: AWSCollaborators, version: String
    ) async throws(AWSConfigurationError) -> AWSConfiguration {
        let profiles = try await SharedProfiles.load(collaborators)
        return try AWSConfigurationLoader(provider: provider, collaborators: collaborators, profiles: profiles)
            .load(version: version)
    }
}

/// Pure: everything that was read is handed in.
struct AWSConfigurationLoader {
    let provider: AWSAccessSettings
    let collaborators: AWSCollaborators
    let profiles: SharedProfiles

    /// The profile's name, and what chose it; `nil`: nobody did, it is the default.
    var chosenProfile: (name: String, chosenBy: String)? {
        if let name = provider.profile { return (name, "the configuration") }
        for variable in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
            if let name = collaborators.variable(variable) { return (name, variable) }
        }
        return nil
    }

    private var profile: SharedProfile {
        let name = chosenProfile?.name ?? "default"
        return profiles.profiles[name] ?? SharedProfile(name: name)
    }

    func load(version: String) throws(AWSConfigurationError) -> AWSConfiguration {
        if let chosen = chosenProfile, profiles.profiles[chosen.name] == nil, chosen.name != "default" {
            throw AWSConfigurationError(
                "there is no profile \"\(chosen.name)\" in \(profiles.places); it was chosen by \(chosen.chosenBy)",
                hint: profiles.profiles.isEmpty
                    ? nil : "there are: " + profiles.profiles.keys.sorted().joined(separator: ", "),
                concernsCredentials: true)
        }
        var configuration = AWSConfiguration(region: try region(), profile: profile.name)
        configuration.endpoints = try endpoints()
        guard !configuration.endpoints.usesFIPS || configuration.partition != .china else {
            throw AWSConfigurationError("there are no FIPS endpoints in China, and FIPS is asked for")
        }
        configuration.transport = transport()
        configuration.retry = try retry()
        configuration.userAgent = userAgent(version, configuration.retry.mode)
        return configuration
    }

    private func region() throws(AWSConfigurationError) -> String {
        let found =
            provider.region ?? collaborators.variable("AWS_REGION") ?? collaborators.variable("AWS_DEFAULT_REGION")
            ?? profile["region"]
        guard let found else {
            throw AWSConfigurationError(
                "no region: neither the workspace, AWS_REGION, AWS_DEFAULT_REGION nor profile \"\(profile.name)\" "
                    + "names one",
                hint: "add \"region: us-east-1\" to muster.yaml")
        }
        let isPlausible = found.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d
        }
        guard isPlausible else { throw AWSConfigurationError("\"\(found)\" is not a region's name") }
        return found
    }

    // MARK: - Endpoints

    private func endpoints() throws(AWSConfigurationError) -> AWSEndpoints {
        var endpoints = AWSEndpoints()
        endpoints.usesFIPS = try flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")
        endpoints.usesDualStack = try flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")
        endpoints.explicitURL = provider.endpointURL
        if let url = provider.endpointURL { try check(url, "the configured endpoint") }
        guard try !flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls") else {
            return endpoints
        }
        let prefix = "AWS_ENDPOINT_URL_"
        for (name, url) in collaborators.environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix(prefix) && !url.isEmpty {
            try check(url, name)
            endpoints.environmentServiceURLs[name.dropFirst(prefix.count).lowercased()] = url
        }
        if let url = collaborators.variable("AWS_ENDPOINT_URL") {
            try check(url, "AWS_ENDPOINT_URL")
            endpoints.environmentURL = url
        }
        if let name = profile["services"] {
            guard let section = profiles.services[name] else {
                throw AWSConfigurationError(
                    "profile \"\(profile.name)\" names the section [services \(name)], which is not there",
                    place: profile.values["services"]?.place)
            }
            for (service, value) in section.values.sorted(by: { $0.key < $1.key }) {
                guard let url = value.nested["endpoint_url"] else { continue }
                try check(url, "endpoint_url of \(service)", value.place)
                endpoints.profileServiceURLs[service] = url
            }
        }
        if let url = profile["endpoint_url"] {
            try check(url, "endpoint_url", profile.values["endpoint_url"]?.place)
            endpoints.profileURL = url
        }
        return endpoints
    }

    private func check(_ url: String, _ name: String, _ place: String? = nil) throws(AWSConfigurationError) {
        guard AWSEndpoint(url: url, signingRegion: "") == nil else { return }
        throw AWSConfigurationError(
            "\(name) is not a URL: \"\(url)\"", hint: "expected http://host:port or https://host", place: place)
    }

    // MARK: - Transport, retries

    private func transport() -> CurlHTTPClient.Settings {
        func either(_ name: String) -> String? {
            collaborators.variable(name) ?? collaborators.variable(name.uppercased())
        }
        let all = either("all_proxy")
        return CurlHTTPClient.Settings(
            caBundle: (collaborators.variable("AWS_CA_BUNDLE") ?? profile["ca_bundle"])
                .map(collaborators.expandingHome),
            httpProxy: either("http_proxy") ?? all, httpsProxy: either("https_proxy") ?? all,
            noProxy: either("no_proxy") ?? "")
    }

    private func retry() throws(AWSConfigurationError) -> AWSConfiguration.RetrySettings {
        var retry = AWSConfiguration.RetrySettings()
        if let mode = collaborators.variable("AWS_RETRY_MODE") ?? profile["retry_mode"] {
            guard ["standard", "adaptive", "legacy"].contains(mode.lowercased()) else {
                throw AWSConfigurationError(
                    "\"\(mode)\" is not a retry mode", hint: "expected standard, adaptive or legacy")
            }
            retry.mode = mode.lowercased()
        }
        if let text = collaborators.variable("AWS_MAX_ATTEMPTS") ?? profile["max_attempts"] {
            guard let attempts = Int(text), attempts >= 1 else {
                throw AWSConfigurationError("\"\(text)\" is not a number of attempts", hint: "expected 1 or more")
            }
            retry.maxAttempts = attempts
        }
        return retry
    }

    private func flag(_ variable: String, _ key: String) throws(AWSConfigurationError) -> Bool {
        guard let text = collaborators.variable(variable) ?? profile[key] else { return false }
        switch text.lowercased() {
        case "true": return true
        case "false": return false
        default:
            throw AWSConfigurationError(
                "\(collaborators.variable(variable) == nil ? key : variable) is \"\(text)\"",
                hint: "expected true or false", place: profile.values[key]?.place)
        }
    }

    private func userAgent(_ version: String, _ retryMode: String) -> String {
        var parts = ["muster/\(Self.token(version))", "ua/2.1", "lang/swift", "cfg/retry-mode#\(retryMode)"]
        if let id = collaborators.variable("AWS_SDK_UA_APP_ID") ?? profile["sdk_ua_app_id"] {
            parts.append("app/\(Self.token(id))")
        }
        return parts.joined(separator: " ")
    }

    /// Only the characters that the convention allows, 50 of them at most.
    private static func token(_ text: String) -> String {
        String(
            text.prefix(50).map { character in
                let isAllowed =
                    character.isASCII
                    && (character.isLetter || character.isNumber || "!$%&'*+-.^_`|~,".contains(character))
                return isAllowed ? character : "-"
            })
    }
}
