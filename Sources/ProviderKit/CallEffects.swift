/// What the changing calls of a session did: by it a deletion tells whether there was anything to delete.
package actor CallEffects {
    private var changes = 0
    private var misses = 0

    package init() {}

    /// True when a call found nothing, or when no call changed anything.
    package var hasMissed: Bool { misses > 0 || changes == 0 }
    package func addChange() { changes += 1 }
    package func addMiss() { misses += 1 }
}
