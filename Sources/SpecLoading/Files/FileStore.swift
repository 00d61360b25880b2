import Diagnostics
import YAMLSyntax

/// The files of one run: each is read and parsed once, however many stacks use it.
final class FileStore {
    /// What the workspace file is to be, in messages.
    static let workspaceRole = "the workspace file"

    private let reader: SourceReader
    private var read: [String: Result<SourceFile, SourceReader.Failure>] = [:]
    private var documents: [String: YAMLNode?] = [:]
    /// Every file that could be read, in the order of reading.
    private(set) var files: [SourceFile]

    init(_ reader: SourceReader, files: [SourceFile] = []) {
        self.reader = reader
        self.files = files
        for file in files { read[file.path] = .success(file) }
    }

    func file(at path: String) throws(SourceReader.Failure) -> SourceFile {
        if let known = read[path] { return try known.get() }
        do {
            let file = SourceFile(path: path, text: try reader.read(path))
            read[path] = .success(file)
            files.append(file)
            return file
        } catch {
            read[path] = .failure(error)
            throw error
        }
    }

    /// The parsed file; nil after a complaint, or when the file holds nothing.
    ///
    /// - Parameter place: what names the file, if a file does.
    func document(
        at path: String, as what: String, namedAt place: SourceRange?, _ complaints: Complaints
    ) -> (file: SourceFile, root: YAMLNode?)? {
        do {
            let file = try file(at: path)
            if let root = documents[path] { return (file, root) }
            let (root, diagnostics) = parseYAML(file)
            complaints.report(diagnostics)
            documents[path] = .some(root)
            return (file, root)
        } catch {
            complaints.report(.unreadable(path, what, error, at: place))
            return nil
        }
    }

    /// The text of a file for `file()` and `template()`.
    func text(at path: String) throws -> String {
        let file: SourceFile
        do { file = try self.file(at: path) } catch { throw UnusableFile(description: "it \(error).") }
        guard let text = String(validating: file.text, as: UTF8.self) else {
            throw UnusableFile(description: "it is not UTF-8 text.")
        }
        return text
    }

    private struct UnusableFile: Error, CustomStringConvertible {
        let description: String
    }

    /// A path as written in a file, seen from where muster was started.
    static func resolve(_ path: String, from file: String) -> String {
        if path.hasPrefix("/") { return normalised(path) }
        guard let slash = file.lastIndex(of: "/") else { return normalised(path) }
        return normalised(file[...slash] + path)
    }

    /// The path without `.`, `//` and `name/..`.
    private static func normalised(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else if part != ".." || !path.hasPrefix("/") {
                parts.append(part)
            }
        }
        let joined = parts.joined(separator: "/")
        if path.hasPrefix("/") { return "/" + joined }
        return joined.isEmpty ? "." : joined
    }
}

extension Diagnostic {
    static func unreadable(
        _ path: String, _ what: String, _ failure: SourceReader.Failure, at place: SourceRange?
    ) -> Diagnostic {
        let hint: String? =
            switch failure {
            case .missing where place != nil: "A path is relative to the folder of the file that names it."
            case .missing where what == FileStore.workspaceRole:
                "\"muster init\" writes a sample workspace; -C DIR says where one is."
            case .isDirectory: "Name the file in it."
            default: nil
            }
        return Diagnostic(
            code: "spec.unreadable-file", summary: "Unreadable file",
            detail: "\(path.quoted), which is to be \(what), \(failure).", at: place, hint: hint)
    }
}

extension SourceReader.Failure: CustomStringConvertible {
    /// The end of a sentence about the file.
    package var description: String {
        switch self {
        case .missing: "does not exist"
        case .isDirectory: "is a folder"
        case .permissionDenied: "may not be read by this user"
        case .tooLarge(let size, let limit): "has \(size) bytes, and at most \(limit) are read"
        case .other(let reason): "cannot be read: \(reason)"
        }
    }
}
