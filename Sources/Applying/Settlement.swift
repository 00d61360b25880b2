package import MusterModel
import ProviderKit
import StateStorage

/// What became of a call of a dead run.
package struct Settlement: Sendable, Hashable {
    package var address: Address
    /// A sentence for a person.
    package var text: String
    /// False: nobody can tell yet; the address must not be touched.
    package var isSettled: Bool

    package init(address: Address, text: String, isSettled: Bool) {
        self.address = address
        self.text = text
        self.isSettled = isSettled
    }
}

/// Finds out what the calls of dead runs have done, by looking: nothing is sent again here.
///
/// - A create is looked for by its mark or its natural key, until it would have turned up. Ours becomes a row, whole or
///   incomplete; a foreign one stays untouched; none at all means that it was never made.
/// - An update is idempotent, and the next plan looks at the object. What no look tells of is recorded as not set, so that
///   it is set again: it may be what it was or what it was to be.
/// - A delete is over when its object is gone; else the row stays and the next plan deletes again. So it does when the
///   object is so new that a look may not see it yet. What it kept elsewhere is taken away then, and is not recorded any
///   more: should the object be wanted after all, it is kept there anew.
///
/// The seam for more: a type's own settlement key would spare the wait for what is not found.
struct Settler: Sendable {
    let environment: ApplyEnvironment
    let stopwatch: Stopwatch
    let interruption: Interruption
    let access: @Sendable (String, ProviderScope) -> Access
    /// Told once for each object that is being waited for.
    var tell: @Sendable (String) -> Void = { _ in }

    func settle(_ intents: [JournaledIntent]) async throws(StateError) -> [Settlement] {
        var settlements: [Settlement] = []
        // What is not found is waited for together, from here on.
        let since = stopwatch.now
        for intent in intents { settlements.append(try await settle(intent, since: since)) }
        return settlements
    }

    private func settle(
        _ intent: JournaledIntent, since: Duration
    ) async throws(StateError) -> Settlement {
        switch intent.operation {
        case .create: try await settleCreate(intent, since: since)
        case .update: try await settleUpdate(intent)
        case .delete: try await settleDelete(intent)
        }
    }

    private func settleCreate(
        _ intent: JournaledIntent, since: Duration
    ) async throws(StateError) -> Settlement {
        // The call may have been sent at any time until its run's lease ended.
        let age = max(.zero, intent.silence - environment.timing.lease)
        let window = environment.timing.window(for: intent.scope)
        var hasTold = false
        while true {
            // A look tells of the moment at which it was asked for, however late its answer is.
            let waited = stopwatch.now - since
            let found: (observation: Observation, isOurs: Bool)?
            do throws(ProviderError) {
                found = try await handler(intent).find(
                    intent.arguments, intent: Intent(token: intent.token, address: intent.address))
            } catch {
                return unsettled(intent, error)
            }
            if let found, found.isOurs { return try await adopt(found.observation, intent) }
            if age + waited >= window {
                // Sooner it may have been our own predecessor, which a look still sees, and ours may be on its way.
                // As long as there is a row, its object may keep things at the same place.
                if !intent.deposesPrevious, try await row(intent) == nil {
                    let others = try await others(of: intent)
                    do throws(ProviderError) {
                        try await abandon(intent.arguments, intent, besides: others)
                    } catch {
                        return unsettled(intent, error)
                    }
                }
                return try await drop(
                    intent, found.map { "was not created: \($0.observation.id) has the name." } ?? "was not created.")
            }
            if !hasTold {
                hasTold = true
                tell(
                    "\(intent.address) may have been created by a run that died; it would turn up within "
                        + "\(Int((window - age).seconds.rounded(.up))) seconds.")
            }
            if !(await interruption.sleep(environment.timing.pollInterval(waited: waited), on: stopwatch)) {
                return Settlement(
                    address: intent.address, text: "\(intent.address) may still turn up: it was not waited for.",
                    isSettled: false)
            }
        }
    }

    // MARK: - What an object keeps elsewhere

    private func row(_ intent: JournaledIntent) async throws(StateError) -> ResourceRecord? {
        try await environment.storage.snapshot(stacks: [intent.address.stack]).records[intent.address]
    }

