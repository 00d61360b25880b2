import Diagnostics
import MusterModel
import SpecLoading
import TestSupport
import Testing

/// A golden for each: the files, and what they declare.
@Suite("What specs mean")
struct MeaningTests {
    static let cases: [(name: String, workspace: Workspace)] = [
        (
            "scalars",
            Workspace(
                spec: """
                    nets:
                      octal: { cidr_block: 10.0.0.0/16, tags: { a: 0644, b: 08:30, c: 8.0, d: 012345678901, e: on, f: ~, g: "null" } }
                      flags: { cidr_block: 10.0.0.0/16, dns: false, zones: [] }
                      nulls: { cidr_block: 10.0.0.0/16, dns: null, zones: null, tags: ~ }
                    groups:
                      numbers: { net: main, weight: 8.0, policy: { a: 1, b: 1.5, c: 0644, d: 1.50, e: "1", f: true, g: on, h: null, i: [~, -3], j: 1e3, k: -0 } }
                      whole: { net: main, weight: 8 }
                    """.replacing("zones: []", with: "zones: [1]"))
        ),
        (
            "references",
            Workspace(
                spec: """
                    variables: { environment: prod, group: sg-0a1b2c3d }
                    nets: { main: { cidr_block: 10.0.0.0/16 } }
                    groups:
                      literals: { net: net-1, ingress: [ { from: [sg-1, pl-2, 10.0.0.0/8, "2001:db8::/32", "arn:aws:x", self, any, "${var.group}"] } ] }
                      names: { net: main, ingress: [ { from: [web, "vpc:web", "${var.environment}-web", 10.0.0.0] } ] }
                      paths: { net: "${nets.main.id}", ingress: [ { from: ['${groups["${var.environment}-x"].id}', '${aws.group["a"].id}'] } ] }
                      text: { net: "net-${lookups.images.base.id}", tags: { a: "${nets.main.id}/${var.environment}", b: "$${x}" } }
                    lookups: { images: { base: { name: x } } }
                    outputs:
                      plain: ${nets.main.id}
                      long: { value: [1, '${outputs["plain"]}'], description: two, secret: true }
                      map: { a: 1, value: 2 }
                    """)
        ),
        (
            "expansion",
            Workspace(
                spec: """
                    variables: { count: { type: integer, default: 2 }, zones: { type: map(string), default: { b: 10.2.0.0/16, a: 10.1.0.0/16 } } }
                    nets:
                      none: { count: 0, cidr_block: x }
                      zone: { for_each: "${var.zones}", cidr_block: "${each.value}", tags: { Zone: "${each.key}${index}" } }
                      "${stack.name}-list": { for_each: [x, 2], cidr_block: 10.0.0.0/16, tags: { Zone: "${each.value}" } }
                      literal: { for_each: { one: { size: 1 }, "${stack.name}": { size: 2 } }, cidr_block: 10.0.0.0/16, parts: { p: { size: "${each.value.size}" } } }
                    groups:
                      web: { count: "${var.count}", net: zone-a, name: "web-${index}" }
                      plain: { count: 2, net: zone-a, depends_on: ["groups.web", "nets[\\"zone-${if(index == 1, \\"a\\", \\"b\\")}\\"]"] }
                    """)
        ),
        (
            "literals",
            Workspace(
                spec: """
                    groups:
                      id: { net: Z0123456789ABC }
                      name: { net: Zone }
                      capitals: { net: ZONE }
                      dashes: { net: net-1 }
                    """)
        ),
        (
            "name-prefix",
            Workspace(
                spec: """
                    variables: { short: { type: string, default: p } }
                    groups:
                      web: { name_prefix: "${var.short}-", net: main }
                      many: { count: 2, name_prefix: "${index}-", net: main }
                    """)
        ),
        (
            "common-fields",
            Workspace(
                spec: """
                    groups:
                      web:
                        net: main
                        depends_on: [nets.main, aws.net/main, "vpc:aws.net/x", "nets[\\"a-b\\"]", groups.a-b, "aws.net[\\"x\\"]"]
                        lifecycle: { prevent_destroy: true, create_before_destroy: false, ignore_changes: [net, tags.Owner, description], replace_triggered_by: [nets.main] }
                        timeouts: { create: 1h30m, delete: 90s }
                    resources:
                      aws.group:
                        raw: { net_id: main, lifecycle: { ignore_changes: [description] }, timeouts: { update: 2d } }
                    import:
                      - { to: aws.net/main, id: net-1 }
                      - { to: "app:aws.group/a%3Ab", id: sg-1 }
                      - { to: groups.web, id: sg-2 }
                    moved: [ { from: "gone:aws.net/old", to: aws.net/main } ]
                    removed: [ { from: aws.group/old }, { from: 'groups["x y"]', destroy: true } ]
                    """)
        ),
        (
            "variables",
            Workspace([
                "muster.yaml": """
                workspace: w
                tags: { ManagedBy: muster, Stack: "${stack.name}", Gone: x }
                variables: base.yaml
                stacks:
                  a: { spec: spec.yaml, with: { environment: dev, size: 3 }, tags: { Gone: null, Level: 1 }, region: us-east-1, account: 012345678901 }
                  b: { spec: spec.yaml, with: { environment: "${stack.name}${workspace.name}" }, variables: { size: 5, text: 0644 } }
                """,
                "base.yaml": """
                size: 4
                corporate: [10.0.0.0/8]
                password: { secret: env:BASE }
                x-ignored: 1
                """,
                "spec.yaml": """
                variables:
                  environment: { type: string }
                  size: { type: integer, allowed: [3, 4, 5] }
                  text: { type: string, default: "${var.environment}-${var.size}", pattern: "[a-z0-9-]+" }
                  optional: { default: null }
                  nested: { type: map(list(integer)), default: { a: [1, 2] } }
                  token: { type: string, secret: "ssm:/${var.environment}/token" }
                  password: { type: string }
                nets:
                  main:
                    cidr_block: ${var.corporate[0]}
                    tags: { a: "${var.text}", b: "${var.optional == null}", c: "${var.nested.a[1]}", d: "${workspace.name}", e: "${default(var.optional, \\"none\\")}" }
                outputs: { token: "${var.token}", user: "x:${var.password}", size: "${var.size}" }
                """,
            ])
        ),
        (
            "across-stacks",
            Workspace([
                "specs/muster.yaml": """
                workspace: w
                stacks:
                  base: base.yaml
                  prod/app: { spec: app.yaml, with: { environment: prod } }
                  dev/app: { spec: app.yaml, with: { environment: dev } }
                """,
                "specs/base.yaml": """
                lookups: { images: { base: { name: x } } }
                nets: { main: { cidr_block: 10.0.0.0/8 } }
                outputs: { net: "${nets.main.id}" }
                """,
                "specs/app.yaml": """
                uses: [base, '${if(var.environment == "dev", "prod/app", "base")}']
                variables: { environment: {} }
                lookups: { images: { "own-${var.environment}": { name: "${var.environment}" } } }
                groups:
                  web:
                    net: base:main
                    tags:
                      a: ${lookups.images.base.id}
                      b: ${lookups.images["own-${var.environment}"].id}
                      c: ${lookups.images["prod/app:own-prod"].id}
                      d: ${outputs["base:net"]}
                      e: ${file("files/motd")}
                      f: '${template("files/hello", { name: var.environment, id: nets["base:main"].id })}'
                """,
                "specs/files/motd": "Hello ${name}",
                "specs/files/hello": "Hello ${name} in ${id}",
            ]).at("specs/muster.yaml")
        ),
        (
            "merged",
            Workspace(
                spec: """
                    x-usual: &usual { net: main, tags: { Team: a } }
                    groups:
                      one: *usual
                      two: { <<: *usual, weight: 1 }
                    nets: { main: "${{ cidr_block: \\"10.0.0.0/16\\", zones: [\\"a\\", \\"a\\"], dns: \\"true\\" }}" }
                    """)
        ),
    ]

