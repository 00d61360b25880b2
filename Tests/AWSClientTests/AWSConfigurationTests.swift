import FoundationEssentials
import HTTPTransport
import Testing

@testable import AWSClient

@Suite struct AWSConfigurationTests {
    private func load(
        _ environment: [String: String] = [:], config: String = "", credentials: String = "",
        _ provider: AWSAccessSettings = AWSAccessSettings()
    ) async throws(AWSConfigurationError) -> AWSConfiguration {
        let world = FakeWorld(
            environment: environment,
            files: ["/home/ann/.aws/config": config, "/home/ann/.aws/credentials": credentials])
        return try await AWSConfiguration.load(provider, world.collaborators, version: "1.2")
    }

    private func error(
        _ environment: [String: String] = [:], config: String = "",
        _ provider: AWSAccessSettings = AWSAccessSettings()
    ) async -> AWSConfigurationError? {
        do {
            _ = try await load(environment, config: config, provider)
            return nil
        } catch {
            return error
        }
    }

    // MARK: - Region and profile

    @Test("The region comes from the workspace, AWS_REGION, AWS_DEFAULT_REGION, the profile, in this order")
    func region() async throws {
        var environment = ["AWS_REGION": "r2", "AWS_DEFAULT_REGION": "r3"]
        let config = "[default]\nregion = r4\n"
        #expect(try await load(environment, config: config, AWSAccessSettings(region: "r1")).region == "r1")
        #expect(try await load(environment, config: config).region == "r2")
        environment["AWS_REGION"] = ""
        #expect(try await load(environment, config: config).region == "r3")
        #expect(try await load(config: config).region == "r4")
        #expect(await error()?.message.contains("no region") == true)
        #expect(await error(["AWS_REGION": "us-east-1/evil"])?.message.contains("is not a region") == true)
    }

    @Test("The profile comes from the workspace, AWS_PROFILE, AWS_DEFAULT_PROFILE, in this order")
    func profile() async throws {
        let config =
            "[profile a]\nregion=ra\n[profile b]\nregion=rb\n[profile \"c d\"]\nregion=rc\n[default]\nregion=rd\n"
        let environment = ["AWS_PROFILE": "b", "AWS_DEFAULT_PROFILE": "c d"]
        #expect(try await load(environment, config: config, AWSAccessSettings(profile: "a")).region == "ra")
        #expect(try await load(environment, config: config).region == "rb")
        #expect(try await load(["AWS_DEFAULT_PROFILE": "c d"], config: config).region == "rc")
        #expect(try await load(config: config).region == "rd")
    }

    @Test("A profile that is not there is named, with who chose it and what there is")
    func unknownProfile() async {
        let error = await error(["AWS_PROFILE": "pord"], config: "[profile prod]\nregion=r\n[profile dev]\nregion=r\n")
        #expect(error?.message.contains("\"pord\"") == true && error?.message.contains("AWS_PROFILE") == true)
        #expect(error?.hint == "there are: dev, prod")
    }

    @Test("[profile default] wins over [default], and the credentials file over both")
    func mergedProfiles() async throws {
        let world = FakeWorld(files: [
            "/home/ann/.aws/config": "[profile default]\na=1\n[default]\na=2\nb=2\nc=2\n",
            "/home/ann/.aws/credentials": "[default]\nc=3\n",
        ])
        let profile = try await SharedProfiles.load(world.collaborators).profiles["default"]
        #expect(profile?["a"] == "1" && profile?["b"] == "2" && profile?["c"] == "3")
    }

