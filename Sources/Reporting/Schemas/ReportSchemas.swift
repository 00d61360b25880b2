package import MusterModel

// JSON Schemas (draft 2020-12) of the documents that muster prints, for `muster schema`. They are closed: a member that is
// not listed is an error, so that a typing mistake in a consumer is found where it was made.

/// Every document with a schema, by the name under which `muster schema` prints it.
package enum ReportSchema: String, Sendable, CaseIterable {
    case plan, drift, hosts
    case stateList = "state-list"
    case stateResource = "state-resource"
    case outputs, diagnostics, event, history
    case historyRun = "history-run"

    package func jsonSchema() -> Value {
        switch self {
        case .plan: PlanSchema.jsonSchema()
        case .drift: DriftSchema.jsonSchema()
        case .hosts: HostsSchema.jsonSchema()
        case .stateList: StateSchema.listJSONSchema()
        case .stateResource: StateSchema.showJSONSchema()
        case .outputs: OutputsSchema.jsonSchema()
        case .diagnostics: ValidateSchema.jsonSchema()
        case .event: EventSchema.jsonSchema()
        case .history: HistorySchema.listJSONSchema()
        case .historyRun: HistorySchema.showJSONSchema()
        }
    }
}

/// Of `plan --format json` and of plan files.
package enum PlanSchema {
    package static func jsonSchema() -> Value {
        JSONSchema.document(
            "plan", "A plan of muster", "What plan --format json prints and plan --out writes.",
            JSONSchema.object([
                "format_version": JSONSchema.constant(.integer(PlanJSON.formatVersion)),
                "kind": JSONSchema.constant(.string(PlanJSON.kind)),
                "id": JSONSchema.described(JSONSchema.string, "a digest over all the rest"),
                "workspace": JSONSchema.string, "lineage": JSONSchema.string,
                "summary": JSONSchema.reference("summary"),
                "changes": JSONSchema.array(JSONSchema.reference("change")),
                "hazards": JSONSchema.array(JSONSchema.reference("hazard")),
                "drift": JSONSchema.array(JSONSchema.reference("drift")),
                "outputs": JSONSchema.array(JSONSchema.reference("output")),
                "steps": JSONSchema.array(JSONSchema.reference("step")),
                "relies_on": JSONSchema.array(
                    JSONSchema.object([
                        "address": JSONSchema.string, "version": JSONSchema.integer, "fingerprint": JSONSchema.string,
                    ])),
                "notes": JSONSchema.array(JSONSchema.string), "unrefreshed": JSONSchema.flag,
                "configurations": JSONSchema.map(
                    JSONSchema.object(
                        [:],
                        optional: [
                            "region": JSONSchema.string, "profile": JSONSchema.string,
                            "assume_role": JSONSchema.string, "account": JSONSchema.string,
                        ])),
                "scopes": JSONSchema.map(JSONSchema.reference("scope")),
            ]), definitions: definitions)
    }

    private static var definitions: [String: Value] {
        [
            "place": SharedDefinitions.place, "scope": SharedDefinitions.scope, "hazard": SharedDefinitions.hazard,
            "value": SharedDefinitions.value, "drift": SharedDefinitions.drift, "summary": summary, "change": change,
            "step": step,
            "output": JSONSchema.object(
                ["stack": JSONSchema.string, "name": JSONSchema.string, "hidden": JSONSchema.flag],
                optional: ["before": JSONSchema.reference("value"), "after": JSONSchema.reference("value")]),
        ]
    }

    private static var summary: Value {
        let names = [
            "add", "change", "destroy", "replace", "import", "move", "forget", "read", "outputs", "unchanged",
        ]
        return JSONSchema.described(
            JSONSchema.object(
                Dictionary(names.map { ($0, JSONSchema.count) }, uniquingKeysWith: { first, _ in first })),
            "A replacement counts in add, in destroy and in replace.")
    }

    private static var change: Value {
        let link = JSONSchema.object(
            ["address": JSONSchema.string, "text": JSONSchema.string],
            optional: ["argument": JSONSchema.string, "place": JSONSchema.reference("place")])
        let attribute = SharedDefinitions.attribute(
            "before", "after", ["forces_replacement": JSONSchema.flag, "known_after_apply": JSONSchema.flag])
        return JSONSchema.object(
            SharedDefinitions.address.merging([
                "action": JSONSchema.choice(Action.allCases.map(\.rawValue)),
                "reason": JSONSchema.choice(Reason.codes),
                "why": JSONSchema.described(
                    JSONSchema.array(link), "from this change back to a line of the spec, its own cause first"),
                "attributes": JSONSchema.array(attribute),
                "hazards": JSONSchema.array(JSONSchema.reference("hazard")),
                "notes": JSONSchema.array(JSONSchema.string),
            ]) { _, new in new },
            optional: [
                "reason_arguments": JSONSchema.array(JSONSchema.string), "reason_address": JSONSchema.string,
                "id": JSONSchema.string, "place": JSONSchema.reference("place"),
                "previous_address": JSONSchema.string,
            ])
    }

    private static var step: Value {
        let seconds = ["create", "update", "delete"].map { ($0, JSONSchema.integer) }
        return JSONSchema.described(
            JSONSchema.object(
                [
                    "id": JSONSchema.count, "address": JSONSchema.string,
                    "operation": JSONSchema.choice(["create", "update", "delete", "adopt", "forget", "move"]),
                    "after": JSONSchema.array(JSONSchema.count), "version": JSONSchema.integer,
                ],
                optional: [
                    "target": JSONSchema.string, "desired": JSONSchema.map(JSONSchema.reference("value")),
                    "prior": JSONSchema.map(JSONSchema.reference("value")), "fingerprint": JSONSchema.string,
                    "generation": JSONSchema.integer, "scope": JSONSchema.reference("scope"),
                    "timeouts": JSONSchema.object(Dictionary(seconds, uniquingKeysWith: { first, _ in first })),
                    "protected": JSONSchema.flag, "dependencies": JSONSchema.array(JSONSchema.string),
                    "deposed": JSONSchema.flag, "deposes_previous": JSONSchema.flag,
                    "previous_address": JSONSchema.string,
                ]),
            "A member that is absent has its usual value; an absent scope is that of the stack.")
    }
}

