import Diagnostics
import Expressions
import MusterModel
import TestSupport
import Testing

@Suite("Functions")
struct FunctionTests {
    @Test("Every example of the reference page is true", arguments: FunctionLibrary.all.map(\.name))
    func examples(name: String) throws {
        let function = try #require(FunctionLibrary[name])
        #expect(!function.examples.isEmpty)
        for example in function.examples {
            let expected = try evaluate(example.result)
            #expect(try evaluate(example.expression, files: example.files) == expected, "\(example.expression)")
        }
    }

    @Test("Names are unique, and optional parameters follow the others")
    func definitions() {
        #expect(Set(FunctionLibrary.all.map(\.name)).count == FunctionLibrary.all.count)
        for function in FunctionLibrary.all {
            let optional = function.parameters.drop { $0.defaultText == nil && !$0.isVariadic }
            #expect(optional.allSatisfy { $0.defaultText != nil || $0.isVariadic }, "\(function.name)")
            #expect(function.parameters.dropLast().allSatisfy { !$0.isVariadic }, "\(function.name)")
            #expect(function.documentation.hasSuffix("."), "\(function.name)")
        }
    }

    @Test("Signatures and one-line descriptions read well")
    func reference() {
        let lines = FunctionLibrary.all.map { "\($0.signature)\n    \($0.documentation)\n" }
        expectGolden(lines.joined(), named: "functions.txt")
    }

    @Test("No function crashes on any arguments")
    func totality() {
        var random = SeededGenerator.fromEnvironment()
        let values: [Value] = [
            nil, true, 0, 1, -1, .integer(.max), .integer(.min), .number(0.5), .number(-1e300), "", "a", "10.0.0.0/8",
            "::/0",
            "0.0.0.0/0", "%s%d%5.2f%-08x", "%999999999d", "[", "(a+)+$", "{\"a\":1}", "YQ==", "=", "../x", "t",
            "é🏠\r\n",
            [], [1, "a", nil], ["a", "b"], [[1], [[2]]], [:], ["a": 1, "b": ["c": nil]],
            .deferred(Deferred(.secret(SecretReference(name: "s", source: "env:S")))),
            ["x", .deferred(Deferred(.secret(SecretReference(name: "s", source: "env:S"))))],
        ]
        for function in FunctionLibrary.all {
            for count in 0...4 {
                for _ in 0..<150 {
                    let arguments = (0..<count).map { _ in Expression(random.pick(values)) }
                    _ = try? evaluate(.call(function.name, arguments), files: ["t": "${a} ${", "a": "${b}", "": "x"])
                }
            }
        }
    }

    @Test("Arguments of the wrong kind are named, with the signature")
    func wrongKinds() {
        checkFailure(
            "join([1], \",\")",
            "The argument \"separator\" of join is a list, and must be a string. | "
                + "join(separator: string, list: list) → string")
        checkFailure(
            "join(x, \",\")",
            "The argument \"list\" of join is a string, and must be a list. | join(separator: string, list: list) → string"
        )
        checkFailure(
            "join(\",\", [1, null])",
            "Element 1 of the argument \"list\" of join is null, and must be a string, a number or a boolean. | "
                + "join(separator: string, list: list) → string")
        checkFailure(
            "upper(1)",
            "The argument \"text\" of upper is an integer, and must be a string. | upper(text: string) → string")
        checkFailure(
            "length(1)",
            "The argument \"value\" of length is an integer, and must be a list, a map or a string. | "
                + "length(value: any) → integer")
        checkFailure(
            "merge({}, 1)",
            "The argument \"maps\" of merge is an integer, and must be a map. | merge(map: map, maps: map…) → map")
    }