    @Test("The files may be elsewhere; a broken one is named with its line")
    func files() async throws {
        let world = FakeWorld(
            environment: ["AWS_CONFIG_FILE": "~/c", "AWS_SHARED_CREDENTIALS_FILE": "/s"],
            files: ["/home/ann/c": "[default]\nregion=r\n", "/s": "[default]\nbroken\n"])
        do {
            _ = try await SharedProfiles.load(world.collaborators)
            Issue.record("accepted")
        } catch {
            #expect(error.place == "/s:2")
        }
        world.setFile("/s", .unreadable("permission denied"))
        await #expect(throws: AWSConfigurationError("the file cannot be read: permission denied", place: "/s")) {
            try await SharedProfiles.load(world.collaborators)
        }
    }

    // MARK: - Endpoints

    @Test("Endpoint overrides rank: explicit, service variable, variable, services section, profile")
    func overrideOrder() async throws {
        let config = """
            [default]
            region = us-east-1
            services = local
            endpoint_url = http://five
            [services local]
            ec2 =
              endpoint_url = http://four
            """
        var environment = ["AWS_ENDPOINT_URL_EC2": "http://two", "AWS_ENDPOINT_URL": "http://three"]
        func url(_ service: AWSService, _ provider: AWSAccessSettings = AWSAccessSettings()) async throws
            -> String?
        {
            try await load(environment, config: config, provider).endpoints
                .endpoint(for: service, region: "us-east-1")?.endpoint.url
        }
        #expect(try await url(.ec2, AWSAccessSettings(endpointURL: "http://one")) == "http://one")
        #expect(try await url(.ec2) == "http://two")
        #expect(try await url(.iam) == "http://three")
        environment["AWS_ENDPOINT_URL_EC2"] = nil
        #expect(try await url(.ec2) == "http://three")
        environment["AWS_ENDPOINT_URL"] = nil
        #expect(try await url(.ec2) == "http://four")
        #expect(try await url(.iam) == "http://five")
        environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true"
        #expect(try await url(.ec2) == "https://ec2.us-east-1.amazonaws.com")
        #expect(try await url(.ec2, AWSAccessSettings(endpointURL: "http://one")) == "http://one")
    }

    @Test(
        "Each service has the variable that the SDKs give it",
        arguments: [
            (AWSService.ec2, "EC2"), (.autoscaling, "AUTO_SCALING"), (.cloudwatch, "CLOUDWATCH"), (.sns, "SNS"),
            (.elbv2, "ELASTIC_LOAD_BALANCING_V2"), (.rds, "RDS"), (.elasticache, "ELASTICACHE"), (.iam, "IAM"),
            (.route53, "ROUTE_53"), (.acm, "ACM"), (.ecr, "ECR"), (.s3, "S3"), (.ssm, "SSM"),
            (.secretsmanager, "SECRETS_MANAGER"), (.sts, "STS"),
            (.resourcegroupstaggingapi, "RESOURCE_GROUPS_TAGGING_API"),
        ])
    func serviceVariables(_ service: AWSService, _ name: String) async throws {
        let configuration = try await load(["AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_\(name)": "http://own:1"])
        #expect(configuration.endpoints.overrideURL(for: service.identifier) == "http://own:1")
        #expect(AWSService.all.filter { configuration.endpoints.overrideURL(for: $0.identifier) != nil } == [service])
    }

    @Test(
        "Genuine endpoints follow the partition",
        arguments: [
            (AWSService.ec2, "eu-central-1", "ec2.eu-central-1.amazonaws.com", "eu-central-1"),
            (.ecr, "us-east-1", "api.ecr.us-east-1.amazonaws.com", "us-east-1"),
            (.resourcegroupstaggingapi, "us-east-1", "tagging.us-east-1.amazonaws.com", "us-east-1"),
            (.cloudwatch, "cn-north-1", "monitoring.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            (.iam, "eu-west-1", "iam.amazonaws.com", "us-east-1"),
            (.iam, "cn-northwest-1", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            (.iam, "us-gov-east-1", "iam.us-gov.amazonaws.com", "us-gov-west-1"),
            (.route53, "eu-west-1", "route53.amazonaws.com", "us-east-1"),
            (.route53, "cn-north-1", "route53.amazonaws.com.cn", "cn-northwest-1"),
            (.route53, "us-gov-west-1", "route53.us-gov.amazonaws.com", "us-gov-west-1"),
            (.sts, "us-gov-west-1", "sts.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            (.s3, "eu-west-1", "s3.eu-west-1.amazonaws.com", "eu-west-1"),
        ])
    func genuine(_ service: AWSService, _ region: String, _ host: String, _ signingRegion: String) throws {
        let endpoint = try #require(AWSEndpoints().endpoint(for: service, region: region)?.endpoint)
        #expect(endpoint.url == "https://\(host)" && endpoint.signingRegion == signingRegion)
    }

    @Test("Every genuine host is the one that AWS's own endpoint rules give, FIPS and dual-stack included")
    func hosts() throws {
        // Lines of `service region fips dualstack host`, as botocore 1.43 resolves them.
        let path = "\(#filePath)".split(separator: "/").dropLast().joined(separator: "/")
        let data = try Data(contentsOf: URL(fileURLWithPath: "/\(path)/Goldens/endpoints.txt"))
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
        #expect(lines.count > 250)
        for line in lines {
            let parts = line.split(separator: " ").map { String($0) }
            var endpoints = AWSEndpoints()
            endpoints.usesFIPS = parts[2] == "1"
            endpoints.usesDualStack = parts[3] == "1"
            let service = try #require(AWSService.all.first { $0.name == parts[0] })
            #expect(endpoints.endpoint(for: service, region: parts[1])?.endpoint.host == parts[4], "\(line)")
        }
    }

    @Test("FIPS where there is none is refused")
    func noFIPS() async {
        let error = await error(["AWS_REGION": "cn-north-1", "AWS_USE_FIPS_ENDPOINT": "true"])
        #expect(error?.message.contains("no FIPS endpoints in China") == true)
    }

    @Test("An override keeps the signing region")
    func overrideSigning() throws {
        var endpoints = AWSEndpoints()
        endpoints.explicitURL = "HTTP://LocalHost:80/base/"
        let endpoint = try #require(endpoints.endpoint(for: .iam, region: "eu-west-1")?.endpoint)
        #expect(endpoint.url == "http://localhost/base" && endpoint.signingRegion == "us-east-1" && endpoint.isCustom)
    }

    @Test(
        "What is no endpoint URL is refused, with the name of the setting",
        arguments: [
            "localhost:5000", "ftp://h", "http://", "http://h?x", "http://h#x", "http://u:p@h", "http://h:/",
            "http://a b",
        ])
    func badURL(_ url: String) async {
        #expect(AWSEndpoint(url: url, signingRegion: "r") == nil)
        let error = await error(["AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": url])
        #expect(error?.message.contains("AWS_ENDPOINT_URL_S3") == true)
    }

    @Test(
        "The endpoint identity tells installations apart",
        arguments: [
            ([:], "us-east-1", "aws"), ([:], "cn-north-1", "aws-cn"), ([:], "us-gov-west-1", "aws-us-gov"),
            (["AWS_ENDPOINT_URL": "http://127.0.0.1:5000/"], "us-east-1", "http://127.0.0.1:5000"),
            (["AWS_ENDPOINT_URL": "HTTP://127.0.0.1:5000"], "us-east-1", "http://127.0.0.1:5000"),
            (["AWS_ENDPOINT_URL_S3": "https://minio:9000"], "us-east-1", "aws;s3=https://minio:9000"),
            (["AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": "http://a/"], "us-east-1", "http://a"),
            (["AWS_ENDPOINT_URL_EC2": "https://vpce-1.ec2.us-east-1.vpce.amazonaws.com"], "us-east-1", "aws"),
            (
                ["AWS_ENDPOINT_URL": "https://ec2.amazonaws.com.evil.example"], "us-east-1",
                "https://ec2.amazonaws.com.evil.example"
            ),
            (["AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"], "us-east-1", "aws"),
        ] as [([String: String], String, String)])
    func identity(_ environment: [String: String], _ region: String, _ expected: String) async throws {
        #expect(try await load(environment, AWSAccessSettings(region: region)).endpointIdentity == expected)
    }

    // MARK: - The rest

    @Test("Proxies are taken in either case, lower case first; the CA bundle from the environment or the profile")
    func transport() async throws {
        var environment = [
            "AWS_REGION": "r", "HTTPS_PROXY": "http://p:1", "HTTP_PROXY": "http://p:2", "NO_PROXY": "a,b",
            "AWS_CA_BUNDLE": "~/ca.pem",
        ]
        var transport = try await load(environment).transport
        #expect(transport.httpsProxy == "http://p:1" && transport.httpProxy == "http://p:2")
        #expect(transport.noProxy == "a,b" && transport.caBundle == "/home/ann/ca.pem")
        environment["https_proxy"] = "http://q:1"
        environment["no_proxy"] = "*"
        environment["AWS_CA_BUNDLE"] = nil
        transport = try await load(environment, config: "[default]\nca_bundle=/x.pem\n").transport
        #expect(transport.httpsProxy == "http://q:1" && transport.noProxy == "*" && transport.caBundle == "/x.pem")
        #expect(try await load(["AWS_REGION": "r"]).transport == CurlHTTPClient.Settings())
        #expect(try await load(["AWS_REGION": "r", "ALL_PROXY": "http://z"]).transport.httpsProxy == "http://z")
    }

    @Test("Retry settings and flags are checked")
    func retry() async throws {
        let region = ["AWS_REGION": "r"]
        let retry = try await load(
            region.merging(["AWS_MAX_ATTEMPTS": "5"]) { $1 }, config: "[default]\nretry_mode=adaptive\nmax_attempts=2\n"
        ).retry
        #expect(retry.maxAttempts == 5 && retry.mode == "adaptive")
        for bad in ["AWS_MAX_ATTEMPTS": "0", "AWS_RETRY_MODE": "never", "AWS_USE_FIPS_ENDPOINT": "yes"] {
            #expect(await error(region.merging([bad.key: bad.value]) { $1 }) != nil)
        }
    }

    @Test("The user agent keeps to the characters that are allowed")
    func userAgent() async throws {
        let configuration = try await load(["AWS_REGION": "r", "AWS_SDK_UA_APP_ID": "my app/ä"])
        #expect(
            configuration.userAgent == "muster/1.2 ua/2.1 lang/swift cfg/retry-mode#standard app/my-app--")
    }
}
