import MusterModel
import ProviderKit

/// Every type of the provider, in the order of the reference page. A test finds a file missing from it.
enum Catalog {
    private static let types = HandlerTable<RancherSession>([
        .init("rancher.server", Server.init),
        .init("rancher.setting", Setting.init),
        .init("rancher.environment", Environment.init),
        .init("rancher.registration_token", RegistrationToken.init),
        .init("rancher.api_key", APIKey.init),
        .init("rancher.registry", Registry.init),
        .init("rancher.registry_credential", RegistryCredential.init),
        .init("rancher.stack", Stack.init),
        .init("rancher.service", Service.init),
        .init("rancher.certificate", Certificate.init),
        .init("rancher.secret", StoredSecret.init),
        .init("rancher.service_account", ServiceAccount.init),
        .init("rancher.local_access_control", LocalAccessControl.init),
        .init("rancher.github_access_control", GitHubAccessControl.init),
    ])

    static let schemas = MusterModel.Catalog(types.schemas, lookups: { [] })

    static func handler(for type: ResourceType, in session: RancherSession) -> (any ResourceHandler)? {
        types.handler(for: type, in: session)
    }
}
