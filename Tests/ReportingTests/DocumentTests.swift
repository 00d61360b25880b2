import Diagnostics
import MusterModel
import TestSupport
import Testing

@testable import Reporting

/// Each JSON document as a golden, and against the schema that `muster schema` prints.
struct DocumentTests {
    private func check(_ text: String, _ schema: Value, named name: String) throws {
        #expect(text.hasSuffix("}\n"))
        let document = try ValueJSON.decodePlain(text)
        #expect(SchemaCheck(root: schema).problems(document) == [])
        #expect(ValueJSON.plainText(document) + "\n" == text)
        expectGolden(document.prettyJSON + "\n", named: "\(name).json")
    }

    @Test("Drift")
    func drift() throws {
        try check(DriftJSON.encode(sampleDrift(), checkedCount: 54), DriftSchema.jsonSchema(), named: "drift")
    }

    @Test("Hosts, and those of them that are drift")
    func hosts() throws {
        let (report, environments) = sampleHosts()
        try check(HostJSON.encode(report, environments: environments), HostsSchema.jsonSchema(), named: "hosts")
        let drift = DriftJSON.encode([], phantoms: report.phantoms, checkedCount: 54)
        try check(drift, DriftSchema.jsonSchema(), named: "drift-phantoms")
    }

    @Test("The list of the state")
    func stateList() throws {
        try check(StateJSON.list(sampleSnapshot()), StateSchema.listJSONSchema(), named: "state-list")
    }

    @Test("One resource of the state")
    func stateShow() throws {
        let snapshot = sampleSnapshot()
        let control = address("prod/rancher:aws.instance/prod-rancherctl1")
        let record = try #require(snapshot.records[control])
        let text = StateJSON.show(record, deposed: snapshot.deposed[control] ?? [])
        #expect(!text.contains("hunter2"))
        try check(text, StateSchema.showJSONSchema(), named: "state-show")
    }

    @Test("Outputs, of which a secret is null")
    func outputs() throws {
        try check(OutputJSON.encode(OutputTextTests().outputs), OutputsSchema.jsonSchema(), named: "output")
    }

    @Test("One output for a script is bare, and nothing when it is a secret or not known")
    func rawOutput() {
        #expect(OutputText.raw("a b") == "a b\n")
        #expect(OutputText.raw(["b": 1, "a": ["x", nil]]) == "{\"a\":[\"x\",null],\"b\":1}\n")
        #expect(OutputText.raw(output("vpc:aws.vpc/main")) == nil)
        #expect(OutputText.raw([.deferred(Deferred(secret("pw")))]) == nil)
    }

    @Test("Events of an apply, one line each")
    func events() throws {
        let lines = sampleEvents().map { EventJSON.line($0.event, at: $0.now) }
        let check = SchemaCheck(root: EventSchema.jsonSchema())
        for line in lines {
            #expect(line.utf8.filter { $0 == UInt8(ascii: "\n") }.count == 1)
            #expect(check.problems(try ValueJSON.decodePlain(line)) == [])
        }
        expectGolden(lines.joined(), named: "events.jsonl")
    }

    @Test("Diagnostics, each once and by place")
    func diagnostics() throws {
        let file = SourceFile(path: "specs/storage.yaml", text: "a:\n  versionned: true\n  region: x\n")
        let unknown = Diagnostic(
            code: "spec.unknown-argument", summary: "Unknown argument",
            detail: "\"versionned\" is not an argument of aws.s3_bucket", at: file.range(5, 15),
            related: [.init(range: file.range(0, 1), message: "the bucket is declared here")],
            hint: "Did you mean \"versioned\"?")
        let note = Diagnostic(.warning, code: "state.old", summary: "Old state", detail: "It is old.")
        try check(DiagnosticsJSON.encode([unknown, note, unknown]), ValidateSchema.jsonSchema(), named: "diagnostics")
        #expect(
            DiagnosticsJSON.encode([])
                == "{\"diagnostics\":[],\"errors\":0,\"format_version\":1,\"kind\":\"muster-diagnostics\",\"notes\":0,"
                + "\"valid\":true,\"warnings\":0}\n")
    }

    @Test("The schemas themselves")
    func schemas() {
        for name in ReportSchema.allCases {
            let schema = name.jsonSchema()
            #expect(schema.map?["$id"] == .string("urn:muster:schema:\(name.rawValue):1"))
            #expect(schema.map?["$schema"] == "https://json-schema.org/draft/2020-12/schema")
            expectGolden(schema.prettyJSON + "\n", named: "schema/\(name.rawValue).json")
        }
    }

    @Test("Random drift fits its schema")
    func randomDrift() throws {
        var plans = RandomPlans(.fromEnvironment())
        let check = SchemaCheck(root: DriftSchema.jsonSchema())
        for _ in 0..<100 {
            let text = DriftJSON.encode(plans.some(5) { $0.drift() }, checkedCount: 5)
            #expect(check.problems(try ValueJSON.decodePlain(text)) == [])
        }
    }
}