    /// What a call may have put at the places that its arguments name goes, unless another row says that the place is its.
    private func abandon(
        _ arguments: [String: Value], _ intent: JournaledIntent, besides others: [ResourceRecord]
    ) async throws(ProviderError) {
        let places = Set((environment.catalog[intent.address.type]?.arguments ?? []).filter(\.isPlace).map(\.name))
        let taken = Set(others.flatMap { record in places.compactMap { record.arguments[$0] } })
        let left = arguments.filter { name, value in
            value.isKnown && !(places.contains(name) && taken.contains(value))
        }
        guard places.contains(where: { left[$0] != nil }) else { return }
        try await handler(intent).abandon(left)
    }

    /// The rows of other objects of a type, wherever they are.
    private func others(of intent: JournaledIntent) async throws(StateError) -> [ResourceRecord] {
        let snapshot = try await environment.storage.snapshot()
        return snapshot.records.values.filter {
            $0.address.type == intent.address.type && $0.address != intent.address
        }
    }

    private func settleUpdate(_ intent: JournaledIntent) async throws(StateError) -> Settlement {
        let what = "was being changed; what came of it is seen by the next plan."
        guard let schema = environment.catalog[intent.address.type], let row = try await row(intent),
            let unsure = row.afterLosing(intent.arguments, intent.digests, schema)
        else { return try await drop(intent, what) }
        let places = schema.arguments.filter { $0.isPlace && unsure.arguments[$0.name] != row.arguments[$0.name] }
        let others = try await others(of: intent)
        do throws(ProviderError) {
            if !places.isEmpty || intent.namesNewPlaces(row, schema) {
                try await abandon(row.arguments, intent, besides: others)
                try await abandon(intent.arguments, intent, besides: others)
            }
        } catch {
            return unsettled(intent, error)
        }
        try await complete(
            intent, .updated(unsure), StepResult(.settled, detail: "Found after the run had died: it \(what)"))
        return Settlement(address: intent.address, text: "\(intent.address) \(what)", isSettled: true)
    }

    private func adopt(_ seen: Observation, _ intent: JournaledIntent) async throws(StateError) -> Settlement {
        let schema = environment.catalog[intent.address.type]
        var arguments = intent.arguments
        var digests = intent.digests
        for argument in schema?.arguments ?? [] where argument.isSetAfterCreate || seen.owed.contains(argument.name) {
            arguments[argument.name] = nil
            digests[argument.name] = nil
        }
        // What the cloud tells of a secret must not be kept; an incomplete row is looked at again, with the secret known.
        let isPlain = intent.digests.isEmpty
        let isComplete =
            schema != nil && seen.status == .ready && isPlain && arguments.count == intent.arguments.count
        let record = ResourceRecord(
            address: intent.address, id: seen.id, scope: seen.scope ?? intent.scope, arguments: arguments,
            outputs: isPlain ? seen.outputs : ["id": .string(seen.id.rawValue)], digests: digests,
            isProtected: intent.isProtected, generation: intent.generation, isIncomplete: !isComplete,
            dependencies: intent.dependencies)
        do {
            try await complete(
                intent, .created(record, deposesPrevious: intent.deposesPrevious),
                StepResult(record.isIncomplete ? .settled : .done, detail: "Found after the run had died."))
        } catch {
            guard case .alreadyManaged(let other) = error.kind else { throw error }
            return try await drop(intent, "was created as \(seen.id), which belongs to \(other).")
        }
        return Settlement(
            address: intent.address, text: "\(intent.address) had been created as \(seen.id).", isSettled: true)
    }

    private func settleDelete(_ intent: JournaledIntent) async throws(StateError) -> Settlement {
        guard let target = intent.target else { return try await drop(intent, "had nothing to delete.") }
        let known = KnownObject(id: target, arguments: intent.arguments.filter { $0.value.isKnown })
        let mayBeHidden = await mayBeHidden(target, intent)
        let seen: Observation?
        do throws(ProviderError) {
            seen = try await handler(intent).read([known])[target]
        } catch {
            return unsettled(intent, error)
        }
        if seen == nil, mayBeHidden {
            return try await leave(intent, "(\(target)) was being deleted; the next plan sees what came of it.")
        }
        if seen != nil { return try await leave(intent, "(\(target)) was being deleted and is still there.") }
        try await complete(
            intent, intent.isDeposed ? .deposedDeleted(intent.address, target) : .deleted(intent.address),
            StepResult(.done, detail: "Found gone after the run had died."))
        return Settlement(
            address: intent.address, text: "\(intent.address) (\(target)) had been deleted.", isSettled: true)
    }

