import Foundation

/// The sources of this repository.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct File: Sendable {
        /// Relative to the root: `Sources/Planning/Planner.swift`.
        var path: String
        var text: String
        /// The target's folder: `Planning`.
        var target: String { String(path.split(separator: "/").dropFirst().first ?? "") }
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// The Swift files under a folder, sorted by path.
    static func files(under folder: String) throws -> [File] {
        let paths = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
        return try (paths?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".swift") }.sorted().map {
            File(path: "\(folder)/\($0)", text: try text("\(folder)/\($0)"))
        }
    }

    /// The folders directly in a folder.
    static func folders(in folder: String) throws -> Set<String> {
        let contents = try FileManager.default.contentsOfDirectory(
            at: root.appendingPathComponent(folder), includingPropertiesForKeys: [.isDirectoryKey])
        return Set(
            try contents.filter { try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true }
                .map(\.lastPathComponent))
    }
}
