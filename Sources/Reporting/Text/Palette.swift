// Reporting turns plans, drift, events and state into text. Everything here is a pure function of its arguments:
// nothing prints, nothing reads the environment, the clock or a file. Whether to colour, how wide a line may be and how
// much to tell are arguments; text from outside is neutralised on its way in, so that no remote value can command a
// terminal; secrets appear as `‹secret:name›` only, because no value of one ever reaches this layer.

package import MusterModel

/// Colours, or none. Meaning never rests on colour alone: every coloured mark is also a symbol or a word.
package struct Palette: Sendable, Hashable {
    package enum Style: String, Sendable, Hashable, CaseIterable {
        case added = "32"
        case changed = "33"
        case removed = "31"
        case read = "36"
        case danger = "1;31"
        case strong = "1"
        case faint = "2"
    }

    private let isColoured: Bool

    private init(isColoured: Bool) { self.isColoured = isColoured }

    package static let plain = Palette(isColoured: false)
    package static let ansi = Palette(isColoured: true)

    package func callAsFunction(_ text: String, _ style: Style) -> String {
        isColoured && !text.isEmpty ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    package func callAsFunction(_ text: String, _ action: Action) -> String { self(text, Style(action)) }
}

extension Palette.Style {
    init(_ action: Action) {
        switch action {
        case .create: self = .added
        case .update: self = .changed
        case .delete: self = .removed
        case .replaceDeleteFirst, .replaceCreateFirst: self = .danger
        case .adopt, .move, .forget, .read: self = .read
        }
    }
}

/// How a text form is to look.
package struct TextOptions: Sendable, Hashable {
    package var palette: Palette
    /// Cells in a line; longer lines are wrapped where they can be, and never cut.
    package var width: Int
    /// How many changes are shown with their arguments, the dangerous ones first; the others get a line each.
    package var detailLimit: Int?

    package init(palette: Palette = .plain, width: Int = 100, detailLimit: Int? = nil) {
        self.palette = palette
        self.width = width
        self.detailLimit = detailLimit
    }
}
