/// The intent of a creation, which rides at the end of an object's description, where a cloud has no tags and names are not
/// unique.
package enum IntentMark {
    /// What a description may have beside the mark.
    package static let longestDescription = 960
    private static let opening = "[muster:intent="

    package static func description(_ text: String?, _ token: String) -> String {
        let text = text ?? ""
        return "\(text)\(text.isEmpty ? "" : " ")\(opening)\(token)]"
    }

    /// A new description with the mark of the old one.
    package static func description(_ text: String, keepingMarkOf old: String?) -> String {
        token(in: old).map { description(text, $0) } ?? text
    }

    /// The description as the user wrote it.
    package static func text(_ description: String?) -> String {
        guard let description, let start = start(in: description) else { return description ?? "" }
        let text = description[..<start]
        return String(text.last == " " ? text.dropLast() : text)
    }

    package static func token(in description: String?) -> String? {
        guard let description, let start = start(in: description) else { return nil }
        return String(description[start...].dropFirst(opening.count).dropLast())
    }

    private static func start(in description: String) -> String.Index? {
        let length = opening.count + 33
        guard description.hasSuffix("]"), description.count >= length else { return nil }
        let start = description.index(description.endIndex, offsetBy: -length)
        let mark = description[start...]
        guard mark.hasPrefix(opening) else { return nil }
        let isToken = mark.dropFirst(opening.count).dropLast().allSatisfy { $0.isHexDigit && !$0.isUppercase }
        return isToken ? start : nil
    }
}
