import MusterModel
import ProviderKit

/// Every type of the provider, in the order of the reference page. A test finds a file missing from it.
enum Catalog {
    static let handlers = HandlerTable<SpotSession>([.init("spot.elastigroup", Elastigroup.init)])
    static let schemas = MusterModel.Catalog(handlers.schemas, lookups: { [] })
}
