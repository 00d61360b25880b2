import MusterModel
import ProviderKit

extension ManagedResource {
    /// An error for an object that went between the plan and the call.
    static func gone(_ id: RemoteID) -> ProviderError {
        ProviderError(.notFound, "There is no \(type) \"\(id)\" any more.")
    }

    /// An error for text that cannot be the id of such an object.
    static func badID(_ text: String) -> ProviderError {
        ProviderError(
            .invalid, "\"\(text)\" is not an id of \(type).",
            hint: "Write it as \(schema.resource.importSyntax).")
    }

    /// Ids that AWS makes: `prefix-` and letters and digits.
    static func checkedID(_ text: String, prefix: String) throws(ProviderError) -> RemoteID {
        let text = text.filter { !$0.isWhitespace }
        let rest = text.dropFirst(prefix.count)
        guard text.hasPrefix(prefix), !rest.isEmpty, rest.utf8.allSatisfy({ $0.isASCIILetterOrDigit }) else {
            throw badID(text)
        }
        return RemoteID(text)
    }
}

extension UInt8 {
    fileprivate var isASCIILetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }
}
