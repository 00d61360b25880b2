// A strict, non-validating XML reader for the answers of AWS.
//
// The document keeps its bytes and one flat array of nodes with byte ranges; text is decoded only where somebody asks.
// A listing of a thousand objects costs two allocations instead of a hundred thousand. There is no DTD, no external
// entity and no namespace processing (prefixes are dropped); nesting is bounded. What is not well-formed XML — a page
// cut short, HTML — is an error, never half a tree.

/// An element of a document. One that is not there has no name, no text and no children, so that a path may be
/// followed without asking at each step: `page["vpcSet"].items.map { $0["vpcId"].text }`.
///
/// An element keeps its whole document alive: take the values out, keep those.
package struct XMLElement: Sendable {
    private let document: XMLDocument
    private let index: Int

    fileprivate init(_ document: XMLDocument, _ index: Int) {
        self.document = document
        self.index = index
    }

    /// - Throws: `XMLSyntaxError` with the byte where the document stops being XML.
    package init(parsing bytes: [UInt8]) throws(XMLSyntaxError) {
        var parser = XMLParser(bytes)
        let nodes = try parser.parse()
        self.init(XMLDocument(bytes: bytes, nodes: nodes), 0)
    }

    /// The element that stands for what is not there.
    package static let missing = XMLElement(XMLDocument(bytes: [], nodes: []), -1)

    private var node: XMLNode? { index >= 0 ? document.nodes[index] : nil }

    package var exists: Bool { index >= 0 }

    /// The local name, without a prefix.
    package var name: String { node.map { String(decoding: document.bytes[$0.name.range], as: UTF8.self) } ?? "" }

    /// The first child of that name.
    package subscript(name: String) -> XMLElement {
        var name = name
        return name.withUTF8 { wanted in
            var next = Int(node?.firstChild ?? -1)
            while next >= 0 {
                let child = document.nodes[next]
                if document.bytes[child.name.range].elementsEqual(wanted) { return XMLElement(document, next) }
                next = Int(child.nextSibling)
            }
            return .missing
        }
    }

    /// Every child, whatever its name: the elements of a list.
    package var items: [XMLElement] {
        var result: [XMLElement] = []
        var next = Int(node?.firstChild ?? -1)
        while next >= 0 {
            result.append(XMLElement(document, next))
            next = Int(document.nodes[next].nextSibling)
        }
        return result
    }

    /// The children of that name: a list without an element around it.
    package func all(_ name: String) -> [XMLElement] {
        items.filter { $0.hasName(name) }
    }

    package func hasName(_ name: String) -> Bool {
        guard let node else { return false }
        return document.bytes[node.name.range].elementsEqual(name.utf8)
    }

    /// The text of an element without children, as it is (blanks included); "" where there is none.
    package var text: String {
        guard let node, node.firstChild < 0 else { return "" }
        if !node.needsDecoding { return String(decoding: document.bytes[node.content.range], as: UTF8.self) }
        return XMLText.decode(document.bytes[node.content.range])
    }

    /// The text, or `nil` where the element is missing. An empty element gives "".
    package var string: String? { exists ? text : nil }

    /// The text, or `nil` where the element is missing or empty.
    package var nonEmpty: String? {
        let text = text
        return text.isEmpty ? nil : text
    }

    package var integer: Int? { Int(text) }

    package var double: Double? { Double(text) }

    package var boolean: Bool? {
        switch text {
        case "true", "True", "1": true
        case "false", "False", "0": false
        default: nil
        }
    }

    package var timestamp: Timestamp? { Timestamp(iso8601: text) }

    /// The texts of the list's elements.
    package var texts: [String] { items.map(\.text) }

    /// A map's entries: `<entry><key/><value/></entry>`.
    package var entries: [(key: String, value: XMLElement)] {
        items.map { ($0["key"].text, $0["value"]) }
    }
}

/// Why a body is not XML, and at which byte.
package struct XMLSyntaxError: Error, Equatable {
    package var reason: String
    package var offset: Int
}

private final class XMLDocument: Sendable {
    let bytes: [UInt8]
    let nodes: [XMLNode]

    init(bytes: [UInt8], nodes: [XMLNode]) {
        self.bytes = bytes
        self.nodes = nodes
    }
}

/// A range of bytes in half the size: documents are bounded far below 2 GiB.
private struct ByteSpan: Sendable {
    private var start: Int32
    private var end: Int32

