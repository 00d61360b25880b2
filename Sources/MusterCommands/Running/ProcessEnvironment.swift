#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The environment of this process, read once by each command and handed on as a value.
enum ProcessEnvironment {
    static var current: [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let line = String(cString: text)
            if let equals = line.firstIndex(of: "=") {
                variables[String(line[..<equals])] = String(line[line.index(after: equals)...])
            }
            entry += 1
        }
        return variables
    }
}

extension Console {
    init(_ scope: ScopeOptions) {
        self.init(environment: ProcessEnvironment.current, isPlain: scope.plain, isVerbose: scope.verbose)
    }
}

extension Workbench {
    static func make(_ console: Console, _ scope: ScopeOptions) throws(CommandFailure) -> Workbench {
        Workbench(
            console: console, options: scope, provider: try Providers.make(console, directory: scope.directory))
    }
}
