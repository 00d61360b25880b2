package import MusterModel

// One call for several objects of a type. Which objects can share a call is data of the schema (`Batching`); how the
// call is made is here. Whoever applies a plan may use it or not: `create` and `delete` of one object do the same.

/// A resource type of which one call can make or delete several objects.
///
/// The contract:
/// - a call makes all of its objects or none, and deletes all or none: when the cloud refuses one, it refuses the call;
/// - the mark of a call is that of all its objects, so that `find` tells objects with the same mark apart by what they
///   are;
/// - it is never called with more objects than the schema's `batching` allows, nor with objects that it tells apart.
package protocol BatchedResource: ManagedResource {
    /// Makes the objects with one call, and tells of them in the order in which they were wanted; nil for one of which
    /// the answer does not tell.
    ///
    /// - Parameter intent: its token is that of every object's intent.
    func create(_ batch: [Arguments], intent: Intent) async throws(ProviderError) -> [Observed<Self>?]

    /// Deletes the objects with one call. Throws `.notFound` when one of them is gone.
    func delete(_ batch: [Known<Self>]) async throws(ProviderError)
}

/// A `BatchedResource` with its types erased.
package protocol BatchHandler: Sendable {
    func create(_ batch: [[String: Value]], intent: Intent) async throws(ProviderError) -> [Observation?]
    func delete(_ batch: [KnownObject]) async throws(ProviderError)
}

struct TypedBatchHandler<Resource: BatchedResource>: BatchHandler {
    private let resource: Resource

    init(_ resource: Resource) { self.resource = resource }

    func create(_ batch: [[String: Value]], intent: Intent) async throws(ProviderError) -> [Observation?] {
        var wanted: [Resource.Arguments] = []
        for values in batch { wanted.append(try decoded(values, of: Resource.type.rawValue)) }
        return try await resource.create(wanted, intent: intent).map { $0?.erased }
    }

    func delete(_ batch: [KnownObject]) async throws(ProviderError) {
        var known: [Known<Resource>] = []
        for object in batch {
            let arguments: Resource.Arguments = try decoded(object.arguments, of: Resource.type.rawValue)
            known.append(Known(id: object.id, arguments: arguments))
        }
        try await resource.delete(known)
    }
}