    @Test("Collections")
    func collections() throws {
        try check("distinct([1, 1.0, \"1\"])", "[1, \"1\"]")
        try check("sort([3, 1, 2.5])", "[1, 2.5, 3]")
        try check("sort([])", "[]")
        try check("range(0)", "[]")
        try check("range(3, 1)", "[]")
        try check("flatten([])", "[]")
        try check("slice([1, 2], 2)", "[]")
        try check("index_of([1, 2], 2.0)", "1")
        try check("element([1, 2, 3], -4)", "3")
        try check("zip_map([1, true], [\"a\", \"b\"])", "{ \"1\": \"a\", true: \"b\" }")
        try check("length(\"🏠é\")", "2")
        checkFailure(
            "sort([1, \"a\"])", "A list with an integer and a string has no order. | sort(list: list) → list")
        checkFailure(
            "range(1000000000000)",
            "A range may have 100000 elements, and this one would have more. | "
                + "range(start: integer, end: integer = …, step: integer = 1) → list")
        checkFailure(
            "slice([1], 0, 2)",
            "There is no slice from 0 to 2 of a list of 1 elements. | "
                + "slice(list: list, start: integer, end: integer = length(list)) → list")
        checkFailure("element([], 0)", "An empty list has no elements. | element(list: list, index: integer) → any")
        checkFailure(
            "zip_map([\"a\", \"a\"], [1, 2])",
            "The key \"a\" is there twice. | zip_map(keys: list, values: list) → map")
        checkFailure(
            "lookup({ name: 1 }, \"nmae\")",
            "The map has no key \"nmae\". It has \"name\". | Did you mean \"name\"?")
    }

    @Test("Texts")
    func texts() throws {
        try check("split(\"ab\", \"xabyab\")", "[\"x\", \"y\", \"\"]")
        try check("split(\"\\n\", \"a\\r\\nb\")", "[\"a\\r\", \"b\"]")
        try check("split(\",\", \"\")", "[\"\"]")
        try check("replace(\"aaa\", \"aa\", \"b\")", "\"ba\"")
        try check("regex_replace(\"a1b22\", \"[0-9]+\", \"<$0>$$1\")", "\"a<1>$1b<22>$1\"")
        try check("regex_replace(\"ab\", \"(x)?b\", \"[$1]\")", "\"a[]\"")
        try check("trim(\"\\n a \\t\")", "\"a\"")
        try check("trim_suffix(\"a\", \"ba\")", "\"a\"")
        try check("substr(\"abc\", 5)", "\"\"")
        try check("substr(\"abc\", -9, 2)", "\"ab\"")
        try check("substr(\"abc\", 1, 0)", "\"\"")
        try check("upper(\"straße\")", "\"STRASSE\"")
        try check("title(\"it's a-b 3c\")", "\"It's A-B 3c\"")
        checkFailure(
            "replace(\"a\", \"\", \"b\")",
            "The part to replace must not be empty. | replace(text: string, old: string, new: string) → string")
        checkFailure(
            "integer(\"12x\")", "\"12x\" is not an integer in 64 bits. | integer(value: text) → integer")
        checkFailure("integer(1.5)", "1.5 is not an integer. | floor(x) and ceil(x) round.")
        checkFailure("boolean(\"yes\")", "\"yes\" is neither \"true\" nor \"false\". | boolean(value: any) → boolean")
        checkFailure("number(\"nan\")", "\"nan\" is not a number. | number(value: text) → number")
        checkFailure("number(\"0x10\")", "\"0x10\" is not a number. | number(value: text) → number")
    }

    @Test(
        "format() fills in marks as printf does",
        arguments: [
            ("\"%d|%5d|%-5d|%05d|%x|%X\", 1, -2, 3, -4, 255, 255", "1|   -2|3    |-0004|ff|FF"),
            ("\"%s %s %s\", \"a\", 1, true", "a 1 true"), ("\"%f|%.0f|%.3f\", 1, 2.5, 1e-4", "1.000000|3|0.000"),
            ("\"%.1f %.1f\", 9.96, -0.25", "10.0 -0.3"), ("\"%.2f\", 1e20", "100000000000000000000.00"),
            ("\"%08.2f|%8s|%-8s|\", -3.14159, \"ab\", \"ab\"", "-0003.14|      ab|ab      |"), ("\"100%%\"", "100%"),
            ("\"%d %x\", -9223372036854775808, -9223372036854775808", "-9223372036854775808 -8000000000000000"),
        ])
    func format(arguments: String, expected: String) throws {
        #expect(try evaluate("format(\(arguments))") == .string(expected))
    }

