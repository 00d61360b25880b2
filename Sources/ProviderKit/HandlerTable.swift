package import MusterModel

/// The resource types of a provider, each with its schema and its handler in a session of the provider.
package struct HandlerTable<Session: Sendable>: Sendable {
    package struct Entry: Sendable {
        let type: ResourceType
        let schema: @Sendable () -> ResourceSchema
        let handler: @Sendable (Session) -> any ResourceHandler

        /// - Parameter type: as the schema says it, which is not made for its name alone.
        package init<Resource: ManagedResource>(
            _ type: ResourceType, _ make: @escaping @Sendable (Session) -> Resource
        ) {
            self.type = type
            schema = { Resource.schema.resource }
            handler = { TypedHandler(make($0)) }
        }
    }

    private let entries: [Entry]
    private let index: [ResourceType: Entry]

    package init(_ entries: [Entry]) {
        self.entries = entries
        index = Dictionary(entries.map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// In their order, which is that of the reference page.
    package var schemas: [Catalog.Entry] { entries.map { Catalog.Entry($0.type, schema: $0.schema) } }

    package func handler(for type: ResourceType, in session: Session) -> (any ResourceHandler)? {
        index[type]?.handler(session)
    }
}
