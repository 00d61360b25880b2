import Testing

@testable import AWSClient

@Suite struct CredentialDecisionTests {
    private func decide(
        _ environment: [String: String] = [:], config: String = "", credentials: String = "",
        _ provider: AWSAccessSettings = AWSAccessSettings()
    ) async throws -> CredentialDecision {
        let world = FakeWorld(
            environment: environment,
            files: ["/home/ann/.aws/config": config, "/home/ann/.aws/credentials": credentials])
        return try CredentialDecision.make(
            provider, world.collaborators, try await SharedProfiles.load(world.collaborators))
    }

    private func check(
        _ environment: [String: String] = [:], config: String = "", credentials: String = "",
        profile: String? = nil, is expected: String
    ) async {
        do {
            let decision = try await decide(
                environment, config: config, credentials: credentials, AWSAccessSettings(profile: profile))
            #expect(Self.text(decision.source) == expected)
        } catch let error as CredentialsError {
            #expect("error: \(error.attempts.last?.source ?? ""): \(error.attempts.last?.reason ?? "")" == expected)
        } catch {
            Issue.record(error)
        }
    }

    private static func text(_ source: CredentialSource) -> String {
        switch source {
        case .known(let credentials): "\(credentials.accessKeyID) (\(credentials.source))"
        case .assumeRole(let role, let base): "\(role.roleARN) ← \(text(base))"
        case .webIdentity(let identity): "\(identity.roleARN) by \(identity.tokenFile)"
        case .sso(let sso): "sso \(sso.session ?? "-") \(sso.startURL) \(sso.region) \(sso.accountID)/\(sso.roleName)"
        case .process(let command, _): "process \(command)"
        case .container: "container"
        case .instanceMetadata: "imds"
        }
    }

    private let keys = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s"]
    private let everything = """
        [default]
        role_arn = R
        source_profile = base
        credential_process = tool
        aws_access_key_id = CONFIG
        aws_secret_access_key = s
        [profile base]
        aws_access_key_id = BASE
        aws_secret_access_key = s
        [profile process]
        credential_process = tool --x
        aws_access_key_id = CONFIG
        aws_secret_access_key = s
        [profile static]
        aws_access_key_id = CONFIG
        aws_secret_access_key = s
        [profile sso]
        sso_session = corp
        sso_account_id = 1
        sso_role_name = Admin
        credential_process = tool
        [sso-session corp]
        sso_start_url = https://corp.awsapps.com/start
        sso_region = eu-west-1
        [profile legacy]
        sso_start_url = https://old
        sso_region = us-east-1
        sso_account_id = 2
        sso_role_name = Dev
        [profile web]
        role_arn = W
        web_identity_token_file = ~/token
        sso_session = corp
        [profile empty]
        region = r
        """