    init(_ range: Range<Int>) {
        start = Int32(clamping: range.lowerBound)
        end = Int32(clamping: range.upperBound)
    }

    var range: Range<Int> { Int(start)..<Int(end) }
}

private struct XMLNode: Sendable {
    /// The local name.
    var name: ByteSpan
    /// With the prefix, as the end tag must repeat it.
    var qualifiedName: ByteSpan
    /// Between the tags.
    var content: ByteSpan
    var firstChild: Int32 = -1
    var lastChild: Int32 = -1
    var nextSibling: Int32 = -1
    /// The content has references, CDATA, comments or instructions.
    var needsDecoding = false
}

private struct XMLParser {
    private static let maxDepth = 100

    let bytes: [UInt8]
    private var index = 0
    private var nodes: [XMLNode] = []
    private var open: [Int] = []

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private func failure(_ reason: String) -> XMLSyntaxError {
        XMLSyntaxError(reason: reason, offset: min(index, bytes.count))
    }

    private func has(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard index + count <= bytes.count else { return false }
        for offset in 0..<count where bytes[index + offset] != text.utf8Start[offset] { return false }
        return true
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
    }

    mutating func parse() throws(XMLSyntaxError) -> [XMLNode] {
        guard bytes.count < Int(Int32.max) else { throw failure("too large") }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw failure("not UTF-8") }
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { index = 3 }
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "<") {
                try markup()
            } else {
                try characters()
            }
        }
        guard open.isEmpty, !nodes.isEmpty else { throw failure("the document ends early") }
        return nodes
    }

    private mutating func markup() throws(XMLSyntaxError) {
        if has("</") { return try endTag() }
        if has("<!--") { return try skip(4, to: "-->", "comment") }
        if has("<?") { return try skip(2, to: "?>", "instruction") }
        if has("<![CDATA[") {
            guard !open.isEmpty else { throw failure("text outside the root element") }
            return try skip(9, to: "]]>", "CDATA section")
        }
        if has("<!") { throw failure("a document type is not accepted") }
        try startTag()
    }

    private mutating func skip(_ prefix: Int, to end: StaticString, _ what: String) throws(XMLSyntaxError) {
        if let top = open.last { nodes[top].needsDecoding = true }
        index += prefix
        while index < bytes.count {
            if has(end) {
                index += end.utf8CodeUnitCount
                return
            }
            index += 1
        }
        throw failure("a \(what) without an end")
    }

    private mutating func characters() throws(XMLSyntaxError) {
        let isInside = !open.isEmpty
        while index < bytes.count, bytes[index] != UInt8(ascii: "<") {
            if bytes[index] == UInt8(ascii: "&") {
                guard let top = open.last else { throw failure("text outside the root element") }
                nodes[top].needsDecoding = true
                try reference()
                continue
            }
            guard isInside || Self.isBlank(bytes[index]) else { throw failure("text outside the root element") }
            guard bytes[index] >= 0x20 || Self.isBlank(bytes[index]) else { throw failure("a control character") }
            if bytes[index] == 0x0d, let top = open.last { nodes[top].needsDecoding = true }
            index += 1
        }
    }

    private mutating func reference() throws(XMLSyntaxError) {
        guard let end = bytes[index...].prefix(12).firstIndex(of: UInt8(ascii: ";")),
            XMLText.scalar(ofReference: bytes[(index + 1)..<end]) != nil
        else { throw failure("an unknown entity") }
        index = end + 1
    }

    private mutating func name() throws(XMLSyntaxError) -> Range<Int> {
        let start = index
        while index < bytes.count {
            switch bytes[index] {
            case 0x41...0x5a, 0x61...0x7a, 0x5f, 0x3a, 0x80...0xff: break
            case 0x30...0x39, 0x2d, 0x2e:
                if index == start { throw failure("expected a name") }
            default:
                if index == start { throw failure("expected a name") }
                return start..<index
            }
            index += 1
        }
        throw failure("the document ends early")
    }

    private mutating func skipBlanks() {
        while index < bytes.count, Self.isBlank(bytes[index]) { index += 1 }
    }

    private mutating func startTag() throws(XMLSyntaxError) {
        guard open.count < Self.maxDepth else { throw failure("nested too deeply") }
        guard !open.isEmpty || nodes.isEmpty else { throw failure("a second root element") }
        index += 1
        let qualified = try name()
        let colon = bytes[qualified].lastIndex(of: UInt8(ascii: ":"))
        let local = (colon.map { $0 + 1 } ?? qualified.lowerBound)..<qualified.upperBound
        guard !local.isEmpty else { throw failure("expected a name") }
        try attributes()
        let isEmpty = has("/>")
        index += isEmpty ? 2 : 1

        let position = nodes.count
        nodes.append(
            XMLNode(name: ByteSpan(local), qualifiedName: ByteSpan(qualified), content: ByteSpan(index..<index)))
        if let parent = open.last {
            if nodes[parent].lastChild >= 0 {
                nodes[Int(nodes[parent].lastChild)].nextSibling = Int32(position)
            } else {
                nodes[parent].firstChild = Int32(position)
            }
            nodes[parent].lastChild = Int32(position)
        }
        if !isEmpty { open.append(position) }
    }

    /// Up to the tag's end: attributes must be well-formed and are then forgotten.
    private mutating func attributes() throws(XMLSyntaxError) {
        while true {
            let before = index
            skipBlanks()
            guard index < bytes.count else { throw failure("the document ends early") }
            if bytes[index] == UInt8(ascii: ">") || has("/>") { return }
            guard index > before else { throw failure("expected a blank before an attribute") }
            _ = try name()
            skipBlanks()
            guard has("=") else { throw failure("an attribute without a value") }
            index += 1
            skipBlanks()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "'") else {
                throw failure("an attribute without quotes")
            }
            let quote = bytes[index]
            index += 1
            while index < bytes.count, bytes[index] != quote {
                guard bytes[index] != UInt8(ascii: "<") else { throw failure("'<' in an attribute") }
                if bytes[index] == UInt8(ascii: "&") { try reference() } else { index += 1 }
            }
            guard index < bytes.count else { throw failure("the document ends early") }
            index += 1
        }
    }

    private mutating func endTag() throws(XMLSyntaxError) {
        let end = index
        index += 2
        let closing = try name()
        skipBlanks()
        guard has(">") else { throw failure("expected '>'") }
        guard let top = open.popLast() else { throw failure("an end tag without a start") }
        guard bytes[closing].elementsEqual(bytes[nodes[top].qualifiedName.range]) else {
            throw failure("an end tag that does not match its start")
        }
        index += 1
        nodes[top].content = ByteSpan(nodes[top].content.range.lowerBound..<end)
    }
}

