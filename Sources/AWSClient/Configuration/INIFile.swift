/// A shared configuration file: sections of `key = value`, where an indented line belongs to the key above it.
///
/// Keys are lower-case; `#` and `;` begin a comment at the start of a line or after a blank. Sections and keys that
/// occur twice are merged, the later value winning, as the SDKs do.
struct INIFile: Equatable {
    struct Value: Equatable {
        var text: String
        /// `endpoint_url = …` indented under `ec2 =`.
        var nested: [String: String] = [:]
        var line: Int
    }

    struct Section: Equatable {
        /// As between the brackets, trimmed: `profile dev`.
        var name: String
        var line: Int
        var values: [String: Value] = [:]
    }

    var path: String
    var sections: [Section] = []

    /// - Throws: with `path:line` of the first line that is neither a section, a key, a comment nor blank.
    static func parse(_ bytes: [UInt8], path: String) throws(AWSConfigurationError) -> INIFile {
        var file = INIFile(path: path)
        guard var text = String(validating: bytes, as: UTF8.self) else {
            throw AWSConfigurationError("the file is not UTF-8", place: path)
        }
        if text.unicodeScalars.first == "\u{feff}" { text.unicodeScalars.removeFirst() }
        var key: (name: String, indent: Int)?
        for (index, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = index + 1
            let content = withoutComment(raw).trimmedBlanks
            guard !content.isEmpty else { continue }
            let indent = raw.prefix { $0 == " " || $0 == "\t" }.count
            if let key, indent > key.indent {
                file.append(content, to: key.name)
            } else if content.hasPrefix("[") {
                guard let end = content.firstIndex(of: "]"), content[content.index(after: end)...].isEmpty else {
                    throw AWSConfigurationError("a section without ']'", place: "\(path):\(line)")
                }
                file.open(String(content[content.index(after: content.startIndex)..<end]).trimmedBlanks, line)
                key = nil
            } else {
                key = (try file.set(content, line), indent)
            }
        }
        return file
    }

    private static func withoutComment(_ line: Substring) -> String {
        var previous: Character = " "
        var end = line.startIndex
        while end < line.endIndex {
            let character = line[end]
            if character == "#" || character == ";", previous == " " || previous == "\t" { break }
            previous = character
            end = line.index(after: end)
        }
        return String(line[..<end])
    }

    private mutating func open(_ name: String, _ line: Int) {
        if let known = sections.firstIndex(where: { $0.name == name }) {
            // Keys that follow go to the last section: bring it there.
            sections.append(sections.remove(at: known))
        } else {
            sections.append(Section(name: name, line: line))
        }
    }

    private mutating func set(_ content: String, _ line: Int) throws(AWSConfigurationError) -> String {
        guard let separator = content.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
            throw AWSConfigurationError("expected \"key = value\"", place: "\(path):\(line)")
        }
        guard !sections.isEmpty else {
            throw AWSConfigurationError("a key before the first section", place: "\(path):\(line)")
        }
        let key = String(content[..<separator]).trimmedBlanks.lowercased()
        guard !key.isEmpty else {
            throw AWSConfigurationError("a value without a key", place: "\(path):\(line)")
        }
        let text = String(content[content.index(after: separator)...]).trimmedBlanks
        sections[sections.count - 1].values[key] = Value(text: text, line: line)
        return key
    }

    private mutating func append(_ content: String, to key: String) {
        let section = sections.count - 1
        guard sections[section].values[key] != nil else { return }
        if sections[section].values[key]?.text.isEmpty == true, let separator = content.firstIndex(of: "=") {
            let name = String(content[..<separator]).trimmedBlanks.lowercased()
            let value = String(content[content.index(after: separator)...]).trimmedBlanks
            sections[section].values[key]?.nested[name] = value
        } else {
            sections[section].values[key]?.text += "\n" + content
        }
    }
}
