import FoundationEssentials
import GRDB

// Leases, not locks: a holder that is not heard of until its expiry loses them, and the epoch tells it so with the next
// thing that it wants to write.
//
// Weakness: between the transaction of an intent and the call that follows, a process may be stopped for so long that
// another takes over. The call then happens outside the lease; its result finds the intent settled and is refused.

extension SQLiteStateStorage {
    package func acquireLeases(
        _ stacks: [String: LeaseMode], holder: LeaseHolder, duration: Duration,
        isDead: @Sendable (LeaseHolder) -> Bool
    ) throws(StateError) -> Fence {
        try write { database in
            let moment = self.moment()
            let now = moment.wall
            let end = moment.advanced(by: duration)
            var epochs: [String: Int] = [:]
            var held: [Lease] = []
            for row in try database.all("SELECT \(Lease.columns) FROM leases WHERE holder != ?", [holder.token]) {
                let lease = try Lease(row)
                // Those of the dead go whatever their stack, so that nothing is left that somebody has to remove.
                if isDead(lease.holder) || stacks[lease.stack] != nil && moment.since(Lease.end(row)) >= .zero {
                    try database.run(
                        "DELETE FROM leases WHERE stack = ? AND holder = ?", [lease.stack, lease.holder.token])
                } else {
                    held.append(lease)
                }
            }
            for (stack, mode) in stacks.sorted(by: { $0.key < $1.key }) {
                let isTaken = { (lease: Lease) in
                    lease.stack == stack && !(mode == .shared && lease.mode == .shared)
                }
                if let other = held.first(where: isTaken) { throw StateError.leaseHeld(other) }
                try database.run(
                    """
                    INSERT INTO lease_epochs (stack, epoch) VALUES (?, 1) \
                    ON CONFLICT (stack) DO UPDATE SET epoch = epoch + 1
                    """, [stack])
                let epoch = try database.first("SELECT epoch FROM lease_epochs WHERE stack = ?", [stack])
                epochs[stack] = epoch.map { $0[0] } ?? 1
                try database.run(
                    """
                    INSERT OR REPLACE INTO leases (stack, holder, who, host, pid, process, mode, acquired, \
                    heartbeat, expiry, epoch, expiry_uptime) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                    [
                        stack, holder.token, holder.who, holder.host, holder.pid, holder.process, mode.rawValue,
                        now.milliseconds, now.milliseconds, end.wall.milliseconds, epochs[stack], end.uptimeText,
                    ])
            }
            return Fence(token: holder.token, epochs: epochs)
        }
    }

    package func renewLeases(_ fence: Fence, duration: Duration) throws(StateError) {
        try write { database in
            let now = self.moment()
            let end = now.advanced(by: duration)
            try database.run(
                "UPDATE runs SET seen = ?, seen_uptime = ? WHERE holder = ?",
                [now.wall.milliseconds, now.uptimeText, fence.token])
            for (stack, epoch) in fence.epochs.sorted(by: { $0.key < $1.key }) {
                try database.run(
                    """
                    UPDATE leases SET heartbeat = ?, expiry = ?, expiry_uptime = ? \
                    WHERE stack = ? AND holder = ? AND epoch = ?
                    """,
                    [
                        now.wall.milliseconds, end.wall.milliseconds, end.uptimeText, stack, fence.token, epoch,
                    ])
                if database.changesCount == 0 { throw StateError.leaseLost(stack) }
            }
        }
    }

    package func releaseLeases(_ fence: Fence) throws(StateError) {
        try write { database in
            for (stack, epoch) in fence.epochs {
                try database.run(
                    "DELETE FROM leases WHERE stack = ? AND holder = ? AND epoch = ?", [stack, fence.token, epoch])
            }
        }
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
