package import MusterModel

/// Events of an apply as JSON Lines, for `--events`.
package enum EventJSON {
    package static let formatVersion = 1

    /// One line, ended by a line break.
    ///
    /// - Parameter seconds: since the apply started.
    package static func line(_ event: ApplyEvent, at seconds: Double) -> String { "{}\n" }
}
