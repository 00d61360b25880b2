import MusterModel
import ProviderKit

/// Every type of the provider, in the order of the reference page. A test finds a file missing from it.
enum Catalog {
    private static let entries: [Entry] = [
        Entry("rancher.server", Server.init),
        Entry("rancher.setting", Setting.init),
        Entry("rancher.environment", Environment.init),
        Entry("rancher.registration_token", RegistrationToken.init),
        Entry("rancher.api_key", APIKey.init),
        Entry("rancher.registry", Registry.init),
        Entry("rancher.registry_credential", RegistryCredential.init),
        Entry("rancher.stack", Stack.init),
        Entry("rancher.service", Service.init),
        Entry("rancher.certificate", Certificate.init),
        Entry("rancher.secret", StoredSecret.init),
        Entry("rancher.service_account", ServiceAccount.init),
        Entry("rancher.local_access_control", LocalAccessControl.init),
    ]

    static let schemas = MusterModel.Catalog(
        entries.map { MusterModel.Catalog.Entry($0.type, schema: $0.schema) }, lookups: { [] })

    private static let index: [ResourceType: Entry] = Dictionary(
        entries.map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })

    static func handler(for type: ResourceType, in session: RancherSession) -> (any ResourceHandler)? {
        index[type]?.handler(session)
    }

    private struct Entry: Sendable {
        let type: ResourceType
        let schema: @Sendable () -> ResourceSchema
        let handler: @Sendable (RancherSession) -> any ResourceHandler

        /// - Parameter type: as the schema says it, which is not made for its name alone.
        init<Resource: ManagedResource>(
            _ type: ResourceType, _ make: @escaping @Sendable (RancherSession) -> Resource
        ) {
            self.type = type
            schema = { Resource.schema.resource }
            handler = { TypedHandler(make($0)) }
        }
    }
}
