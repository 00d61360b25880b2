import MusterModel

/// `format()`: a small printf without undefined behaviour.
enum Formatter {
    private static let maximumWidth = 1_000
    private static let maximumPrecision = 15

    private struct Mark {
        var isLeft = false
        var hasZeros = false
        var width = 0
        var precision: Int?
        var letter: Character = " "
    }

    /// The first argument is the template, the others its values.
    static func format(_ arguments: Arguments) throws(EvaluationFailure) -> String {
        let template = Array(try arguments.string(0))
        var result = ""
        var index = 0
        var next = 1
        while index < template.count {
            guard template[index] == "%" else {
                result.append(template[index])
                index += 1
                continue
            }
            let mark = try mark(in: template, &index, arguments)
            if mark.letter == "%" {
                result.append("%")
                continue
            }
            guard next < arguments.count else {
                throw arguments.failure("The template has more marks than there are values: \(arguments.count - 1).")
            }
            result += try text(of: next, as: mark, arguments)
            next += 1
        }
        guard next == arguments.count else {
            throw arguments.failure("There are \(arguments.count - 1) values, and the template uses \(next - 1).")
        }
        return result
    }

    private static func mark(
        in template: [Character], _ index: inout Int, _ arguments: Arguments
    ) throws(EvaluationFailure) -> Mark {
        let start = index
        index += 1
        var mark = Mark()
        flags: while index < template.count {
            switch template[index] {
            case "-": mark.isLeft = true
            case "0": mark.hasZeros = true
            default: break flags
            }
            index += 1
        }
        mark.width = number(in: template, &index) ?? 0
        if index < template.count, template[index] == "." {
            index += 1
            mark.precision = number(in: template, &index) ?? 0
        }
        if index < template.count {
            mark.letter = template[index]
            index += 1
        }
        let text = String(template[start..<index])
        guard "sdxXf%".contains(mark.letter), mark.precision == nil || mark.letter == "f" else {
            throw arguments.failure("\"\(text)\" is not a mark of format.", hint: "Write %% for a percent sign.")
        }
        guard mark.width <= maximumWidth, mark.precision ?? 0 <= maximumPrecision else {
            throw arguments.failure(
                "\"\(text)\" is too wide: a width may be \(maximumWidth), a precision \(maximumPrecision).")
        }
        return mark
    }

    private static func number(in template: [Character], _ index: inout Int) -> Int? {
        var value: Int?
        while index < template.count, template[index].isASCII, let digit = template[index].wholeNumberValue {
            value = min((value ?? 0) * 10 + digit, 1_000_000)
            index += 1
        }
        return value
    }

    private static func text(
        of position: Int, as mark: Mark, _ arguments: Arguments
    ) throws(EvaluationFailure) -> String {
        let value = arguments.values[position]
        var sign = ""
        var body: String
        switch mark.letter {
        case "s": body = try Evaluation.rendered(value)
        case "f":
            guard let number = value.integer.map(Double.init) ?? value.double else {
                throw wrong(value, mark, "a number")
            }
            sign = number < 0 ? "-" : ""
            body = decimal(abs(number), precision: mark.precision ?? 6)
        default:
            guard let number = value.integer else { throw wrong(value, mark, "an integer") }
            sign = number < 0 ? "-" : ""
            body = String(number.magnitude, radix: mark.letter == "d" ? 10 : 16, uppercase: mark.letter == "X")
        }
        let padding = max(0, mark.width - sign.count - body.count)
        if mark.isLeft { return sign + body + String(repeating: " ", count: padding) }
        if mark.hasZeros, mark.letter != "s" { return sign + String(repeating: "0", count: padding) + body }
        return String(repeating: " ", count: padding) + sign + body
    }

    private static func wrong(_ value: Value, _ mark: Mark, _ kind: String) -> EvaluationFailure {
        .wrongType("The value for %\(mark.letter)", is: value, mustBe: kind)
    }

    /// A number that is not negative, with so many digits after the point. The shortest text that means the number is
    /// rounded, half up, so that what is written as 12.345 becomes 12.35.
    static func decimal(_ number: Double, precision: Int) -> String {
        let text = Array(number.description.utf8)
        let exponentStart = text.firstIndex(of: UInt8(ascii: "e")) ?? text.count
        let exponent =
            exponentStart < text.count ? Int(String(decoding: text[(exponentStart + 1)...], as: UTF8.self)) ?? 0 : 0
        let mantissa = text[..<exponentStart]
        let point = mantissa.firstIndex(of: UInt8(ascii: ".")) ?? exponentStart
        var digits = mantissa.filter { $0 != UInt8(ascii: ".") }.map { Int($0 - UInt8(ascii: "0")) }
        var whole = point + exponent
        if whole < 1 {
            digits.insert(contentsOf: repeatElement(0, count: 1 - whole), at: 0)
            whole = 1
        }
        let kept = whole + precision
        if digits.count > kept {
            let roundsUp = digits[kept] >= 5
            digits.removeSubrange(kept...)
            if roundsUp {
                var index = kept - 1
                while index >= 0, digits[index] == 9 {
                    digits[index] = 0
                    index -= 1
                }
                if index >= 0 {
                    digits[index] += 1
                } else {
                    digits.insert(1, at: 0)
                    whole += 1
                }
            }
        }
        while digits.count < whole + precision { digits.append(0) }
        let characters = digits.map(String.init)
        let integral = characters[..<whole].joined()
        return precision == 0 ? integral : integral + "." + characters[whole...].joined()
    }
}

extension Value {
    /// A number that is no integer.
    var double: Double? { if case .number(let value) = self { value } else { nil } }
}