    @Test("format() refuses what does not fit")
    func formatFailures() {
        let signature = " | format(template: string, values: text…) → string"
        checkFailure("format(\"%d\")", "The template has more marks than there are values: 0." + signature)
        checkFailure("format(\"%d\", 1, 2)", "There are 2 values, and the template uses 1." + signature)
        checkFailure("format(\"%q\", 1)", "\"%q\" is not a mark of format. | Write %% for a percent sign.")
        checkFailure("format(\"50% off\")", "\"% \" is not a mark of format. | Write %% for a percent sign.")
        checkFailure("format(\"%\")", "\"%\" is not a mark of format. | Write %% for a percent sign.")
        checkFailure(
            "format(\"%5000d\", 1)", "\"%5000d\" is too wide: a width may be 1000, a precision 15." + signature)
        checkFailure("format(\"%d\", \"a\")", "The value for %d is a string, and must be an integer.")
        checkFailure("format(\"%f\", true)", "The value for %f is a boolean, and must be a number.")
    }

    @Test("Numbers")
    func numbers() throws {
        try check("max(1, 2.5, -3)", "2.5")
        try check("min([2])", "2")
        try check("sum([])", "0")
        try check("abs(-1.5)", "1.5")
        try check("floor(-7 / 2)", "-4")
        try check("ceil(-0.5)", "0")
        try check("floor(3)", "3")
        checkFailure("min([])", "An empty list has no such number. | min(first: any, others: number…) → number")
        checkFailure(
            "max(1, \"a\")",
            "The argument \"others\" of max is a string, and must be a number. | max(first: any, others: number…) → number"
        )
        checkFailure("abs(-9223372036854775808)", "The result of - is too large for 64 bits.")
        checkFailure("floor(1e300)", "The result does not fit into 64 bits. | floor(value: number) → integer")
    }

    @Test("Networks")
    func networks() throws {
        try check("cidr_subnet(\"10.1.2.3/16\", 0, 0)", "\"10.1.0.0/16\"")
        try check("cidr_subnet(\"0.0.0.0/0\", 32, 4294967295)", "\"255.255.255.255/32\"")
        try check("cidr_subnet(\"::/0\", 128, 1)", "\"::1/128\"")
        try check("cidr_subnet(\"::/0\", 0, 0)", "\"::/0\"")
        try check("cidr_host(\"10.0.0.5/32\", 0)", "\"10.0.0.5\"")
        try check("cidr_host(\"::/0\", -1)", "\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\"")
        try check("cidr_netmask(\"0.0.0.0/0\")", "\"0.0.0.0\"")
        try check("cidr_netmask(\"1.2.3.4/32\")", "\"255.255.255.255\"")
        try check("cidr_contains(\"2001:db8::/32\", \"2001:db8::1\")", "true")
        try check("cidr_contains(\"10.0.0.0/8\", \"::1\")", "false")
        checkFailure(
            "cidr_subnet(\"10.0.0.0/16\", 8, 256)",
            "With 8 new bits there is no subnet number 256. | "
                + "cidr_subnet(prefix: string, newbits: integer, netnum: integer) → string")
        checkFailure(
            "cidr_subnet(\"10.0.0.0/16\", 17, 0)",
            "A prefix of 16 bits can get at most 16 bits longer, and not 17. | "
                + "cidr_subnet(prefix: string, newbits: integer, netnum: integer) → string")
        checkFailure(
            "cidr_host(\"10.0.0.0/24\", 256)",
            "The network 10.0.0.0/24 has no address number 256. | cidr_host(prefix: string, hostnum: integer) → string")
        checkFailure(
            "cidr_host(\"10.0.0/24\", 1)",
            "\"10.0.0/24\" is not a network. | Networks are written 10.0.0.0/16 or 2001:db8::/32.")
        checkFailure(
            "cidr_netmask(\"::/8\")", "IPv6 networks have no netmask. | cidr_netmask(prefix: string) → string")
    }

