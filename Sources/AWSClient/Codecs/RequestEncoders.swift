// The four ways in which AWS services want their input, each a pure function from the tree to bytes.

import TextEncodings

/// Form bodies of the `ec2` and `query` protocols.
struct FormBodyEncoder {
    enum Dialect { case ec2, query }

    private let dialect: Dialect
    private var bytes: [UInt8] = []

    /// `Action=…&Version=…` and the members, in their order.
    static func encode(_ input: AWSInput, action: String, version: String, _ dialect: Dialect) -> [UInt8] {
        var encoder = FormBodyEncoder(dialect: dialect)
        encoder.append("Action", action)
        encoder.append("Version", version)
        encoder.append(input, "")
        return encoder.bytes
    }

    private init(dialect: Dialect) {
        self.dialect = dialect
    }

    private mutating func append(_ name: String, _ value: String) {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: "&")) }
        PercentEncoding.append(name.utf8, to: &bytes, spaceAsPlus: true)
        bytes.append(UInt8(ascii: "="))
        PercentEncoding.append(value.utf8, to: &bytes, spaceAsPlus: true)
    }

    private mutating func append(_ value: AWSInput, _ name: String) {
        switch value {
        case .structure(let fields):
            for field in fields { append(field.value, name.isEmpty ? field.name : "\(name).\(field.name)") }
        case .list(let elements, let form): append(elements, form, name)
        case .map(let entries):
            for (position, entry) in entries.enumerated() {
                let prefix = "\(name).entry.\(position + 1)"
                append("\(prefix).key", entry.name)
                append(entry.value, "\(prefix).value")
            }
        case .absent: break
        default:
            if let text = value.scalarText { append(name, text) }
        }
    }

    private mutating func append(_ elements: [AWSInput], _ form: AWSInput.ListForm, _ name: String) {
        let elements = elements.filter { $0 != .absent }
        guard !elements.isEmpty else {
            // The query protocol clears a list by sending it empty; ec2 has no such thing.
            if dialect == .query { append(name, "") }
            return
        }
        var prefix = name
        if dialect == .query, case .members(let member) = form { prefix += ".\(member)" }
        for (position, element) in elements.enumerated() { append(element, "\(prefix).\(position + 1)") }
    }
}

/// Bodies of the JSON protocols.
struct JSONBodyEncoder {
    private var bytes: [UInt8] = []

    static func encode(_ input: AWSInput) -> [UInt8] {
        var encoder = JSONBodyEncoder()
        encoder.append(input)
        return encoder.bytes
    }

    private mutating func append(_ value: AWSInput) {
        switch value {
        case .structure(let fields), .map(let fields):
            append(fields.filter { $0.value != .absent }, "{", "}") { encoder, field in
                encoder.append(quoted: field.name)
                encoder.bytes.append(UInt8(ascii: ":"))
                encoder.append(field.value)
            }
        case .list(let elements, _):
            append(elements.filter { $0 != .absent }, "[", "]") { $0.append($1) }
        case .integer, .double, .boolean: bytes += Array((value.scalarText ?? "null").utf8)
        case .timestamp(let time):
            let milliseconds = time.millisecondsSinceEpoch
            let text =
                milliseconds % 1_000 == 0 ? String(milliseconds / 1_000) : String(Double(milliseconds) / 1_000)
            bytes += Array(text.utf8)
        case .absent: bytes += Array("null".utf8)
        case .string, .secret, .blob: append(quoted: value.scalarText ?? "")
        }
    }

    private mutating func append<Element>(
        _ elements: [Element], _ open: Unicode.Scalar, _ close: Unicode.Scalar,
        _ write: (inout JSONBodyEncoder, Element) -> Void
    ) {
        bytes.append(UInt8(ascii: open))
        for (position, element) in elements.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            write(&self, element)
        }
        bytes.append(UInt8(ascii: close))
    }

    private mutating func append(quoted text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0a: bytes += Array("\\n".utf8)
            case 0x0d: bytes += Array("\\r".utf8)
            case 0x09: bytes += Array("\\t".utf8)
            case 0..<0x20: bytes += Array("\\u00".utf8) + Array(Hexadecimal.encode([byte]).utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// Bodies of the `rest-xml` protocol.
struct XMLBodyEncoder {
    private var bytes: [UInt8] = []

    static func encode(_ input: AWSInput, root: String, namespace: String?) -> [UInt8] {
        var encoder = XMLBodyEncoder()
        encoder.bytes += Array("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".utf8)
        encoder.element(root, input, namespace)
        return encoder.bytes
    }

    private mutating func element(_ name: String, _ value: AWSInput, _ namespace: String? = nil) {
        switch value {
        case .absent: return
        case .list(let elements, .flat):
            for element in elements { self.element(name, element) }
            return
        default: break
        }
        bytes += Array("<\(name)".utf8)
        if let namespace {
            bytes += Array(" xmlns=\"".utf8)
            escape(namespace)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: ">"))
        switch value {
        case .structure(let fields):
            for field in fields { element(field.name, field.value) }
        case .list(let elements, .members(let member)):
            for element in elements { self.element(member, element) }
        case .map(let entries):
            for entry in entries {
                element("entry", .structure([.init("key", .string(entry.name)), .init("value", entry.value)]))
            }
        default: escape(value.scalarText ?? "")
        }
        bytes += Array("</\(name)>".utf8)
    }

    private mutating func escape(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes += Array("&amp;".utf8)
            case UInt8(ascii: "<"): bytes += Array("&lt;".utf8)
            case UInt8(ascii: ">"): bytes += Array("&gt;".utf8)
            case UInt8(ascii: "\""): bytes += Array("&quot;".utf8)
            case 0x0d: bytes += Array("&#13;".utf8)
            default: bytes.append(byte)
            }
        }
    }
}

extension AWSInput {
    /// A scalar as forms, paths and XML write it.
    var scalarText: String? {
        switch self {
        case .string(let text): text
        case .secret(let secret): secret.revealed
        case .integer(let value): String(value)
        case .double(let value): value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
        case .boolean(let value): value ? "true" : "false"
        case .blob(let bytes): Base64.encode(bytes)
        case .timestamp(let time): time.iso8601
        case .list, .map, .structure, .absent: nil
        }
    }
}
