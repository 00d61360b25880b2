import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Tells one process from another that got the same number later, or has it in another container or after a reboot.
package enum ProcessIdentity {
    /// The machine's boot and the process namespace, and when the process started; "" where the system does not tell.
    package static func of(pid: Int32) -> String {
        #if os(Linux)
            guard let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8),
                let namespace = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid"),
                let started = process(pid)?.started
            else { return "" }
            return "\(boot.prefix { !$0.isWhitespace }) \(namespace) \(started)"
        #else
            return ""
        #endif
    }

    /// Which start of the machine this is; "" where the system does not tell.
    package static let boot: String = {
        #if os(Linux)
            let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
            return text.map { String($0.prefix { !$0.isWhitespace }) } ?? ""
        #else
            return ""
        #endif
    }()

    /// True when the process that wrote `holder` runs no more, as far as this machine can tell for sure: it ran under
    /// the same boot and in the same namespace, and its number is free or belongs to another process.
    package static func isDead(_ holder: LeaseHolder) -> Bool {
        #if os(Linux)
            let mine = of(pid: getpid()).split(separator: " ")
            let its = holder.process.split(separator: " ")
            guard mine.count == 3, its.count == 3, mine[0] == its[0], mine[1] == its[1] else { return false }
            if kill(holder.pid, 0) != 0, errno == ESRCH { return true }
            // Another user's process may be hidden in /proc: alive, then.
            guard let found = process(holder.pid) else { return false }
            // A zombie runs no more: only its parent has not looked yet.
            return found.state == "Z" || found.state == "X" || found.started != its[2]
        #else
            return false
        #endif
    }

    #if os(Linux)
        /// Fields 3 and 22 of /proc/PID/stat; the name in field 2 may hold anything, so they are read from behind it.
        private static func process(_ pid: Int32) -> (state: String, started: String)? {
            guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let name = text.lastIndex(of: ")")
            else { return nil }
            let fields = text[text.index(after: name)...].split(separator: " ")
            return fields.count > 19 ? (String(fields[0]), String(fields[19])) : nil
        }
    #endif
}
