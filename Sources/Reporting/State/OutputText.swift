import Diagnostics
package import MusterModel

/// Outputs as `muster output` prints them.
package enum OutputText {
    /// A line for each output, by stack.
    package static func render(_ outputs: [String: [String: Value]], options: TextOptions = TextOptions()) -> String {
        var page = TextPage(options)
        if outputs.values.allSatisfy(\.isEmpty) { return "No outputs.\n" }
        write(outputs, to: &page)
        return page.text
    }

    static func write(_ outputs: [String: [String: Value]], to page: inout TextPage) {
        let names = outputs.flatMap { stack, members in
            members.map { ("\(Address.stackText(stack)):\(DisplayText.neutralised($0.key))", $0.value) }
        }.sorted { $0.0 < $1.0 }
        let width = min(names.map { $0.0.cellCount + 1 }.max() ?? 0, 48)
        for (name, value) in names {
            if let text = ValueText.text(value), text.utf8.contains(UInt8(ascii: "\n")) {
                page.line("  \(name):")
                for line in LineDiff.split(text) { page.line("      \(DisplayText.neutralised(line))") }
            } else {
                page.line("  \("\(name):".padded(to: width)) \(ValueText.inline(value, isWhole: true))")
            }
        }
    }

    /// One output for a script, ended by a line break: a string bare, anything else as JSON; nil when part of it is a
    /// secret or not known.
    package static func raw(_ value: Value) -> String? {
        guard value.isKnown else { return nil }
        return (value.string ?? ValueJSON.plainText(value)) + "\n"
    }
}

/// The same as JSON; one line, ended by a line break. A value that is a secret or is not known is null and says so.
package enum OutputJSON {
    package static let formatVersion = 1
    static let kind = "muster-outputs"

    package static func encode(_ outputs: [String: [String: Value]]) -> String {
        let stacks = outputs.mapValues { members in
            Value.map(
                members.mapValues { value in
                    [
                        "value": value.isKnown ? value : .null, "secret": .bool(value.isTainted),
                        "known": .bool(value.isKnown),
                    ]
                })
        }
        return ValueJSON.plainText([
            "format_version": .integer(formatVersion), "kind": .string(kind), "outputs": .map(stacks),
        ]) + "\n"
    }
}