extension Reason {
    /// Every `code`, sorted.
    static let codes = [
        "arguments-changed", "cannot-update", "deposed", "destroy-requested", "foreign-child", "gone", "import-block",
        "incomplete", "not-in-spec", "not-in-state", "removed-block", "requested", "triggered",
    ]
}

/// Of `drift --format json`.
package enum DriftSchema {
    package static func jsonSchema() -> Value {
        JSONSchema.document(
            "drift", "Drift found by muster", "What drift --format json prints.",
            JSONSchema.object([
                "format_version": JSONSchema.constant(.integer(DriftJSON.formatVersion)),
                "kind": JSONSchema.constant(.string(DriftJSON.kind)),
                "summary": JSONSchema.object([
                    "changed": JSONSchema.count, "gone": JSONSchema.count, "foreign": JSONSchema.count,
                    "checked": JSONSchema.count, "phantoms": JSONSchema.count,
                ]),
                "drift": JSONSchema.array(SharedDefinitions.drift),
                "phantoms": JSONSchema.described(
                    JSONSchema.array(HostsSchema.host), "hosts of Rancher whose instance is gone"),
            ]),
            definitions: ["place": SharedDefinitions.place, "value": plainValue])
    }
}

/// Of `rancher hosts --format json`.
package enum HostsSchema {
    package static func jsonSchema() -> Value {
        let verdicts = HostFinding.Verdict.allCases.map(\.rawValue) + ["not_joined"]
        return JSONSchema.document(
            "hosts", "Rancher hosts held against instances", "What rancher hosts --format json prints.",
            JSONSchema.object([
                "format_version": JSONSchema.constant(.integer(HostJSON.formatVersion)),
                "kind": JSONSchema.constant(.string(HostJSON.kind)),
                "summary": JSONSchema.object(
                    Dictionary(verdicts.map { ($0, JSONSchema.count) }, uniquingKeysWith: { first, _ in first })),
                "environments": JSONSchema.array(environment), "hosts": JSONSchema.array(host),
                "not_joined": JSONSchema.array(machine),
            ]))
    }

    private static let text = JSONSchema.nullable(JSONSchema.string)
    private static let seconds = JSONSchema.described(
        JSONSchema.nullable(JSONSchema.integer), "seconds since 1970; null: not known")

    private static let environment = JSONSchema.object([
        "server": JSONSchema.string, "id": JSONSchema.string, "name": JSONSchema.string,
        "address": JSONSchema.described(text, "the resource that makes it; null: it is not managed here"),
        "stack": text,
    ])

    static let host = JSONSchema.object([
        "server": JSONSchema.string, "environment": JSONSchema.string, "environment_id": JSONSchema.string,
        "environment_address": text, "id": JSONSchema.string, "name": JSONSchema.string, "hostname": text,
        "state": JSONSchema.string, "agent_state": text, "agent_address": text,
        "labels": JSONSchema.map(JSONSchema.string), "created": seconds,
        "verdict": JSONSchema.choice(HostFinding.Verdict.allCases.map(\.rawValue)), "why": JSONSchema.string,
        "tied_by": JSONSchema.described(
            JSONSchema.nullable(JSONSchema.choice(HostFinding.Tie.allCases.map(\.rawValue))),
            "how it is known which instance it is; null: it is not"),
        "instance": text, "instance_state": text, "owner": text,
    ])

    private static let machine = JSONSchema.object([
        "id": JSONSchema.string, "state": text, "addresses": JSONSchema.array(JSONSchema.string),
        "launched": seconds, "owner": text, "region": JSONSchema.string,
    ])
}

