import Diagnostics
package import MusterModel

/// Progress of an apply on a terminal, as a state machine without a clock: events go in, frames come out.
///
/// What ended scrolls away as lines; the frame below them holds a line of counts and the steps that run, the oldest
/// first. The time left is the larger of two estimates: the longest chain of steps still to come, and all the work still
/// to come shared among the workers. Both are of expectations, so they say "about".
package struct ProgressScreen: Sendable {
    /// What an expectation of time is about.
    package struct StepKind: Sendable, Hashable {
        package var type: ResourceType
        package var operation: Step.Operation

        package init(_ type: ResourceType, _ operation: Step.Operation) {
            self.type = type
            self.operation = operation
        }
    }

    private struct Running {
        let step: Step
        let since: Double
        var status = ""
    }

    /// Seconds expected of a step of which nothing is known.
    private static let guess = 3.0

    private let palette: Palette
    private let parallelism: Int
    private let lines: ProgressLines
    /// By step id: expected seconds of the step, and of the longest chain that begins with it.
    private let expected: [Int: Double]
    private let chain: [Int: Double]

    private var total: Int
    private var running: [Int: Running] = [:]
    /// Steps that have neither started nor been skipped, longest chain first; those that have are dropped lazily.
    private var waiting: Set<Int>
    private var byChain: [Int]
    private var workWaiting: Double
    private var done = 0
    private var failed = 0
    private var skipped = 0
    private var isInterrupted = false
    private var finishedLines: [String] = []
    private var startedAt: Double?

    /// - Parameter steps: all steps of the plan.
    /// - Parameter expectedSeconds: how long steps of a kind took before; kinds without history get a guess.
    /// - Parameter parallelism: how many steps run at once.
    package init(
        steps: [Step], expectedSeconds: [StepKind: Double] = [:], parallelism: Int = 10, palette: Palette = .plain
    ) {
        self.palette = palette
        self.parallelism = max(1, parallelism)
        lines = ProgressLines(palette: palette)
        total = steps.count
        var expected: [Int: Double] = [:]
        for step in steps {
            let seconds = expectedSeconds[StepKind(step.address.type, step.operation)] ?? ProgressScreen.guess
            expected[step.id] = seconds.isFinite ? max(0, seconds) : ProgressScreen.guess
        }
        // Steps stand after those they wait for, so that one walk from the end knows every chain.
        var chain = expected
        for step in steps.reversed() {
            let own = chain[step.id] ?? 0
            for before in step.after {
                chain[before] = max(chain[before] ?? 0, (expected[before] ?? 0) + own)
            }
        }
        self.expected = expected
        self.chain = chain
        waiting = Set(steps.map(\.id))
        byChain = steps.map(\.id).sorted { (chain[$0] ?? 0, $1) < (chain[$1] ?? 0, $0) }
        workWaiting = steps.reduce(0) { $0 + (expected[$1.id] ?? 0) }
    }

    /// - Parameter now: seconds on any clock that runs on, the same one for events and frames.
    package mutating func apply(_ event: ApplyEvent, now: Double) {
        if startedAt == nil { startedAt = now }
        switch event {
        case .started(let count): total = count
        case .stepStarted(let step):
            leaveWaiting(step)
            running[step.id] = Running(step: step, since: now)
        case .stepWaiting(let step, let status, _): running[step.id]?.status = status
        case .stepRetrying(let step, let why, _): running[step.id]?.status = "retrying: \(why)"
        case .stepFinished(let step, let id, let seconds):
            end(step)
            done += 1
            finishedLines.append(lines.finished(step, id, seconds))
        case .stepFailed(let step, let failure, let seconds):
            end(step)
            failed += 1
            finishedLines += lines.failed(step, failure, seconds)
        case .stepSkipped(let step, _):
            end(step)
            skipped += 1
        case .interrupted: isInterrupted = true
        }
    }

    private mutating func end(_ step: Step) {
        leaveWaiting(step)
        running[step.id] = nil
    }

    private mutating func leaveWaiting(_ step: Step) {
        guard waiting.remove(step.id) != nil else { return }
        workWaiting -= expected[step.id] ?? 0
        while let last = byChain.last, !waiting.contains(last) { byChain.removeLast() }
    }

    /// Lines that scroll away above the frame (what ended, what failed), each handed out once.
    package mutating func takeFinishedLines() -> [String] {
        defer { finishedLines = [] }
        return finishedLines
    }

    /// At most `height` lines of at most `width` cells, without line breaks.
    package func frame(width: Int, height: Int, now: Double) -> [String] {
        guard width > 0, height > 0 else { return [] }
        var frame = [header(width: width, now: now)]
        let oldest = running.values.sorted { ($0.since, $0.step.id) < ($1.since, $1.step.id) }
        let room = height - 1
        let isCut = oldest.count > room
        let shown = oldest.prefix(isCut ? max(0, room - 1) : room)
        let names = shown.map { $0.step.address.description.cellCount }
        let nameWidth = min(names.max() ?? 0, max(20, width / 2))
        for item in shown {
            let symbol = StepText.symbol(item.step.operation)
            let time = StepText.duration(now - item.since)
            let name = ProgressScreen.cut(item.step.address.description, to: nameWidth).padded(to: nameWidth)
            let rest = max(0, width - 4 - nameWidth - 2 - 6 - 2)
            let status = ProgressScreen.cut(
                item.status.isEmpty ? "\(StepText.doing(item.step.operation))…" : DisplayText.neutralised(item.status),
                to: rest)
            let line = "  \(symbol) \(name)  \(time.paddedLeft(to: 6))  \(status)"
            frame.append(
                line.cellCount <= width
                    ? "  \(palette(symbol, StepText.style(item.step.operation))) \(line.dropFirst(4))"
                    : ProgressScreen.cut(line, to: width))
        }
        if isCut, room > 0 { frame.append(ProgressScreen.cut("  … and \(oldest.count - shown.count) more", to: width)) }
        return frame
    }

    private func header(width: Int, now: Double) -> String {
        var parts = ["\(done)/\(total) done", "\(running.count) running"]
        let rest = total - done - failed - skipped - running.count
        if rest > 0 { parts.append("\(rest) \(isInterrupted ? "not started" : "waiting")") }
        if failed > 0 { parts.append("\(failed) failed") }
        if skipped > 0 { parts.append("\(skipped) skipped") }
        let elapsed = startedAt.map { StepText.wholeDuration(now - $0) }
        let left = secondsLeft(now: now).map { "about \(StepText.wholeDuration(max(1, $0))) left" }
        let times = [elapsed, isInterrupted ? "finishing what runs" : left].compactMap { $0 }
        let ended = total == 0 ? 0 : Double(done + failed + skipped) / Double(total)
        let text = "\(parts.joined(separator: " · "))  \(times.joined(separator: ", "))"
        let barWidth = min(24, width - text.cellCount - 2)
        if barWidth < 8 { return ProgressScreen.cut(text, to: width) }
        let full = min(barWidth, Int((ended * Double(barWidth)).rounded(.down)))
        let bar =
            palette(String(repeating: "━", count: full), failed > 0 ? .danger : .added)
            + palette(String(repeating: "─", count: barWidth - full), .faint)
        return "\(bar)  \(text)"
    }

    /// nil when nothing is left.
    func secondsLeft(now: Double) -> Double? {
        if running.isEmpty, waiting.isEmpty { return nil }
        var longest = byChain.last.flatMap { chain[$0] } ?? 0
        var work = workWaiting
        for item in running.values {
            let elapsed = now - item.since
            let expected = expected[item.step.id] ?? ProgressScreen.guess
            let rest = max(0, (self.chain[item.step.id] ?? expected) - expected)
            // A step that takes longer than expected is taken to be about to end.
            let own = max(0, expected - elapsed)
            longest = max(longest, own + rest)
            work += own
        }
        return max(longest, work / Double(parallelism))
    }

    private static func cut(_ text: String, to width: Int) -> String {
        guard text.cellCount > width else { return text }
        guard width > 1 else { return String(text.prefix(max(0, width))) }
        var result = ""
        var cells = 0
        for character in text {
            let size = String(character).cellCount
            if cells + size > width - 1 { break }
            result.append(character)
            cells += size
        }
        return result + "…"
    }
}