    /// Leaves the row of an object whose deletion may have begun.
    private func leave(_ intent: JournaledIntent, _ what: String) async throws(StateError) -> Settlement {
        let places = (environment.catalog[intent.address.type]?.arguments ?? []).filter(\.isPlace).map(\.name)
        guard !intent.isDeposed, places.contains(where: { intent.arguments[$0]?.isKnown ?? false }),
            var row = try await row(intent)
        else { return try await drop(intent, what) }
        let others = try await others(of: intent)
        do throws(ProviderError) {
            try await abandon(intent.arguments, intent, besides: others)
        } catch {
            return unsettled(intent, error)
        }
        for place in places { row.arguments[place] = nil }
        try await complete(
            intent, .updated(row), StepResult(.settled, detail: "Found after the run had died: it \(what)"))
        return Settlement(address: intent.address, text: "\(intent.address) \(what)", isSettled: true)
    }

    private func mayBeHidden(_ target: RemoteID, _ intent: JournaledIntent) async -> Bool {
        guard let age = try? await environment.storage.snapshot(stacks: [intent.address.stack]).ages[target] else {
            return false
        }
        return age < environment.timing.window(for: intent.scope)
    }

    private func drop(_ intent: JournaledIntent, _ what: String) async throws(StateError) -> Settlement {
        try await complete(
            intent, .nothing(intent.address),
            StepResult(.settled, detail: "Found after the run had died: it \(what)"))
        return Settlement(address: intent.address, text: "\(intent.address) \(what)", isSettled: true)
    }

    /// A run that was only slow may have settled it itself meanwhile, which is as well.
    private func complete(
        _ intent: JournaledIntent, _ change: StateChange, _ result: StepResult
    ) async throws(StateError) {
        do throws(StateError) {
            _ = try await environment.storage.complete(intent: intent.id, change, result: result)
        } catch {
            guard case .intentGone = error.kind else { throw error }
        }
    }

    private func unsettled(_ intent: JournaledIntent, _ error: ProviderError) -> Settlement {
        Settlement(
            address: intent.address,
            text: "\(intent.address): an earlier run died while it was about to \(intent.operation.rawValue) it, and "
                + "what came of that cannot be seen: \(error.message)", isSettled: false)
    }

    private func handler(_ intent: JournaledIntent) async throws(ProviderError) -> any ResourceHandler {
        let access = access(intent.address.stack, intent.scope)
        let session = try await environment.session(access.scope, access.configuration, [:])
        guard let handler = session.handler(for: intent.address.type) else { throw .unknownType(intent.address.type) }
        return handler
    }
}

extension JournaledIntent {
    /// True when it would put something where the row has nothing.
    fileprivate func namesNewPlaces(_ row: ResourceRecord, _ schema: ResourceSchema) -> Bool {
        schema.arguments.contains { argument in
            argument.isPlace && arguments[argument.name] != nil
                && arguments[argument.name] != row.arguments[argument.name]
        }
    }
}

extension ResourceRecord {
    /// The row after an update of which nobody knows whether it had its effect: what it was to change and no look tells of
    /// is not recorded. nil: there is nothing of the kind.
    func afterLosing(
        _ arguments: [String: Value], _ digests: [String: String], _ schema: ResourceSchema
    ) -> ResourceRecord? {
        var record = self
        var isUnsure = false
        for argument in schema.arguments where !argument.isReadable || argument.isSensitive {
            guard argument.onChange == .update || argument.onChange == .updateWithDowntime else { continue }
            let name = argument.name
            if arguments[name] == self.arguments[name], digests[name] == self.digests[name] { continue }
            record.arguments[name] = nil
            record.digests[name] = nil
            isUnsure = true
        }
        return isUnsure ? record : nil
    }
}
