import AWSClient
import MusterModel

extension AWSInput {
    /// A policy document as a call sends it: JSON text as it is, anything else as JSON with sorted keys.
    static func policy(_ document: MusterModel.Value?) -> AWSInput {
        switch document {
        case nil, .null: .absent
        case .string(let text): .nonEmpty(text)
        case .some(let document): .string(document.policyText)
        }
    }
}

extension Value {
    /// JSON with sorted keys and without blanks. Deferred parts have no JSON; a provider never gets them.
    var policyText: String {
        switch self {
        case .null, .deferred: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .integer(let number): String(number)
        case .number(let number): String(number)
        case .string(let text): Value.quoted(text)
        case .list(let values): "[\(values.map(\.policyText).joined(separator: ","))]"
        case .map(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { "\(Value.quoted($0.key)):\($0.value.policyText)" }
                .joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
