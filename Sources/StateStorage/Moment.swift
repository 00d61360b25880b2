import FoundationEssentials

/// Time since the machine started, and which start that was. It counts through suspend and does not jump.
package struct Uptime: Sendable, Hashable {
    /// The machine's own name for the start; "" where it is not known: then the wall clock has to do.
    package var boot: String
    package var elapsed: Duration

    package init(boot: String = "", elapsed: Duration = .zero) {
        self.boot = boot
        self.elapsed = elapsed
    }
}

/// A moment on both clocks.
struct Moment {
    let wall: Date
    let uptime: Uptime

    init(wall: Date, uptime: Uptime) {
        self.wall = wall
        self.uptime = uptime
    }

    /// As a row keeps it.
    init(milliseconds: Int64, uptime text: String) {
        let parts = text.split(separator: " ")
        let elapsed = parts.count == 2 ? Int64(parts[1]) : nil
        self.init(
            wall: Date(milliseconds: milliseconds),
            uptime: elapsed.map { Uptime(boot: String(parts[0]), elapsed: .milliseconds($0)) } ?? Uptime())
    }

    /// The boot and the milliseconds.
    var uptimeText: String {
        uptime.boot.isEmpty ? "" : "\(uptime.boot) \(Int64((uptime.elapsed.seconds * 1000).rounded()))"
    }

    /// Later than this by a duration; negative for what is still to come. On the clock that does not jump where both
    /// were taken on it.
    func since(_ earlier: Moment) -> Duration {
        if !uptime.boot.isEmpty, uptime.boot == earlier.uptime.boot { return uptime.elapsed - earlier.uptime.elapsed }
        return .seconds(wall.timeIntervalSince(earlier.wall))
    }

    func advanced(by duration: Duration) -> Moment {
        Moment(
            wall: wall.addingTimeInterval(duration.seconds),
            uptime: Uptime(boot: uptime.boot, elapsed: uptime.elapsed + duration))
    }
}