/// Of `state list` and `state show` with `--format json`.
package enum StateSchema {
    package static func listJSONSchema() -> Value {
        JSONSchema.document(
            "state-list", "Resources in the state of muster", "What state list --format json prints.",
            JSONSchema.object([
                "format_version": JSONSchema.constant(.integer(StateJSON.formatVersion)),
                "kind": JSONSchema.constant(.string(StateJSON.listKind)), "lineage": JSONSchema.string,
                "resources": JSONSchema.array(
                    JSONSchema.object(row.merging(["deposed": JSONSchema.flag]) { _, new in new })),
            ]),
            definitions: ["scope": SharedDefinitions.scope])
    }

    package static func showJSONSchema() -> Value {
        let resource = row.merging([
            "arguments": JSONSchema.map(JSONSchema.reference("value")),
            "sensitive": JSONSchema.described(
                JSONSchema.array(JSONSchema.string), "arguments that are null because they must not be shown"),
            "outputs": JSONSchema.map(JSONSchema.reference("value")),
            "dependencies": JSONSchema.array(JSONSchema.string),
            "history": JSONSchema.array(
                JSONSchema.object([
                    "run": JSONSchema.count, "at": JSONSchema.string, "operation": HistorySchema.operation,
                    "outcome": HistorySchema.stepOutcome, "who": JSONSchema.string, "host": JSONSchema.string,
                    "command": JSONSchema.string,
                ])),
            "deposed": JSONSchema.array(JSONSchema.object(row)),
        ]) { _, new in new }
        return JSONSchema.document(
            "state-resource", "A resource in the state of muster", "What state show --format json prints.",
            JSONSchema.object([
                "format_version": JSONSchema.constant(.integer(StateJSON.formatVersion)),
                "kind": JSONSchema.constant(.string(StateJSON.showKind)),
                "resource": JSONSchema.object(resource),
            ]),
            definitions: ["scope": SharedDefinitions.scope, "value": plainValue])
    }

    private static var row: [String: Value] {
        SharedDefinitions.address.merging([
            "id": JSONSchema.string, "scope": JSONSchema.reference("scope"), "protected": JSONSchema.flag,
            "version": JSONSchema.integer, "generation": JSONSchema.integer, "incomplete": JSONSchema.flag,
        ]) { _, new in new }
    }
}

