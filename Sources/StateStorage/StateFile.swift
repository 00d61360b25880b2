import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What can be said about a state file without SQLite, so that a file that is not ours is never touched.
struct StateFile {
    let path: String

    enum Content: Equatable {
        case absent
        case muster
        case foreign
        case notADatabase(String)
    }

    var folder: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    var exists: Bool { StateFile.size(of: path) != nil }
    /// Whether commits wait in the -wal companion.
    var hasPendingCommits: Bool { (StateFile.size(of: path + "-wal") ?? 0) > 0 }

    /// Reads the header. Throws `.unreadable` and `.torn`.
    func content() throws(StateError) -> Content {
        var facts = stat()
        guard stat(path, &facts) == 0 else {
            if errno == ENOENT { return .absent }
            throw .unreadable(path, String(cString: strerror(errno)))
        }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw .unreadable(path, "it is not a file") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path, String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: 100)
        let count = read(descriptor, &header, header.count)
        guard count >= 0 else { throw .unreadable(path, String(cString: strerror(errno))) }
        if count == 0 { throw .torn(path, "it is empty, and muster never leaves an empty file.") }
        guard header.starts(with: Array("SQLite format 3\0".utf8)) else { return .notADatabase(path) }
        guard count == header.count else { throw .torn(path, "it ends inside its header.") }
        func number(at offset: Int) -> Int {
            header[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
        }
        guard number(at: 68) == Int(StateSchema.applicationID) else { return .foreign }
        // The size in the header counts only when the two change counters agree, and only without waiting commits.
        let pageSize = Int(header[16]) << 8 | Int(header[17])
        let expected = (pageSize == 1 ? 65536 : pageSize) * number(at: 28)
        if number(at: 24) == number(at: 92), !hasPendingCommits, Int(facts.st_size) < expected {
            throw .torn(path, "it has \(facts.st_size) bytes and should have \(expected).")
        }
        return .muster
    }

    /// Makes the entry of a file in its folder, and what the file holds, survive a power loss.
    static func synchronize(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    static func size(of path: String) -> Int? {
        var facts = stat()
        return stat(path, &facts) == 0 ? Int(facts.st_size) : nil
    }

    /// Gives a finished file its name, unless there is one of that name. True when it did.
    static func publish(_ temporary: String, as path: String) throws(StateError) -> Bool {
        if link(temporary, path) == 0 {
            unlink(temporary)
            synchronize(StateFile(path: path).folder)
            return true
        }
        let reason = errno
        unlink(temporary)
        if reason == EEXIST { return false }
        throw .unreadable(path, String(cString: strerror(reason)))
    }

    static func remove(_ path: String) {
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
    }

    /// Copies a state without waiting commits, in a form that needs no companions: for folders that cannot be written.
    static func copyForReading(_ path: String, to copy: String) throws(StateError) {
        do {
            var data = try Data(contentsOf: URL(filePath: path))
            // File format versions: 2 is WAL, 1 is a rollback journal.
            if data.count > 19 {
                data[data.startIndex + 18] = 1
                data[data.startIndex + 19] = 1
            }
            try data.write(to: URL(filePath: copy))
        } catch {
            throw .unreadable(path, String(describing: error))
        }
    }
}

/// What the machine says about a path; a test says something else.
package struct FileFacts: Sendable {
    /// The type of the network filesystem that holds the path; nil for a local one.
    package var networkFilesystem: @Sendable (String) -> String?
    /// Whether the path can be written.
    package var isWritable: @Sendable (String) -> Bool

    package init(
        networkFilesystem: @escaping @Sendable (String) -> String?, isWritable: @escaping @Sendable (String) -> Bool
    ) {
        self.networkFilesystem = networkFilesystem
        self.isWritable = isWritable
    }

    package static let live = FileFacts(
        networkFilesystem: { networkFilesystemType(of: $0) }, isWritable: { access($0, W_OK) == 0 })
}

/// The type of the network filesystem that holds the path or, if there is nothing yet, the nearest folder above it.
func networkFilesystemType(of path: String) -> String? {
    var path = path
    var resolved = realpath(path, nil)
    while resolved == nil, errno == ENOENT, path != "/", path != "." {
        path = StateFile(path: path).folder
        resolved = realpath(path, nil)
    }
    guard let resolved else { return nil }
    defer { free(resolved) }
    #if canImport(Darwin)
        var facts = statfs()
        guard statfs(resolved, &facts) == 0, facts.f_flags & UInt32(MNT_LOCAL) == 0 else { return nil }
        return withUnsafeBytes(of: facts.f_fstypename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    #else
        guard let mounts = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8),
            let type = filesystemType(of: String(cString: resolved), mountinfo: mounts)
        else { return nil }
        return isNetworkFilesystem(type) ? type : nil
    #endif
}

/// The type of the mount that holds an absolute path, from lines such as
/// `36 35 0:42 / /mnt rw,noatime shared:1 - fuse.sshfs host:/ rw`. Of several on one folder, the last hides the others.
func filesystemType(of path: String, mountinfo: String) -> String? {
    var best: (length: Int, type: String)?
    for line in mountinfo.split(separator: "\n") {
        let fields = line.split(separator: " ")
        guard fields.count > 6, let dash = fields[6...].firstIndex(of: "-"), dash + 1 < fields.count else { continue }
        let folder = unescaped(fields[4])
        guard folder == "/" || path == folder || path.hasPrefix(folder + "/") else { continue }
        if folder.utf8.count >= best?.length ?? 0 { best = (folder.utf8.count, String(fields[dash + 1])) }
    }
    return best?.type
}

/// Spaces and the like stand as `\040` in mountinfo.
private func unescaped(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        let digits = rest.prefix(3)
        if byte == UInt8(ascii: "\\"), digits.count == 3,
            let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
        {
            bytes.append(code)
            rest = rest.dropFirst(3)
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// Local FUSE filesystems (ntfs-3g, overlays, encryption) do what SQLite needs; those of virtual machines and of
/// containers do as well.
func isNetworkFilesystem(_ type: String) -> Bool {
    let kernel: Set = [
        "nfs", "nfs4", "cifs", "smb", "smb3", "smbfs", "ncpfs", "afs", "coda", "ceph", "lustre", "gpfs", "ocfs2",
        "gfs2", "beegfs", "panfs", "davfs",
    ]
    let fuse: Set = [
        "sshfs", "s3fs", "rclone", "gcsfuse", "goofys", "geesefs", "glusterfs", "davfs", "davfs2", "curlftpfs",
        "smbnetfs", "mount-s3", "blobfuse", "blobfuse2", "juicefs", "ceph", "cephfs", "ceph-fuse", "lizardfs",
        "moosefs", "mfs", "nfs", "s3ql",
    ]
    if type.hasPrefix("fuse.") { return fuse.contains(String(type.dropFirst("fuse.".count))) }
    return kernel.contains(type)
}
