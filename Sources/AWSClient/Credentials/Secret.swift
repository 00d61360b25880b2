/// A text that must not be shown: printing, interpolating or dumping it gives `•••`.
package struct Secret: Sendable, Hashable, ExpressibleByStringLiteral {
    /// The text itself, for the one place that has to send or sign it.
    package let revealed: String

    package init(_ text: String) {
        revealed = text
    }

    package init(stringLiteral value: String) {
        revealed = value
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "•••" }
    package var debugDescription: String { "•••" }
    package var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}
