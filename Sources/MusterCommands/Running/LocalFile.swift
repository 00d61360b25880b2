#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Files of this machine, through POSIX: a few calls that keep start-up free of larger libraries.
enum LocalFile {
    struct Failure: Error {
        var code: Int32
        var size = 0
        var message: String { String(cString: strerror(code)) }
        var isMissing: Bool { code == ENOENT }
    }

    /// - Throws: `Failure` with EISDIR for a folder and EFBIG above the limit.
    static func read(_ path: String, limit: Int = 64 << 20) throws(Failure) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Failure(code: errno) }
        defer { close(file) }
        var information = stat()
        guard fstat(file, &information) == 0 else { throw Failure(code: errno) }
        if information.st_mode & S_IFMT == S_IFDIR { throw Failure(code: EISDIR) }
        let size = Int(information.st_size)
        if size > limit { throw Failure(code: EFBIG, size: size) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size + 1)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(code: errno)
            }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            if bytes.count > limit { throw Failure(code: EFBIG, size: bytes.count) }
        }
    }

    /// Writes a file so that a reader sees the old one or the new one, never a part, and so that it survives a loss
    /// of power.
    static func write(_ path: String, _ bytes: [UInt8], mode: mode_t = 0o644) throws(Failure) {
        let temporary = "\(path).\(getpid()).tmp"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard file >= 0 else { throw Failure(code: errno) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                let code = errno
                close(file)
                unlink(temporary)
                throw Failure(code: code)
            }
            rest = rest.dropFirst(count)
        }
        let isSynced = fsync(file) == 0
        let code = errno
        close(file)
        guard isSynced, rename(temporary, path) == 0 else {
            let code = isSynced ? errno : code
            unlink(temporary)
            throw Failure(code: code)
        }
    }

    /// The permission bits; nil when there is no such file.
    static func mode(of path: String) -> mode_t? {
        var information = stat()
        return stat(path, &information) == 0 ? information.st_mode & 0o7777 : nil
    }

    /// Bytes that this user may still write on the disk of a path, or of the nearest folder above it that is there.
    static func freeSpace(at path: String) -> Int? {
        var path = path
        var facts = statvfs()
        while statvfs(path, &facts) != 0 {
            if errno != ENOENT || path == "/" || path == "." { return nil }
            path = folder(of: path)
        }
        return Int(facts.f_bavail) * Int(facts.f_frsize)
    }

    /// Whether this user may write there, as far as permissions and the mount say.
    static func isWritable(_ path: String) -> Bool { access(path, W_OK) == 0 }

    /// The names in a folder, sorted; none when it cannot be read.
    static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
    static func isDirectory(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }

    /// Makes a folder and those above it; one that is there is fine.
    static func makeFolder(_ path: String, mode: mode_t = 0o755) throws(Failure) {
        if path.isEmpty || isDirectory(path) { return }
        let parent = folder(of: path)
        if parent != path { try makeFolder(parent, mode: mode) }
        if mkdir(path, mode) != 0, errno != EEXIST { throw Failure(code: errno) }
    }

    static func remove(_ path: String) throws(Failure) {
        if unlink(path) != 0 { throw Failure(code: errno) }
    }

    /// The folder part of a path; `.` when there is none.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func join(_ folder: String, _ path: String) -> String {
        if path.hasPrefix("/") || folder.isEmpty || folder == "." { return path }
        return folder.hasSuffix("/") ? folder + path : "\(folder)/\(path)"
    }
}