    @Test("Specs mean what their goldens say", arguments: cases.map(\.name))
    func meaning(name: String) throws {
        let workspace = try #require(MeaningTests.cases.first { $0.name == name }).workspace
        expectGolden(Transcript.text(workspace, workspace.declared()), named: "meaning/\(name).txt")
    }

    @Test("A value counts by where it is given: --var, --var-file, with, stack, workspace, default")
    func precedence() throws {
        let files = [
            "muster.yaml": """
            workspace: w
            variables: { v: workspace }
            stacks: { app: { spec: spec.yaml, variables: { v: stack }, with: { v: with } } }
            """,
            "spec.yaml": "variables: { v: { default: default } }\noutputs: { v: \"${var.v}\" }\n",
            "one.yaml": "v: one\n", "two.yaml": "v: two\n",
        ]
        func value(_ change: (inout Workspace) -> Void) throws -> Value? {
            var workspace = Workspace(files)
            change(&workspace)
            let (expanded, diagnostics) = workspace.expanded()
            #expect(diagnostics.isEmpty)
            return expanded?.outputs.first?.value
        }
        #expect(
            try value {
                $0.request.variables = [.init(name: "v", text: "first"), .init(name: "v", text: "last")]
                $0.request.variableFiles = ["one.yaml"]
            } == "last")
        #expect(try value { $0.request.variableFiles = ["one.yaml", "two.yaml"] } == "two")
        #expect(try value { _ in } == "with")
        func without(_ text: String) -> (inout Workspace) -> Void {
            { $0.files["muster.yaml"] = $0.files["muster.yaml"]?.replacing(text, with: "") }
        }
        #expect(try value { without(", with: { v: with }")(&$0) } == "stack")
        #expect(
            try value {
                without(", with: { v: with }")(&$0)
                without(", variables: { v: stack }")(&$0)
            } == "workspace")
        #expect(
            try value {
                without(", with: { v: with }")(&$0)
                without(", variables: { v: stack }")(&$0)
                without("variables: { v: workspace }\n")(&$0)
            } == "default")
    }

    @Test("Text of the command line is never taken for an expression, and is read by the variable's type")
    func commandLineText() {
        let workspace = Workspace(
            spec: """
                variables:
                  text: { type: string }
                  size: { type: integer }
                  flag: { type: boolean }
                  zones: { type: list(string) }
                  any: {}
                  map: {}
                outputs: { all: ["${var.text}", "${var.size}", "${var.flag}", "${var.zones}", "${var.any}", "${var.map}"] }
                """
        ).giving([
            "text": "${var.size} # no: comment", "size": "3", "flag": "true", "zones": "[a, 0644]", "any": "0644",
            "map": "{ a: [1, x] }",
        ])
        #expect(
            workspace.expanded().expanded?.outputs.first?.value
                == ["${var.size} # no: comment", 3, true, ["a", "0644"], "0644", ["a": [1, "x"]]])
    }

    @Test("Known results of lookups are values, and no names of the spec")
    func knownLookups() {
        let workspace = Workspace(
            spec: """
                lookups: { images: { base: { name: "${stack.name}-*", most_recent: true } }, groups: { main: { name: x } } }
                nets: { main: { cidr_block: "${lookups.images.base.tags.cidr}" } }
                groups: { web: { net: "${lookups.images.base.id}", ingress: [ { from: [main] } ] } }
                """)
        let image = Address(stack: "app", type: "lookup.images", name: "base")
        expectGolden(
            workspace.declared(lookups: [image: ["id": "image-1", "tags": ["cidr": "10.0.0.0/8"]]]),
            named: "meaning/known-lookups.txt")
    }

    @Test("What hangs on a lookup is a complaint only after lookups were asked")
    func beforeLookups() throws {
        let workspace = Workspace(
            spec: """
                lookups: { images: { base: { name: x } } }
                nets:
                  many: { count: "${lookups.images.base.id}", cidr_block: 10.0.0.0/8 }
                  each: { for_each: "${lookups.images.base.tags}", cidr_block: 10.0.0.0/8 }
                  "${lookups.images.base.id}": { cidr_block: 10.0.0.0/8 }
                  cause: { count: "${nets.many.id}", cidr_block: 10.0.0.0/8 }
                """)
        let loaded = try #require(workspace.load().workspace)
        #expect(expand(loaded).diagnostics.map(\.detail).filter { $0.contains("lookup") } == [])
        #expect(expand(loaded).diagnostics.count == 1)
        #expect(expand(loaded, lookups: [:]).diagnostics.count == 4)
        let image = Address(stack: "app", type: "lookup.images", name: "base")
        let known = expand(loaded, lookups: [image: ["id": "2", "tags": ["a": "b"]]])
        #expect(known.expanded.definitions.map(\.name) == ["many1", "many2", "each-a", "2"])
    }

    @Test("The first phase gives what lookups, state and credentials need")
    func firstPhase() throws {
        var workspace = Workspace([
            "specs/muster.yaml": """
            workspace: w
            region: eu-west-1
            profile: p
            state: ../state/x.db
            allow: [downtime]
            stacks:
              vpc: vpc.yaml
              prod/app: { spec: ./sub/../app.yaml, region: us-east-1, assume_role: "arn:aws:iam::012345678901:role/x" }
            """,
            "specs/vpc.yaml": "nets: {}",
            "specs/app.yaml": """
            uses: ["vpc", "prod/${\\"app\\"}"]
            allow: [data-loss]
            lookups: { images: { base: { name: "x-${stack.region}", owners: [self, 012345678901] } } }
            """,
        ])
        workspace.request.workspacePath = "specs/muster.yaml"
        let (loaded, diagnostics) = workspace.load()
        #expect(diagnostics.isEmpty)
        let result = try #require(loaded)
        #expect(result.name == "w")
        #expect(result.statePath == "state/x.db")
        #expect(result.lockPath == "specs/muster.lock")
        #expect(result.stacks == ["vpc", "prod/app"])
        #expect(result.uses == ["vpc": [], "prod/app": ["vpc"]])
        #expect(result.allowedHazards == ["vpc": [.downtime], "prod/app": [.downtime, .dataLoss]])
        #expect(result.configurations["vpc"] == ProviderConfiguration(region: "eu-west-1", profile: "p"))
        #expect(result.configurations["prod/app"]?.assumeRole == "arn:aws:iam::012345678901:role/x")
        #expect(result.files.map(\.path) == ["specs/muster.yaml", "specs/vpc.yaml", "specs/app.yaml"])
        #expect(result.lookups.map(\.address.description) == ["prod/app:lookup.images/base"])
        #expect(
            result.lookups.first?.arguments == ["name": "x-us-east-1", "owners": ["self", "012345678901"]])
    }
}

/// A workspace and what came of it, as a golden.
enum Transcript {
    static func text(_ workspace: Workspace, _ outcome: String) -> String {
        var text = ""
        for (path, content) in workspace.files.sorted(by: { $0.key < $1.key }) where content != Workspace.plain {
            text += "=== \(path)\n\(content)\n"
        }
        for variable in workspace.request.variables {
            text += "=== \(variable.origin) \(variable.name)=\(variable.text)\n"
        }
        return text + "=== outcome\n" + outcome
    }
}