/// Character data: references, CDATA, comments and line ends.
private enum XMLText {
    static func decode(_ bytes: ArraySlice<UInt8>) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = bytes.startIndex

        func skip(_ prefix: StaticString, to end: StaticString) -> Range<Int>? {
            let opening = UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
            guard bytes[index...].starts(with: opening) else { return nil }
            let closing = UnsafeBufferPointer(start: end.utf8Start, count: end.utf8CodeUnitCount)
            let start = index + opening.count
            var position = start
            while position < bytes.endIndex, !bytes[position...].starts(with: closing) { position += 1 }
            index = min(position + closing.count, bytes.endIndex)
            return start..<position
        }

        while index < bytes.endIndex {
            switch bytes[index] {
            case UInt8(ascii: "<"):
                if let text = skip("<![CDATA[", to: "]]>") {
                    result += bytes[text]
                } else if skip("<!--", to: "-->") == nil, skip("<?", to: "?>") == nil {
                    index += 1
                }
            case UInt8(ascii: "&"):
                let end = bytes[index...].firstIndex(of: UInt8(ascii: ";")) ?? bytes.endIndex - 1
                if let scalar = scalar(ofReference: bytes[(index + 1)..<end]) { result += Array(String(scalar).utf8) }
                index = end + 1
            case 0x0d:
                // XML reads every line end as one line feed.
                result.append(0x0a)
                index += 1
                if index < bytes.endIndex, bytes[index] == 0x0a { index += 1 }
            default:
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// What stands between `&` and `;`.
    static func scalar(ofReference body: ArraySlice<UInt8>) -> Unicode.Scalar? {
        let text = String(decoding: body, as: UTF8.self)
        switch text {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default: break
        }
        guard text.first == "#" else { return nil }
        let digits = text.dropFirst()
        let isHexadecimal = digits.first == "x"
        let number = isHexadecimal ? digits.dropFirst() : digits
        guard let first = number.first, first != "+", first != "-",
            let value = UInt32(number, radix: isHexadecimal ? 16 : 10), value > 0
        else { return nil }
        return Unicode.Scalar(value)
    }
}
