/// All functions of the spec language, in the order of the reference page.
package enum FunctionLibrary {
    package static let all: [FunctionDefinition] =
        ChoiceFunctions.all + CollectionFunctions.all + TextFunctions.all + NumberFunctions.all
        + EncodingFunctions.all + NetworkFunctions.all + FileFunctions.all

    package static subscript(name: String) -> FunctionDefinition? { byName[name] }

    private static let byName = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
}

enum ChoiceFunctions {
    static let all = [
        FunctionDefinition(
            "if", [.init("condition", .boolean), .init("then", .any), .init("else", .any)], .any,
            "One of two values; the other one is not evaluated.",
            [.init("if(1 < 2, \"yes\", 1 / 0)", "\"yes\"")], .conditional),
        FunctionDefinition(
            "coalesce", [.init("first", .any), .init("others", .any, isVariadic: true)], .any,
            "The first value that is not null, or null; those after it are not evaluated.",
            [.init("coalesce(null, \"a\", \"b\")", "\"a\"")], .firstNonNull),
        FunctionDefinition(
            "default", [.init("value", .any), .init("fallback", .any)], .any,
            "The value, or the fallback when it is null.",
            [.init("default(null, 3)", "3"), .init("default(\"\", \"x\")", "\"\"")], .firstNonNull),
    ]
}
