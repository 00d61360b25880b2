// Values as JSON: columns of the state, plan files, `--format json`, and what fingerprints are taken of.
//
// Canonical: no white space, keys in ascending order, integers in decimal, numbers in the shortest form that reads back as
// the same double and always with a point or an exponent, so that 1 and 1.0 stay apart. Control characters, quotation marks
// and backslashes are escaped, nothing else. Equal values give the same bytes.
//
// A deferred value is an object with the one key `$deferred`, whose member is the tree: a node is an array that begins with
// its kind, and anything else is a literal. So that no map of a user can be taken for one, a key that begins with
// `$deferred` gets a `$` after that word, which reading takes away.
//
//     "a"  1  1.5  true  null              literals
//     ["value", V]                         a literal list or map
//     ["output", ADDRESS, NAME]            ["secret", NAME, SOURCE]
//     ["reference", STACK, PART, …]        a part is a name or an index
//     ["named", STACK, KIND, NAME]         a bare name; what the kind accepts is not kept
//     ["template", NODE, …]                ["list", NODE, …]              ["map", KEY, NODE, …]
//     ["member", NODE, NAME]               ["index", NODE, NODE]          ["call", NAME, NODE, …]
//     ["unary", OPERATOR, NODE]            ["binary", OPERATOR, NODE, NODE]
//
// Places (`SourceRange`) are not kept. Infinities and NaN are no values of the language: should one get here it is written
// as `1e999` (which reading refuses) and null.

/// Reads and writes values as JSON.
package enum ValueJSON {
    /// How deep JSON may be nested.
    package static let maximumDepth = 512

    /// Why a text could not be read.
    package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// A phrase without a full stop.
        package let message: String
        /// From 1.
        package let line: Int
        /// From 1, in bytes.
        package let column: Int

        package var description: String { "line \(line), column \(column): \(message)" }
    }

    /// Canonical JSON.
    package static func encode(_ value: Value) -> [UInt8] {
        var writer = JSONWriter()
        writer.write(value)
        return writer.bytes
    }

    /// Canonical JSON as text.
    package static func text(_ value: Value) -> String { String(decoding: encode(value), as: UTF8.self) }

    /// The value that `encode` wrote. Strict JSON; duplicate keys and integers beyond 64 bits are refused, and so are
    /// numbers beyond a double.
    package static func decode(_ bytes: [UInt8]) throws(Failure) -> Value {
        var reader = JSONReader(bytes, maximumDepth: maximumDepth)
        let value = try reader.readDocument()
        return reader.hasDeferredKeys ? try DeferredCoder.restored(value) : value
    }

    package static func decode(_ text: String) throws(Failure) -> Value { try decode(Array(text.utf8)) }

    /// The JSON that means the value to others: `$deferred` is a key like any other. What is deferred becomes null.
    package static func plainText(_ value: Value) -> String {
        var writer = JSONWriter(isPlain: true)
        writer.write(value)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// JSON of others: `$deferred` is a key like any other. Nested 100 deep at most.
    package static func decodePlain(_ text: String) throws(Failure) -> Value {
        var reader = JSONReader(Array(text.utf8), maximumDepth: 100)
        return try reader.readDocument()
    }
}

extension Value {
    /// JSON over several lines, indented by two spaces, with sorted keys; it reads back as the same value.
    package var prettyJSON: String {
        var writer = JSONWriter(indentation: 0)
        writer.write(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
