package import MusterModel

/// Outputs as `muster output` prints them.
package enum OutputText {
    /// Outputs by stack; `options.palette` marks names.
    package static func render(_ outputs: [String: [String: Value]], options: TextOptions = TextOptions()) -> String {
        ""
    }

    /// One output for a script: a string bare, anything else as JSON; nil when it is a secret or not known.
    package static func raw(_ value: Value) -> String? { nil }
}

/// The same as JSON; one line, ended by a line break. A secret or unknown value is null and says so.
package enum OutputJSON {
    package static let formatVersion = 1

    package static func encode(_ outputs: [String: [String: Value]]) -> String { "{}\n" }
}
