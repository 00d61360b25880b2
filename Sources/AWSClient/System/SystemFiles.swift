// Files for `AWSCollaborators`, by system calls: Foundation's file functions cost more at start than they save here.
// MusterCommands hands them in; nothing else in this target touches a file.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

package enum SystemFiles {
    /// Reads a regular file of at most 16 MiB.
    package static func read(_ path: String) -> AWSCollaborators.FileContent {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            return errno == ENOENT || errno == ENOTDIR ? .absent : .unreadable(reason(errno))
        }
        defer { close(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = chunk.withUnsafeMutableBytes { Self.read(file, $0) }
            guard count >= 0 else { return .unreadable(reason(errno)) }
            guard count > 0 else { return .content(content) }
            content += chunk[..<count]
            guard content.count <= 16 << 20 else { return .unreadable("it is larger than 16 MiB") }
        }
    }

    /// Replaces a file by one that only its owner may read, so that at every instant the old or the new one is there.
    ///
    /// - Returns: false if that failed; the old file is then untouched.
    package static func replacePrivately(_ path: String, _ content: [UInt8]) -> Bool {
        let temporary = "\(path).\(getpid()).new"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        var isWritten = write(file, content) && fsync(file) == 0
        isWritten = close(file) == 0 && isWritten
        guard isWritten, rename(temporary, path) == 0 else {
            unlink(temporary)
            return false
        }
        return true
    }

    private static func write(_ file: Int32, _ content: [UInt8]) -> Bool {
        var rest = content[...]
        while !rest.isEmpty {
            #if canImport(Glibc)
                let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            #elseif canImport(Musl)
                let count = rest.withUnsafeBytes { Musl.write(file, $0.baseAddress, $0.count) }
            #else
                let count = rest.withUnsafeBytes { Darwin.write(file, $0.baseAddress, $0.count) }
            #endif
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// `read(2)` that is not ended by a signal.
    static func read(_ file: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            #if canImport(Glibc)
                let count = Glibc.read(file, buffer.baseAddress, buffer.count)
            #elseif canImport(Musl)
                let count = Musl.read(file, buffer.baseAddress, buffer.count)
            #else
                let count = Darwin.read(file, buffer.baseAddress, buffer.count)
            #endif
            if count < 0, errno == EINTR { continue }
            return count
        }
    }

    static func reason(_ code: Int32) -> String {
        String(cString: strerror(code))
    }
}
