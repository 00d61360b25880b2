import Expressions
import Foundation
import TestSupport
import Testing

@Suite("gzip") struct GzipTests {
    @Test(
        "What gzip makes of it is the text again",
        arguments: [
            "", "a", "aaaa", String(repeating: "ab", count: 300), "#!/bin/sh\necho \"it's üñí\"\n",
            (0..<4000).map { "line \($0 * $0 % 97) of \($0)\n" }.joined(),
            String(repeating: "x", count: 70_000),
        ])
    func roundTrip(_ text: String) throws {
        #expect(try unzipped(Gzip.compressed(Array(text.utf8))) == Array(text.utf8))
    }

    @Test("Bytes by chance come back too, and cost little more")
    func random() throws {
        var generator = SeededGenerator(seed: 7)
        for count in [1, 2, 3, 257, 5000, 40_000] {
            let bytes = (0..<count).map { _ in
                UInt8.random(in: 0...(count.isMultiple(of: 2) ? 255 : 3), using: &generator)
            }
            let compressed = Gzip.compressed(bytes)
            #expect(try unzipped(compressed) == bytes)
            #expect(compressed.count <= count + count / 8 + 40)
        }
    }

    @Test("A script gets about as small as by the program")
    func size() throws {
        let source = try Data(contentsOf: URL(fileURLWithPath: #filePath))
        let ours = Gzip.compressed(Array(source)).count
        #expect(ours < source.count * 6 / 10)
    }

    private func unzipped(_ bytes: [UInt8]) throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).gz")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/gzip")
        process.arguments = ["-dc", file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return Array(data)
    }
}