    @Test("Encodings")
    func encodings() throws {
        for length in 0..<10 {
            let text = String("\u{0}é🏠abc\u{7F}".unicodeScalars.prefix(length).map(Character.init))
            let quoted = Expression.literal(.string(text)).sourceText
            try check("base64_decode(base64_encode(\(quoted)))", quoted)
            try check("json_decode(json_encode([\(quoted)]))[0]", quoted)
        }
        try check("base64_encode(\"ab\")", "\"YWI=\"")
        try check("json_encode({ \"$deferred\": 1.0 })", "\"{\\\"$deferred\\\":1.0}\"")
        try check(
            "json_decode(\"{\\\"$deferred\\\": [\\\"secret\\\", \\\"a\\\", \\\"b\\\"]}\")[\"$deferred\"][0]",
            "\"secret\"")
        let signature = " | base64_decode(text: string) → string"
        for text in ["YQ", "YQ=", "YR==", "Y===", "====", "Y!==", "YQ==YQ=="] {
            checkFailure("base64_decode(\"\(text)\")", "The text is not Base64." + signature)
        }
        checkFailure("base64_decode(\"/w==\")", "What the Base64 stands for is not a text in UTF-8." + signature)
        checkFailure(
            "json_decode(\"[1,]\")",
            "The text is not JSON: line 1, column 4: no value begins like this. | json_decode(text: string) → any")
    }

    @Test("file() gives the text as it is, and template() fills it in")
    func files() throws {
        let files = [
            "user-data/a.sh": "#!/bin/sh\necho ${name} $${HOME} ${index + 1}\n", "one": "${count}",
            "outer": "${template(\"one\", { count: 1 })}",
        ]
        try check("file(\"./user-data/a.sh\")", "\"x\"", files: ["./user-data/a.sh": "x"])
        try check("file(\"one\")", "\"\\${count}\"", files: files)
        try check(
            "template(\"user-data/a.sh\", { name: \"web\", index: 1 })", "\"#!/bin/sh\\necho web \\${HOME} 2\\n\"",
            files: files)
        try check("template(\"one\", { count: 3 })", "\"3\"", files: files)
        try check("template(\"outer\", {})", "\"1\"", files: files)
        try check(
            "template(\"user-data/a.sh\", { name: x, index: 1 })", "${\"#!/bin/sh\\necho ${x} \\${HOME} 2\\n\"}",
            files: files)
        try check("file(x)", "${file(x)}", files: files)
        try check("template(\"one\", x)", "${template(\"one\", x)}", files: files)
    }

    @Test("Files outside the workspace, missing ones and mistakes in them are errors")
    func fileFailures() throws {
        let cure = " | Write a path relative to the folder of muster.yaml, without \"..\"."
        for path in ["/etc/passwd", "../a", "a/../../b", "", "a/..", "~/x"] {
            checkFailure("file(\"\(path)\")", "\(path.quoted) is not a path inside the workspace." + cure)
        }
        checkFailure("file(\"gone\")", "\"gone\": there is no such file")
        let files = ["t": "a ${nmae} b", "u": "a\n ${b +}", "self": "${template(\"self\", {})}", "list": "${l}"]
        checkFailure(
            "template(\"t\", { name: 1 })", "The map given to template() has no \"nmae\". | Did you mean \"name\"?",
            files: files)
        checkFailure("template(\"u\", { b: 1 })", "A value is missing here.", files: files)
        checkFailure(
            "template(\"self\", {})",
            "Templates may use each other 8 levels deep, and \"self\" is used deeper. | A template must not use itself.",
            files: files)
        checkFailure(
            "template(\"list\", { l: [1] })",
            "What stands in the text is a list, and must be a string, a number or a boolean. | "
                + "join(\", \", list) makes a text of a list, json_encode(value) of anything.",
            files: files)
        do {
            _ = try evaluate("template(\"u\", {})", files: files)
            Issue.record("A mistake was overlooked")
        } catch let failure as EvaluationFailure {
            #expect(failure.range?.description == "u:2:7")
        }
        #expect(throws: EvaluationFailure.self) {
            try Evaluator.evaluate(.call("file", [.literal("a")])) { _ in nil }
        }
    }
}
