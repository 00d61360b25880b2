import Diagnostics

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where muster talks: stdout is the result, stderr is talk. Nothing else in muster prints.
struct Console: Sendable {
    var environment: [String: String]
    /// `--plain`: no colours, no moving display.
    var isPlain: Bool
    var isVerbose: Bool

    init(environment: [String: String], isPlain: Bool = false, isVerbose: Bool = false) {
        self.environment = environment
        self.isPlain = isPlain
        self.isVerbose = isVerbose
    }

    /// The result of a command.
    func write(_ text: String) { Console.write(text, to: STDOUT_FILENO) }

    /// Talk: progress, questions, diagnostics.
    func talk(_ text: String) { Console.write(text, to: STDERR_FILENO) }

    func detail(_ text: @autoclosure () -> String) {
        if isVerbose { talk(text() + "\n") }
    }

    var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    var isTalkTerminal: Bool { isatty(STDERR_FILENO) == 1 }
    var isInputTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Colour follows NO_COLOR, CLICOLOR_FORCE and the terminal, in this order.
    func isColoured(_ isTerminal: Bool) -> Bool {
        if isPlain { return false }
        if let value = environment["NO_COLOR"], !value.isEmpty { return false }
        if let value = environment["CLICOLOR_FORCE"], !value.isEmpty, value != "0" { return true }
        if environment["TERM"] == "dumb" { return false }
        return isTerminal
    }

    /// A display that moves: only on a terminal with a person before it.
    var hasLiveDisplay: Bool {
        let isCI = !(environment["CI"] ?? "").isEmpty && environment["CI"] != "false"
        return isTalkTerminal && !isPlain && !isCI && environment["TERM"] != "dumb"
    }

    /// The width of the terminal in columns; 100 where there is none.
    var width: Int { size.columns }
    var height: Int { size.rows }

    private var size: (columns: Int, rows: Int) {
        var size = winsize()
        if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
            return (Int(size.ws_col), Int(size.ws_row))
        }
        return (environment["COLUMNS"].flatMap { Int($0) } ?? 100, 24)
    }

    func report(_ diagnostics: [Diagnostic]) {
        if diagnostics.isEmpty { return }
        let renderer = DiagnosticRenderer(isColoured: isColoured(isTalkTerminal))
        talk(renderer.render(diagnostics))
    }

    /// One line from the person; nil at the end of the input.
    func ask(_ question: String) -> String? {
        talk(question)
        return readLine(strippingNewline: true)
    }

    /// A reader that went away ends the process quietly, as every tool in a pipe does.
    private static func write(_ text: String, to file: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                #if canImport(Darwin)
                    let count = Darwin.write(file, rest.baseAddress, rest.count)
                #else
                    let count = Glibc.write(file, rest.baseAddress, rest.count)
                #endif
                if count < 0 {
                    if errno == EINTR || errno == EAGAIN { continue }
                    return
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}
