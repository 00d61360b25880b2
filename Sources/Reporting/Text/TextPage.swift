import MusterModel

/// The lines of a report for a terminal: margins, columns and colours.
struct TextPage {
    /// A resource and what happens to it: the line above its details.
    struct Head {
        var symbol: String
        var style: Palette.Style
        var address: Address
        var isFullAddress = false
        var id: RemoteID?
        var remarks: [String] = []
        var hazards: [String] = []
        var arguments: String?
        var place: Place?

        init(symbol: String, style: Palette.Style, _ address: Address) {
            self.symbol = symbol
            self.style = style
            self.address = address
        }
    }

    /// Where the texts of details begin; their marks stand two cells to the left.
    static let textColumn = 10

    let options: TextOptions
    private(set) var text = ""

    init(_ options: TextOptions) { self.options = options }

    func paint(_ text: String, _ style: Palette.Style) -> String { options.palette(text, style) }

    mutating func line(_ line: String) {
        text += line
        text += "\n"
    }

    /// A line with an empty one before it, unless it is the first.
    mutating func section(_ title: String) {
        if !text.isEmpty { text += "\n" }
        line(title)
    }

    /// Text broken at spaces.
    mutating func paragraph(_ paragraph: String, indent: Int, hanging: Int = 0) {
        words(paragraph.split(separator: " ").map(String.init), indent: indent, hanging: hanging)
    }

    /// Pieces with a space between them, in lines that are broken between pieces alone.
    mutating func words(_ words: [String], indent: Int, hanging: Int = 0) {
        var current = ""
        var cells = 0
        for (position, word) in words.enumerated() {
            let width = word.cellCount
            if !current.isEmpty, cells + 1 + width > options.width {
                line(current)
                current = ""
            }
            if current.isEmpty {
                cells = indent + (position == 0 ? 0 : hanging)
                current = String(repeating: " ", count: cells) + word
            } else {
                current += " " + word
                cells += 1
            }
            cells += width
        }
        if !current.isEmpty { line(current) }
    }

    mutating func head(_ head: Head) {
        line(
            parts(of: head).map { part in part.style.map { paint(part.text, $0) } ?? part.text }.joined())
    }

    func width(of head: Head) -> Int { parts(of: head).reduce(0) { $0 + $1.text.cellCount } }

    private func parts(of head: Head) -> [(text: String, style: Palette.Style?)] {
        let name = head.isFullAddress ? head.address.description : head.address.nameInStack
        var parts: [(String, Palette.Style?)] = [("  \(head.symbol.paddedLeft(to: 3)) \(name)", head.style)]
        if let id = head.id, id.rawValue != head.address.name {
            parts.append(("  \(ValueText.inline(.string(id.rawValue)))", nil))
        }
        if !head.remarks.isEmpty { parts.append(("  (\(head.remarks.joined(separator: "; ")))", nil)) }
        if !head.hazards.isEmpty { parts.append(("  ! \(head.hazards.joined(separator: ", "))", .danger)) }
        if let arguments = head.arguments { parts.append(("  \(arguments)", nil)) }
        if let place = head.place { parts.append(("  \(place.short)", .faint)) }
        return parts
    }

    /// - Parameter outdent: cells by which the line stands further left.
    mutating func detail(_ line: DetailLine, outdent: Int = 0) {
        let margin = String(repeating: " ", count: TextPage.textColumn - 2 + 2 * line.depth - outdent)
        var shown: String
        switch line.role {
        case .mark(let mark):
            let text = "\(mark.rawValue) \(line.text)"
            // A line of a block is one piece; of an argument only the mark is coloured.
            shown =
                line.depth > 0
                ? paint(text, Palette.Style(mark)) : "\(paint(mark.rawValue, Palette.Style(mark))) \(line.text)"
        case .plain: shown = line.text.isEmpty ? "" : "  \(line.text)"
        case .remark: shown = paint(line.text, .faint)
        }
        if line.forcesReplacement { shown += paint("  # forces replacement", .danger) }
        if let place = line.place { shown += paint("  \(place)", .faint) }
        self.line(shown.isEmpty ? "" : margin + shown)
    }
}

extension Palette.Style {
    init(_ mark: AttributeRow.Mark) {
        switch mark {
        case .added: self = .added
        case .removed: self = .removed
        case .changed: self = .changed
        }
    }
}

extension Address {
    /// `aws.vpc/main`: the address without its stack.
    var nameInStack: String {
        let text = description
        // A colon in the name of a stack is percent-encoded.
        return text.utf8.firstIndex(of: UInt8(ascii: ":")).map { String(text[text.utf8.index(after: $0)...]) } ?? text
    }
}
