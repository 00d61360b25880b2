// Which listings to fetch, fetched once, → observations. Reads only; knows no resource type and decides nothing.

package import MusterModel
package import ProviderKit
package import ResourceGraph

/// Looks at the cloud.
package struct Refresher: Sendable {
    private let provider: any Provider
    private let catalog: Catalog

    package init(provider: any Provider, catalog: Catalog) {
        self.provider = provider
        self.catalog = catalog
    }

    /// How long what muster has just made may not be visible, and how to wait for it.
    package struct Patience: Sendable {
        private let window: @Sendable (ProviderScope) -> Duration
        private let elapsed: @Sendable () -> Duration
        private let pause: @Sendable (Duration) async -> Void
        private let tell: @Sendable ([Address]) -> Void

        /// - Parameters:
        ///   - window: of an installation: what is older is seen by every look.
        ///   - elapsed: time since the snapshot was read.
        ///   - tell: hears once of what is being waited for.
        package init(
            window: @escaping @Sendable (ProviderScope) -> Duration, elapsed: @escaping @Sendable () -> Duration,
            pause: @escaping @Sendable (Duration) async -> Void,
            tell: @escaping @Sendable ([Address]) -> Void = { _ in }
        ) {
            self.tell = tell
            self.window = window
            self.elapsed = elapsed
            self.pause = pause
        }

        /// Waits for nothing.
        package static let none = Patience(window: { _ in .zero }, elapsed: { .zero }, pause: { _ in })

        fileprivate var now: Duration { elapsed() }

        /// - Parameter asked: when the look was asked for; it tells of no later moment, however late its answer is.
        fileprivate func mayBeHidden(_ age: Duration, at asked: Duration, in scope: ProviderScope) -> Bool {
            age + asked < window(scope)
        }

        fileprivate func rest(_ duration: Duration) async { await pause(duration) }
        fileprivate func told(_ hidden: [Address]) { tell(hidden.sorted()) }
    }

    /// What failed, and while reading what.
    package struct Failure: Error, Sendable {
        package let what: String
        package let error: ProviderError
    }

    /// Everything that the state knows, the children of those that own them, and what is to be imported.
    ///
    /// - Parameters:
    ///   - configurations: by stack; a stack that is gone from the workspace is read with the first of them.
    ///   - isWanted: resources that the run is not about are not read.
    ///   - patience: with what was made so lately that a look may not see it yet.
    package func refresh(
        _ snapshot: Snapshot, spec: LinkedSpec, imports: [ImportDeclaration],
        configurations: [String: ProviderConfiguration], isWanted: @Sendable (Address) -> Bool,
        patience: Patience = .none
    ) async throws(Failure) -> Observations {
        var observations = Observations()
        for group in groups(snapshot, spec, configurations, isWanted) {
            let seen = try await read(group, patience)
            observations.objects.merge(seen.objects) { _, new in new }
            observations.children.merge(seen.children) { _, new in new }
        }
        for declaration in imports where snapshot.records[declaration.address] == nil {
            let configuration = configurations[declaration.address.stack] ?? ProviderConfiguration()
            observations.imports[declaration.address] = try await readImport(
                declaration, configuration, spec.positions[declaration.address].map { spec.declarations[$0] })
        }
        return observations
    }

    /// The objects that one set of credentials reaches in one region.
    private struct Group: Sendable {
        var configuration: ProviderConfiguration
        var ages: [RemoteID: (age: Duration, scope: ProviderScope)] = [:]
        var objects: [ResourceType: [KnownObject]] = [:]
        var addresses: [ResourceType: [RemoteID: Address]] = [:]
        /// Child type → parents whose whole set of children is owned.
        var parents: [ResourceType: [RemoteID: Address]] = [:]
    }

    private func groups(
        _ snapshot: Snapshot, _ spec: LinkedSpec, _ configurations: [String: ProviderConfiguration],
        _ isWanted: (Address) -> Bool
    ) -> [Group] {
        var groups: [ProviderConfiguration: Group] = [:]
        let fallback = configurations.min { $0.key < $1.key }?.value ?? ProviderConfiguration()
        for (address, record) in snapshot.records.sorted(by: { $0.key < $1.key }) where isWanted(address) {
            guard catalog[address.type] != nil else { continue }
            var configuration = configurations[address.stack] ?? fallback
            if !record.scope.region.isEmpty { configuration.region = record.scope.region }
            let declaration = spec.positions[address].map { spec.declarations[$0] }
            var declared = Set(record.arguments.keys)
            if let declaration { declared.formUnion(declaration.arguments.keys) }
            var group = groups[configuration] ?? Group(configuration: configuration)
            group.objects[address.type, default: []].append(
                KnownObject(id: record.id, arguments: record.arguments, declared: declared))
            group.addresses[address.type, default: [:]][record.id] = address
            if let age = snapshot.ages[record.id] { group.ages[record.id] = (age, record.scope) }
            for child in declaration?.exclusiveChildren ?? [] {
                group.parents[child, default: [:]][record.id] = address
            }
            groups[configuration] = group
        }
        return groups.values.sorted { ($0.configuration.region ?? "") < ($1.configuration.region ?? "") }
    }

    private func read(_ group: Group, _ patience: Patience) async throws(Failure) -> Observations {
        var observations = Observations()
        var missing: [ResourceType: [KnownObject]] = [:]
        let session = try await session(group.configuration, group.objects)
        for (type, result) in await readAll(group.objects, in: session) {
            let found = try unwrap(result, type.rawValue)
            for object in group.objects[type] ?? [] {
                guard let address = group.addresses[type]?[object.id] else { continue }
                if let observation = found[object.id] {
                    observations.objects[address] = .some(observation)
                } else {
                    missing[type, default: []].append(object)
                }
            }
        }
        for (child, parents) in group.parents.sorted(by: { $0.key < $1.key }) {
            let children = try await self.children(child, of: parents, in: session)
            for (parent, members) in children { observations.children[parent, default: [:]][child] = members }
        }
        var rest = Duration.seconds(1)
        while !missing.isEmpty {
            // Reads can go backwards: what seems gone is looked at once more before it is called gone, and what is new
            // until it would be seen.
            let asked = patience.now
            let second = try await self.session(group.configuration, missing)
            var hidden: [ResourceType: [KnownObject]] = [:]
            for (type, result) in await readAll(missing, in: second) {
                let found = try unwrap(result, type.rawValue)
                for object in missing[type] ?? [] {
                    guard let address = group.addresses[type]?[object.id] else { continue }
                    observations.objects[address] = .some(found[object.id])
                    if found[object.id] == nil, let young = group.ages[object.id],
                        patience.mayBeHidden(young.age, at: asked, in: young.scope)
                    {
                        hidden[type, default: []].append(object)
                    }
                }
            }
            missing = hidden
            if hidden.isEmpty || Task.isCancelled { break }
            if rest == .seconds(1) {
                patience.told(hidden.flatMap { type, objects in objects.compactMap { group.addresses[type]?[$0.id] } })
            }
            await patience.rest(rest)
            rest = min(rest * 2, .seconds(10))
        }
        return observations
    }

    private func readAll(
        _ objects: [ResourceType: [KnownObject]], in session: any ProviderSession
    ) async -> [(ResourceType, Result<[RemoteID: Observation], ProviderError>)] {
        await withTaskGroup(
            of: (ResourceType, Result<[RemoteID: Observation], ProviderError>).self
        ) { tasks in
            // In an order of its own, so that the same seed of the simulator is the same history.
            for (type, known) in objects.sorted(by: { $0.key < $1.key }) {
                guard let handler = session.handler(for: type) else { continue }
                tasks.addTask {
                    // The tuple is made only when the answer is there: with the `try await` inside it, Swift 6.3 -O
                    // returns memory that was never written, and the process dies.
                    let answer: Result<[RemoteID: Observation], ProviderError>
                    do throws(ProviderError) {
                        answer = .success(try await handler.read(known))
                    } catch {
                        answer = .failure(error)
                    }
                    return (type, answer)
                }
            }
            var results: [(ResourceType, Result<[RemoteID: Observation], ProviderError>)] = []
            for await result in tasks { results.append(result) }
            return results.sorted { $0.0 < $1.0 }
        }
    }

    private func children(
        _ type: ResourceType, of parents: [RemoteID: Address], in session: any ProviderSession
    ) async throws(Failure) -> [Address: [Observation]] {
        guard let handler = session.handler(for: type), let parentArgument = handler.schema.parentArgument else {
            return [:]
        }
        let observations: [Observation]
        do {
            observations = try await handler.list(in: .children(of: parents.keys.sorted()))
        } catch {
            throw Failure(what: type.rawValue, error: error)
        }
        var children: [Address: [Observation]] = [:]
        for address in parents.values { children[address] = [] }
        for observation in observations {
            guard let parent = observation.arguments[parentArgument]?.string,
                let address = parents[RemoteID(parent)]
            else { continue }
            children[address, default: []].append(observation)
        }
        return children
    }

    private func readImport(
        _ declaration: ImportDeclaration, _ configuration: ProviderConfiguration, _ declared: Declaration?
    ) async throws(Failure) -> Observation? {
        let type = declaration.address.type
        let session = try await session(configuration, [:])
        guard let handler = session.handler(for: type) else { return nil }
        do {
            let id = try await handler.importID(declaration.id.rawValue)
            let known = KnownObject(
                id: id, declared: Set(declared.map { Array($0.arguments.keys) } ?? handler.schema.arguments.map(\.name))
            )
            return try await handler.read([known])[id]
        } catch {
            if error.kind == .notFound { return nil }
            throw Failure(what: declaration.address.description, error: error)
        }
    }

    private func session(
        _ configuration: ProviderConfiguration, _ expecting: [ResourceType: [KnownObject]]
    ) async throws(Failure) -> any ProviderSession {
        do {
            return try await provider.session(for: configuration, expecting: expecting)
        } catch {
            throw Failure(what: "the session", error: error)
        }
    }

    private func unwrap<Success>(
        _ result: Result<Success, ProviderError>, _ what: String
    ) throws(Failure) -> Success {
        do {
            return try result.get()
        } catch {
            throw Failure(what: what, error: error)
        }
    }
}
