/// The targets of a `Package.swift` and their declared dependencies, by the modules that they lend.
///
/// It is read as text, not through SwiftPM, so that the test needs no second build. It understands the forms that this
/// manifest uses: `layer(…)`, `tests(…)`, `.target(…)`, `.executableTarget(…)`, `.systemLibrary(…)`, and names for
/// products of other packages (`let grdb: Target.Dependency = .product(name: "GRDB", …)`).
struct Manifest: Sendable {
    private(set) var dependencies: [String: Set<String>] = [:]

    init(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.drop { $0.isWhitespace }.hasPrefix("//") }
        let text = lines.joined(separator: "\n")
        let products = Manifest.products(in: text)
        guard let start = text.firstRange(of: "    targets: [")?.upperBound else { return }
        for call in Manifest.calls(in: text[start...]) {
            let (strings, names) = Manifest.words(in: call.arguments)
            guard let target = strings.first else { continue }
            if call.function == "systemLibrary" {
                dependencies[target] = []
                continue
            }
            let listed = Manifest.list(of: call)
            let words = Manifest.words(in: listed)
            dependencies[target] = Set(words.strings).union(names.compactMap { products[$0] })
        }
    }

    /// `let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")`
    private static func products(in text: String) -> [String: String] {
        var products: [String: String] = [:]
        for line in text.split(separator: "\n") where line.contains(": Target.Dependency = .product(") {
            guard let name = line.split(separator: " ").dropFirst().first?.dropLast(),
                let product = words(in: line).strings.first
            else { continue }
            products[String(name)] = product
        }
        return products
    }

    private struct Call {
        var function: Substring
        var arguments: Substring
    }

    /// The calls on the outermost level of a list.
    private static func calls(in text: Substring) -> [Call] {
        var calls: [Call] = []
        var depth = 0
        var start = text.startIndex
        var nameStart = text.startIndex
        for index in text.indices {
            let character = text[index]
            switch character {
            case "(", "[":
                if depth == 0 { start = index }
                depth += 1
            case ")", "]":
                depth -= 1
                if depth < 0 { return calls }
                if depth == 0, character == ")" {
                    let name = text[nameStart..<start].drop { !$0.isLetter }
                    calls.append(Call(function: name, arguments: text[text.index(after: start)..<index]))
                }
                if depth == 0 { nameStart = text.index(after: index) }
            default: break
            }
        }
        return calls
    }

    /// The first bracketed list: the dependencies, in all forms that are used here.
    private static func list(of call: Call) -> Substring {
        guard let open = call.arguments.firstIndex(of: "["),
            let close = call.arguments[open...].firstIndex(of: "]")
        else { return "" }
        return call.arguments[open...close]
    }

    private static func words(in text: Substring) -> (strings: [String], names: [String]) {
        var strings: [String] = []
        var names: [String] = []
        for (index, part) in text.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
            if index % 2 == 1 {
                strings.append(String(part))
            } else {
                names += part.split { !$0.isLetter && !$0.isNumber }.map(String.init)
            }
        }
        return (strings, names)
    }
}
