/// The wish to stop: nothing new starts, and what only waits is left.
actor Interruption {
    private(set) var isTriggered = false
    private var waiting: [Int: AsyncStream<Void>.Continuation] = [:]
    private var count = 0

    func trigger() {
        isTriggered = true
        for continuation in waiting.values { continuation.finish() }
        waiting = [:]
    }

    /// Sleeps until the time is over or the interruption comes. False when it came.
    func sleep(_ duration: Duration, on stopwatch: Stopwatch) async -> Bool {
        if isTriggered { return false }
        count += 1
        let number = count
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        waiting[number] = continuation
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await stopwatch.sleep(duration) }
            group.addTask { for await _ in stream {} }
            await group.next()
            group.cancelAll()
        }
        waiting[number] = nil
        return !isTriggered
    }
}
