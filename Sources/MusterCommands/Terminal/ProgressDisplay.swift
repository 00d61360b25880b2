import MusterModel
import Reporting

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Shows an apply while it runs: a moving frame on a terminal, lines in a pipe; and writes the events as JSON lines.
struct ProgressDisplay {
    let console: Console
    let steps: [Step]
    let parallelism: Int
    let eventsPath: String?

    /// Returns when the events end.
    func show(_ events: AsyncStream<ApplyEvent>) async {
        let start = ContinuousClock.now
        let seconds = { (ContinuousClock.now - start) / .seconds(1) }
        let log = eventsPath.map { open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) } ?? -1
        defer { if log >= 0 { close(log) } }
        if eventsPath != nil, log < 0 {
            console.talk("The events cannot be written: \(String(cString: strerror(errno))).\n")
        }
        if console.hasLiveDisplay {
            await showFrame(events, log: log, seconds)
        } else {
            var lines = ProgressLines(palette: console.isColoured(console.isTalkTerminal) ? .ansi : .plain)
            for await event in events {
                write(event, to: log, at: seconds())
                for line in lines.lines(for: event) { console.talk(line + "\n") }
            }
        }
    }

    private enum Tick {
        case event(ApplyEvent)
        case time
    }

    private func showFrame(_ events: AsyncStream<ApplyEvent>, log: Int32, _ seconds: () -> Double) async {
        let (ticks, sink) = AsyncStream<Tick>.makeStream()
        let forwarding = Task {
            for await event in events { sink.yield(.event(event)) }
            sink.finish()
        }
        let ticking = Task {
            while !Task.isCancelled {
                sink.yield(.time)
                try await Task.sleep(for: .milliseconds(120))
            }
        }
        var screen = ProgressScreen(
            steps: steps, parallelism: parallelism, palette: console.isColoured(true) ? .ansi : .plain)
        var height = 0
        var isDirty = true
        console.talk("\u{1B}[?25l")
        for await tick in ticks {
            if case .event(let event) = tick {
                write(event, to: log, at: seconds())
                screen.apply(event, now: seconds())
                isDirty = true
                continue
            }
            var text = height > 0 ? "\u{1B}[\(height)A\r\u{1B}[J" : ""
            for line in screen.takeFinishedLines() { text += line + "\n" }
            let frame = screen.frame(width: console.width, height: console.height, now: seconds())
            for line in frame { text += line + "\n" }
            height = frame.count
            console.talk(text)
            isDirty = false
        }
        ticking.cancel()
        await forwarding.value
        var text = height > 0 ? "\u{1B}[\(height)A\r\u{1B}[J" : ""
        if isDirty || height > 0 { for line in screen.takeFinishedLines() { text += line + "\n" } }
        console.talk(text + "\u{1B}[?25h")
    }

    private func write(_ event: ApplyEvent, to log: Int32, at seconds: Double) {
        guard log >= 0 else { return }
        var line = EventJSON.line(event, at: seconds)
        line.withUTF8 { _ = Glibc.write(log, $0.baseAddress, $0.count) }
    }
}