/// Of `output --format json`.
package enum OutputsSchema {
    package static func jsonSchema() -> Value {
        let output = JSONSchema.object([
            "value": JSONSchema.described(.map([:]), "null when it is a secret or not known"),
            "secret": JSONSchema.flag, "known": JSONSchema.flag,
        ])
        return JSONSchema.document(
            "outputs", "Outputs of the stacks", "What output --format json prints, by stack and name.",
            JSONSchema.object([
                "format_version": JSONSchema.constant(.integer(OutputJSON.formatVersion)),
                "kind": JSONSchema.constant(.string(OutputJSON.kind)),
                "outputs": JSONSchema.map(JSONSchema.map(output)),
            ]))
    }
}

/// Of `validate --format json`.
package enum ValidateSchema {
    package static func jsonSchema() -> Value {
        let place = [
            "file": JSONSchema.nullable(JSONSchema.string), "line": JSONSchema.nullable(JSONSchema.integer),
            "column": JSONSchema.nullable(JSONSchema.integer), "end_line": JSONSchema.nullable(JSONSchema.integer),
            "end_column": JSONSchema.nullable(JSONSchema.integer),
        ]
        let related = JSONSchema.object(place.merging(["message": JSONSchema.string]) { _, new in new })
        let diagnostic = JSONSchema.object(
            place.merging([
                "severity": JSONSchema.choice(["error", "warning", "note"]), "code": JSONSchema.string,
                "summary": JSONSchema.string, "detail": JSONSchema.string,
                "hint": JSONSchema.nullable(JSONSchema.string), "related": JSONSchema.array(related),
            ]) { _, new in new })
        return JSONSchema.document(
            "diagnostics", "Complaints of muster", "What validate --format json prints.",
            JSONSchema.object([
                "format_version": JSONSchema.constant(.integer(DiagnosticsJSON.formatVersion)),
                "kind": JSONSchema.constant(.string(DiagnosticsJSON.kind)), "valid": JSONSchema.flag,
                "errors": JSONSchema.count, "warnings": JSONSchema.count, "notes": JSONSchema.count,
                "diagnostics": JSONSchema.array(diagnostic),
            ]))
    }
}

/// Of one line of `apply --events`.
package enum EventSchema {
    package static func jsonSchema() -> Value {
        let failure = JSONSchema.object(
            [
                "kind": JSONSchema.choice([
                    "rejected", "name-clash", "stale", "credentials", "timed-out", "outcome-unknown", "interrupted",
                    "network",
                ]), "summary": JSONSchema.string, "detail": JSONSchema.string,
            ],
            optional: ["hint": JSONSchema.string, "code": JSONSchema.string, "request_id": JSONSchema.string])
        let events: [Value] = [
            event(
                "started",
                ["format_version": .integer(EventJSON.formatVersion)].mapValues(JSONSchema.constant).merging(
                    ["steps": JSONSchema.count]) { _, new in new }),
            step("step-started", [:]),
            step("step-waiting", ["seconds": JSONSchema.number, "status": JSONSchema.string]),
            step("step-retrying", ["seconds": JSONSchema.number, "why": JSONSchema.string]),
            step("step-finished", ["seconds": JSONSchema.number], optional: ["id": JSONSchema.string]),
            step("step-failed", ["seconds": JSONSchema.number, "failure": failure]),
            step("step-skipped", ["because": JSONSchema.string]),
            event("interrupted", ["in_flight": JSONSchema.array(JSONSchema.string)]),
        ]
        return JSONSchema.document(
            "event", "An event of an apply", "One line of the file that apply --events writes; at is in seconds.",
            ["oneOf": .list(events)])
    }

    private static func event(
        _ name: String, _ members: [String: Value], optional: [String: Value] = [:]
    ) -> Value {
        JSONSchema.object(
            members.merging(["event": JSONSchema.constant(.string(name)), "at": JSONSchema.number]) { _, new in new },
            optional: optional)
    }

    private static func step(
        _ name: String, _ members: [String: Value], optional: [String: Value] = [:]
    ) -> Value {
        event(
            name,
            SharedDefinitions.address.merging([
                "step": JSONSchema.count,
                "operation": JSONSchema.choice(["create", "update", "delete", "adopt", "forget", "move"]),
            ]) { _, new in new }.merging(members) { _, new in new },
            optional: optional)
    }
}

