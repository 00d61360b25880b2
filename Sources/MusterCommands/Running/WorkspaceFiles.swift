import Diagnostics
import SpecLoading

/// Finds the workspace and reads its files.
enum WorkspaceFiles {
    /// `-C DIR`, else the current folder, else `./specs`.
    static func find(_ directory: String?) throws(CommandFailure) -> String {
        if let directory {
            let path = directory.hasSuffix(".yaml") ? directory : LocalFile.join(directory, "muster.yaml")
            if LocalFile.exists(path) { return path }
            throw CommandFailure(
                code: "workspace.missing", summary: "No workspace", detail: "There is no file \(path.quoted).",
                hint: "\"muster init\" writes a sample workspace.")
        }
        for path in ["muster.yaml", "specs/muster.yaml"] where LocalFile.exists(path) { return path }
        throw CommandFailure(
            code: "workspace.missing", summary: "No workspace",
            detail: "There is no muster.yaml here or in ./specs.",
            hint: "Name its folder with -C, or write a sample workspace with \"muster init\".")
    }

    /// Specs are text that people write: what is larger than this is not one.
    private static let largestFile = 64 << 20

    static let reader = SourceReader { (path: String) throws(SourceReader.Failure) -> [UInt8] in
        do throws(LocalFile.Failure) {
            return try LocalFile.read(path, limit: largestFile)
        } catch {
            throw error.asReaderFailure(limit: largestFile)
        }
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension LocalFile.Failure {
    fileprivate func asReaderFailure(limit: Int) -> SourceReader.Failure {
        switch code {
        case ENOENT, ENOTDIR: .missing
        case EISDIR: .isDirectory
        case EACCES, EPERM: .permissionDenied
        case EFBIG: .tooLarge(size, limit: limit)
        default: .other(message)
        }
    }
}
