// Texts that a reviewer can read, kept beside the tests: `Goldens/` in the folder of the test file.
// `MUSTER_UPDATE_GOLDENS=1` rewrites them; a missing golden fails.
import Foundation
package import Testing

/// Whether goldens are to be rewritten instead of compared.
package let isUpdatingGoldens = ProcessInfo.processInfo.environment["MUSTER_UPDATE_GOLDENS"] == "1"

/// Expects a text to equal `Goldens/<name>` beside the calling test file.
package func expectGolden(
    _ text: String, named name: String, file: String = #filePath, sourceLocation: SourceLocation = #_sourceLocation
) {
    let golden = goldenURL(named: name, file: file)
    if isUpdatingGoldens {
        do {
            try FileManager.default.createDirectory(
                at: golden.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: golden)
        } catch {
            Issue.record("Cannot write golden \(name): \(error)", sourceLocation: sourceLocation)
        }
        return
    }
    guard let expected = goldenText(named: name, file: file) else {
        Issue.record(
            "There is no golden \(name). MUSTER_UPDATE_GOLDENS=1 writes it:\n\(text)", sourceLocation: sourceLocation)
        return
    }
    if text != expected {
        Issue.record(
            "Golden \(name) differs:\n\(lineDifference(expected, text))", sourceLocation: sourceLocation)
    }
}

/// The text of a golden that serves as input, or nil if there is none.
package func goldenText(named name: String, file: String = #filePath) -> String? {
    // Not `String(contentsOf:)`, which drops a byte order mark.
    (try? Data(contentsOf: goldenURL(named: name, file: file))).map { String(decoding: $0, as: UTF8.self) }
}

/// The names of the goldens in a folder of `Goldens/`, sorted.
package func goldenNames(in folder: String, file: String = #filePath) -> [String] {
    let path = goldenURL(named: folder, file: file).path
    return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted().map { "\(folder)/\($0)" }
}

private func goldenURL(named name: String, file: String) -> URL {
    URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Goldens/\(name)")
}

/// The lines that differ, as `-` expected and `+` actual, in order.
package func lineDifference(_ expected: String, _ actual: String) -> String {
    let before = expected.split(separator: "\n", omittingEmptySubsequences: false)
    let after = actual.split(separator: "\n", omittingEmptySubsequences: false)
    var removed: Set<Int> = []
    var inserted: Set<Int> = []
    for change in after.difference(from: before) {
        switch change {
        case .remove(let offset, _, _): removed.insert(offset)
        case .insert(let offset, _, _): inserted.insert(offset)
        }
    }
    var lines: [String] = []
    var left = 0
    var right = 0
    while left < before.count || right < after.count {
        if removed.contains(left) {
            lines.append("- \(before[left])")
            left += 1
        } else if inserted.contains(right) {
            lines.append("+ \(after[right])")
            right += 1
        } else {
            lines.append("  \(left < before.count ? before[left] : "")")
            left += 1
            right += 1
        }
    }
    return lines.joined(separator: "\n")
}
