import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The time in a simulator: milliseconds since 1970, never going back.
package final class SimulatedClock: Sendable {
    private struct Reading {
        var ahead: Int64 = 0
        var latest: Int64 = 0
    }

    private enum Source: Sendable {
        /// Stands still until it is put ahead.
        case manual(start: Int64)
        /// Goes with the machine's clock, so many times as fast.
        case running(start: Int64, startUptime: Int64, speed: Double)
    }

    private let source: Source
    // Connections on several threads read it; none may wait for an actor.
    private let reading = Mutex(Reading())

    private init(_ source: Source) { self.source = source }

    /// A clock that stands still. It starts on 2026-01-01 unless told.
    package static func manual(start: Int64 = 1_767_225_600_000) -> SimulatedClock {
        SimulatedClock(.manual(start: start))
    }

    /// A clock that starts with the machine's and runs `speed` times as fast.
    package static func running(speed: Double = 1) -> SimulatedClock {
        SimulatedClock(
            .running(start: milliseconds(CLOCK_REALTIME), startUptime: milliseconds(CLOCK_MONOTONIC), speed: speed))
    }

    package var now: Int64 {
        reading.withLock { reading in
            let base: Int64
            switch source {
            case .manual(let start): base = start
            case .running(let start, let startUptime, let speed):
                base = start + Int64(Double(Self.milliseconds(CLOCK_MONOTONIC) - startUptime) * speed)
            }
            reading.latest = max(reading.latest, base + reading.ahead)
            return reading.latest
        }
    }

    /// Puts it ahead; going back is impossible.
    package func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        reading.withLock { $0.ahead += max(0, milliseconds) }
    }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