    @Test("Sources rank as in the SDKs")
    func order() async {
        let web = ["AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "W"]
        let container = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/c"]
        let all = keys.merging(web) { $1 }.merging(container) { $1 }
        let rest = web.merging(container) { $1 }
        await check(all, config: everything, is: "ENV (environment variables)")
        await check(rest, config: everything, is: "R ← BASE (profile base)")
        await check(rest.merging(["AWS_PROFILE": "static"]) { $1 }, config: everything, is: "W by /t")
        await check(
            container.merging(["AWS_PROFILE": "sso"]) { $1 }, config: everything,
            is: "sso corp https://corp.awsapps.com/start eu-west-1 1/Admin")
        await check(["AWS_PROFILE": "process"], config: everything, is: "process tool --x")
        await check(
            ["AWS_PROFILE": "process"], config: everything,
            credentials: "[process]\naws_access_key_id=FILE\naws_secret_access_key=s\n", is: "FILE (profile process)")
        await check(["AWS_PROFILE": "static"], config: everything, is: "CONFIG (profile static)")
        await check(["AWS_PROFILE": "legacy"], config: everything, is: "sso - https://old us-east-1 2/Dev")
        await check(["AWS_PROFILE": "web"], config: everything, is: "W by /home/ann/token")
        await check(container.merging(["AWS_PROFILE": "empty"]) { $1 }, config: everything, is: "container")
        await check(["AWS_PROFILE": "empty"], config: everything, is: "imds")
    }

    @Test("A profile chosen explicitly removes the environment; AWS_PROFILE does not")
    func explicitProfile() async {
        let web = keys.merging(["AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "W"]) { $1 }
        await check(web, config: everything, profile: "static", is: "CONFIG (profile static)")
        await check(
            web.merging(["AWS_PROFILE": "static"]) { $1 }, config: everything, is: "ENV (environment variables)")
    }

    @Test("Half an identity is an error, not a reason to take another")
    func halves() async {
        await check(
            ["AWS_ACCESS_KEY_ID": "A"], config: everything,
            is: "error: environment variables: AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")
        await check(
            ["AWS_SECRET_ACCESS_KEY": "A"], config: everything,
            is: "error: environment variables: AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not")
        await check(
            ["AWS_WEB_IDENTITY_TOKEN_FILE": "/t"],
            is: "error: web identity: AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not")
        await check(
            config: "[default]\naws_access_key_id = A\n",
            is: "error: profile default: it has only one of aws_access_key_id and aws_secret_access_key")
        await check(
            config: "[default]\nsso_start_url = u\n",
            is: "error: profile default: sso: not set: sso_region, sso_account_id, sso_role_name")
        await check(
            config: "[default]\nsso_session = x\n",
            is: "error: profile default: sso: there is no section [sso-session x] in /home/ann/.aws/config")
        await check(
            keys.merging(["AWS_CREDENTIAL_EXPIRATION": "soon"]) { $1 },
            is: "error: environment variables: AWS_CREDENTIAL_EXPIRATION is not a time: \"soon\"")
        await check(
            config: "[default]\nlogin_session = x\n",
            is: "error: profile default: login_session: sessions of \"aws login\" are not supported")
    }

    @Test("An SSO session that contradicts its profile is an error")
    func contradictorySSO() async {
        await check(
            config: "[default]\nsso_session=x\nsso_region=a\nsso_account_id=1\nsso_role_name=r\n"
                + "[sso-session x]\nsso_region=b\nsso_start_url=u\n",
            is: "error: profile default: sso: sso_region differs between the profile and [sso-session x]")
    }

    @Test("Roles chain through profiles, and a profile may stand on its own keys")
    func chains() async {
        await check(
            config: "[default]\nrole_arn=A\nsource_profile=b\n[profile b]\nrole_arn=B\nsource_profile=c\n"
                + "[profile c]\ncredential_process=tool\n", is: "A ← B ← process tool")
        await check(
            config: "[default]\nrole_arn=A\nsource_profile=default\naws_access_key_id=K\naws_secret_access_key=s\n",
            is: "A ← K (profile default)")
        await check(
            config: "[default]\nrole_arn=A\nsource_profile=b\n[profile b]\nsso_session=x\nsso_account_id=1\n"
                + "sso_role_name=r\n[sso-session x]\nsso_start_url=u\nsso_region=r\n",
            is: "A ← sso x u r 1/r")
        await check(
            keys, config: "[profile p]\nrole_arn=A\ncredential_source=Environment\n", profile: "p",
            is: "A ← ENV (environment variables)")
        await check(config: "[default]\nrole_arn=A\ncredential_source=Ec2InstanceMetadata\n", is: "A ← imds")
        await check(
            ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost/x"],
            config: "[default]\nrole_arn=A\ncredential_source=EcsContainer\n", is: "A ← container")
    }

    @Test("Loops and contradictions are found before anything is asked")
    func brokenChains() async {
        await check(
            config: "[default]\nrole_arn=A\nsource_profile=b\n[profile b]\nrole_arn=B\nsource_profile=default\n",
            is: "error: profile b: source_profile: the profiles form a loop: default → b → default")
        await check(
            config: "[default]\nrole_arn=A\nsource_profile=default\n",
            is: "error: profile default: source_profile: the profiles form a loop: default → default")
        await check(
            config: "[default]\nrole_arn=A\nsource_profile=nobody\n",
            is: "error: profile default: source_profile: there is no profile nobody in /home/ann/.aws/config and "
                + "/home/ann/.aws/credentials")
        await check(
            config: "[default]\nrole_arn=A\n",
            is: "error: profile default: role_arn: it has neither source_profile nor credential_source")
        await check(
            config: "[default]\nrole_arn=A\nsource_profile=b\ncredential_source=Environment\n",
            is: "error: profile default: role_arn: it has both source_profile and credential_source")
        await check(
            config: "[default]\nrole_arn=A\ncredential_source=Moon\n",
            is: "error: profile default: role_arn: credential_source is \"Moon\", not Environment, "
                + "Ec2InstanceMetadata or EcsContainer")
        await check(
            config: "[default]\nrole_arn=A\nsource_profile=b\n[profile b]\nregion=r\n",
            is: "error: profile default: source_profile: profile b has no credentials")
        await check(
            config: "[default]\nrole_arn=A\nsource_profile=b\nduration_seconds=60\n[profile b]\nregion=r\n",
            is: "error: profile default: role_arn: duration_seconds is \"60\", not a number from 900 to 43200")
    }

    @Test("A role that the spec wants assumed stands on what the chain finds")
    func specRole() async throws {
        let provider = AWSAccessSettings(assumeRole: .init(roleARN: "S", externalID: "e"))
        #expect(Self.text(try await decide(keys, provider).source) == "S ← ENV (environment variables)")
    }

    @Test("What was passed by is kept, with the reason")
    func skipped() async throws {
        let skipped = try await decide(config: "[profile x]\nregion=r\n").skipped
        #expect(
            skipped.map(\.source)
                == ["environment variables", "web identity", "profile default", "container"])
        #expect(skipped[2].reason.contains("there is no such profile in /home/ann/.aws/config"))
    }
}