/// Of `history --format json`.
package enum HistorySchema {
    static let operation = JSONSchema.choice(["create", "update", "delete", "adopt", "forget", "move"])
    static let stepOutcome = JSONSchema.choice(HistoryStep.Outcome.allCases.map(\.rawValue))

    package static func listJSONSchema() -> Value {
        document(
            "history", "The runs of muster", "What history --format json prints, the latest run first.",
            HistoryJSON.listKind, "runs",
            JSONSchema.array(
                run([
                    "died_in": JSONSchema.described(
                        JSONSchema.array(JSONSchema.reference("step")), "the steps in which a run died")
                ])))
    }

    package static func showJSONSchema() -> Value {
        document(
            "history-run", "A run of muster", "What history RUN --format json prints.", HistoryJSON.showKind, "run",
            run(["steps": JSONSchema.array(JSONSchema.reference("step"))]))
    }

    private static func document(
        _ name: String, _ title: String, _ description: String, _ kind: String, _ member: String, _ body: Value
    ) -> Value {
        JSONSchema.document(
            name, title, description,
            JSONSchema.object([
                "format_version": JSONSchema.constant(.integer(HistoryJSON.formatVersion)),
                "kind": JSONSchema.constant(.string(kind)), member: body,
            ]), definitions: ["step": step])
    }

    private static func run(_ more: [String: Value]) -> Value {
        JSONSchema.object(
            [
                "id": JSONSchema.count, "who": JSONSchema.string, "host": JSONSchema.string, "pid": JSONSchema.count,
                "command": JSONSchema.described(
                    JSONSchema.string, "without values; empty when an older muster wrote it"),
                "commit": JSONSchema.nullable(JSONSchema.string), "plan": JSONSchema.string,
                "started": JSONSchema.string, "ended": JSONSchema.nullable(JSONSchema.string),
                "seconds": JSONSchema.nullable(JSONSchema.number),
                "outcome": JSONSchema.choice(HistoryRun.Outcome.allCases.map(\.rawValue)),
                "step_count": JSONSchema.described(
                    JSONSchema.count, "of its plan; 0 when an older muster wrote it"),
                "steps_by_outcome": JSONSchema.object(
                    [:],
                    optional: Dictionary(
                        uniqueKeysWithValues: HistoryStep.Outcome.allCases.map { ($0.rawValue, JSONSchema.count) })),
            ].merging(more) { _, new in new })
    }

    private static var step: Value {
        JSONSchema.object(
            SharedDefinitions.address.merging([
                "run": JSONSchema.count, "step": JSONSchema.count, "operation": operation, "outcome": stepOutcome,
                "detail": JSONSchema.nullable(JSONSchema.string), "request_ids": JSONSchema.array(JSONSchema.string),
                "started": JSONSchema.string, "ended": JSONSchema.nullable(JSONSchema.string),
                "seconds": JSONSchema.nullable(JSONSchema.number),
                "open": JSONSchema.described(JSONSchema.flag, "what came of its call is not known yet"),
            ]) { _, new in new })
    }
}

/// Any JSON, where nothing is read back: what is not known is the text that stands for it.
private let plainValue = JSONSchema.described(
    .map([:]), "Any JSON. A secret is ‹secret:name›, and what is not known is (known after apply).")
