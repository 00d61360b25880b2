import MusterModel
import Testing

private let schema = ResourceSchema(
    type: "sim.thing", summary: "A thing.",
    arguments: [
        ArgumentSchema("name", .string, ""),
        ArgumentSchema("zone", .string, semantics: .dnsName, ""),
        ArgumentSchema("version", .string, semantics: .versionPrefix, ""),
        ArgumentSchema("subnets", .set(.string), ""),
        ArgumentSchema(
            "rules", .set(.object([ArgumentSchema("port", .integer, ""), ArgumentSchema("to", .string, "")])), ""),
        ArgumentSchema("password", .string, isSensitive: true, ""),
        ArgumentSchema("placement", .string, onChange: .creationOnly, ""),
        ArgumentSchema("tags", .map(.string), semantics: .tags, ""),
    ], outputs: [], importSyntax: "ID")

private let recorded: [String: Value] = [
    "name": "a", "zone": "example.net", "version": "8.0", "subnets": ["s-1", "s-2"], "password": "•",
    "placement": "here", "tags": ["Name": "a"],
]

private func source(_ live: [String: Value], recorded: [String: Value] = recorded, except: Set<String> = []) -> Value {
    fingerprintSource(schema: schema, id: "t-1", arguments: live, recorded: recorded, except: except)
}

private let live: [String: Value] = [
    "name": "a", "zone": "example.net", "version": "8.0.35", "subnets": ["s-1", "s-2"], "tags": ["Name": "a"],
]

private func live(_ changes: [String: Value]) -> [String: Value] { live.merging(changes) { $1 } }

@Test(
    "What nobody owns, and what means the same, does not change a fingerprint",
    arguments: [
        ["subnets": ["s-2", "s-1"]], ["tags": ["Name": "a", "Foreign": "b"]], ["version": "8.0.36"],
        ["zone": "Example.NET."], ["password": "hunter2"], ["placement": "there"], ["unknown": 1],
        ["rules": [["port": 1]]],
    ] as [[String: Value]])
func indifferent(changes: [String: Value]) {
    #expect(source(live(changes)) == source(live))
}

@Test(
    "A change of an owned field changes the fingerprint",
    arguments: [
        ["subnets": ["s-1"]], ["tags": ["Name": "b"]], ["tags": [:]], ["version": "8.1.0"], ["version": "8.01"],
        ["name": "b"], ["name": nil], ["zone": "example.org"],
    ] as [[String: Value]])
func different(changes: [String: Value]) {
    #expect(source(live(changes)) != source(live))
}

@Test("Another object has another fingerprint")
func identity() {
    let other = fingerprintSource(schema: schema, id: "t-2", arguments: live, recorded: recorded)
    #expect(other != source(live))
}

@Test("Arguments that belong to a controller are left out")
func exceptions() {
    #expect(source(live(["name": "b"]), except: ["name"]) == source(live, except: ["name"]))
}

@Test("A fingerprint says itself what it does not cover")
func selfContained() {
    let hash: (Value) -> String = { "\($0.hashValue)" }
    func matching(_ text: String, _ live: [String: Value]) -> Bool {
        matches(fingerprint: text, schema: schema, id: "t-1", arguments: live, recorded: recorded, hash: hash)
    }
    for except in [[], ["name"], ["subnets", "name", "not-recorded"]] as [Set<String>] {
        let text = fingerprint(
            schema: schema, id: "t-1", arguments: live, recorded: recorded, except: except, hash: hash)
        #expect(matching(text, live))
        #expect(matching(text, live(["name": "b"])) == except.contains("name"))
        #expect(!matching(text, live(["zone": "b"])))
    }
}

@Test("Objects in a set are put in order by their members")
func nestedSets() {
    let recorded: [String: Value] = ["rules": []]
    let one: [String: Value] = ["rules": [["port": 1, "to": "b"], ["port": 1, "to": "a"], ["port": 0]]]
    let two: [String: Value] = ["rules": [["port": 0, "to": nil], ["to": "a", "port": 1], ["port": 1, "to": "b"]]]
    #expect(source(one, recorded: recorded) == source(two, recorded: recorded))
}

@Test("A tainted argument is left out, so that no digest gives a secret away")
func tainted() {
    let secret = Value.deferred(Deferred(.secret(SecretReference(name: "p", source: "env:P"))))
    let recorded = recorded.merging(["name": secret]) { $1 }
    #expect(source(live(["name": "x"]), recorded: recorded) == source(live(["name": "y"]), recorded: recorded))
}
