import StateStorage

/// The leases of a run as it knows them: until when they are surely its own.
///
/// The deadline is kept on the run's own clock, which counts through suspend, from before the transaction that set it;
/// so a process that was stopped learns of it before it sends anything, whatever the wall clock says.
actor LeaseKeeper {
    nonisolated let fence: Fence
    private let storage: any StateStorage
    private let stopwatch: Stopwatch
    private let duration: Duration
    private var deadline: Duration

    /// - Parameter taken: when the taking of the leases began.
    init(_ fence: Fence, _ storage: any StateStorage, _ stopwatch: Stopwatch, _ duration: Duration, taken: Duration) {
        self.fence = fence
        self.storage = storage
        self.stopwatch = stopwatch
        self.duration = duration
        deadline = taken + duration
    }

    /// A tenth is left for the way to the cloud.
    var areHeld: Bool { stopwatch.now < deadline - duration / 10 }

    func renew() async throws(StateError) {
        let began = stopwatch.now
        try await storage.renewLeases(fence, duration: duration)
        deadline = max(deadline, began + duration)
    }
}
