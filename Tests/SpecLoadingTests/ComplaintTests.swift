import Diagnostics
import MusterModel
import SpecLoading
import TestSupport
import Testing

/// A golden for each: the files, and what is said about them.
@Suite("Bad input gets an answer with a place, a cause and a cure")
struct ComplaintTests {
    static let cases: [(name: String, workspace: Workspace)] = [
        (
            "sections",
            Workspace(
                spec: """
                    net: {}
                    rds: {}
                    checks: []
                    aws.net: {}
                    nonsense: 1
                    x-fine: 1
                    uses: [ap, 3]
                    lookups: { image: {}, groups: [] }
                    resources: { net: {}, aws.group: [] }
                    groups: []
                    nets: { main: 5, other: [x], "": {} }
                    """)
        ),
        (
            "fields",
            Workspace(
                spec: """
                    nets:
                      a: { cidr_blok: 10.0.0.0/16, parts: { p: { size: 1, sise: 2 }, q: {} } }
                      b:
                      c: { cidr_block: null, tags: [a] }
                      d: { cidr_block: 10.0.0.0, zones: a, dns: { a: 1 }, counts: 3 }
                      e: { cidr_block: 10.0.0.0/33, zones: [a, b, a, c, d], parts: [1] }
                      f: { cidr_block: [10.0.0.0/8], tags: { a: [1] } }
                      g: { cidr_block: "::1", zones: [] }
                    resources: { aws.net: { a: { cidr: 10.0.0.0/8 } } }
                    """)
        ),
        (
            "name-prefix",
            Workspace(
                spec: """
                    nets:
                      a: { cidr_block: 10.0.0.0/16, name_prefix: a- }
                    groups:
                      a: { net: n, name: x, name_prefix: x- }
                      b: { net: n, name_prefix: [x] }
                      c: { net: n, name_prefix: "${nets.a.id}" }
                    """)
        ),
        (
            "scalars",
            Workspace(
                spec: """
                    nets:
                      a: { cidr_block: 10.0.0.0/16, dns: on }
                      b: { cidr_block: 10.0.0.0/16, dns: "true" }
                      c: { cidr_block: 10.0.0.0/16, dns: True }
                      d: { cidr_block: 10.0.0.0/16, dns: 2 }
                    groups:
                      a: { net: n, ingress: [ { port: 1_000, cidr: 10.0.0.0/8 }, { port: 0644, cidr: 10.0.0.0/8 }, { port: 1e3, cidr: 10.0.0.0/8 } ] }
                      b: { net: n, ingress: [ { port: "80", cidr: 10.0.0.0/8 }, { port: 8.0, cidr: 10.0.0.0/8 }, { port: 0x50, cidr: 10.0.0.0/8 } ] }
                      c: { net: n, ingress: [ { port: 99999999999999999999, cidr: 10.0.0.0/8 }, { port: +5, cidr: 10.0.0.0/8 }, { port: http, cidr: 10.0.0.0/8 } ] }
                      d: { net: n, weight: .5, ingress: [ ~, { port: "${80.5}", cidr: 10.0.0.0/8 }, { port: "${true}", cidr: "${[1]}" } ] }
                    """)
        ),
        (
            "rules",
            Workspace(
                spec: """
                    groups:
                      a: { net: n, name: Web, weight: 11, ingress: [ { port: 70000, from: [self] }, { port: 1, ports: 1-2, cidr: 10.0.0.0/8 } ] }
                      b: { net: n, name: much-too-long-name, ingress: [ { from: [self], cidr: "2001:db8::/32" }, {}, { protocol: tpc, cidr: 10.0.0.1 } ] }
                      c: { net: n, name: "", owners: [ { key: a }, { key: b }, { key: a, share: 1 } ], ingress: [ { protocol: TCP, cidr: 10.0.0.0/8 } ] }
                      d: { net: n, ingress: { port: 1 } }
                    """)
        ),
        (
            "expressions",
            Workspace(
                spec: """
                    variables: { environment: prod, list: [1], map: { a: 1 } }
                    lookups: { images: { base: { name: x } } }
                    nets:
                      a: { cidr_block: "${var.enviroment}" }
                      b: { cidr_block: "${environment}" }
                      c: { cidr_block: "${net.main.id}" }
                      d: { cidr_block: "${rds.main.id}" }
                      e: { cidr_block: "${each.value}" }
                      f: { cidr_block: "${index}" }
                      g: { count: 1, cidr_block: "${each.key}" }
                      h: { cidr_block: "${lookups.images.bas.id}${lookups.image.base.id}" }
                      i: { cidr_block: "${lookups.images.base.ip}" }
                      j: { cidr_block: "${var.map.b}" }
                      k: { cidr_block: "${var.list[3]}" }
                      l: { cidr_block: "${upper(" }
                      m: { cidr_block: "${uper(\\"a\\")}" }
                      n: { cidr_block: "${stack.nam}" }
                      o: { cidr_block: "${stack.account}" }
                      p: { cidr_block: "${if(true, \\"10.0.0.0/8\\", var.unknown)}" }
                      q: { cidr_block: "${file(\\"missing.txt\\")}" }
                      r: { cidr_block: "${var}" }
                      s: { cidr_block: 10.0.0.0/8, tags: { a: "x${1 + \\"a\\"}" } }
                      t: { cidr_block: "${whatever.x}" }
                    """)
        ),
        (
            "expansion",
            Workspace(
                spec: """
                    variables: { names: [a, b], none: { default: null } }
                    groups:
                      a: { count: -1, net: n }
                      b: { count: 10001, net: n }
                      c: { count: 99999999999999999999, net: n }
                      d: { count: two, net: n }
                      e: { count: 1, for_each: [a], net: n }
                      f: { for_each: [a, b, a], net: n }
                      g: { for_each: "${nets.main.zones}", net: n }
                      h: { for_each: 3, net: n }
                      i: { for_each: "${3}", net: n }
                      j: { count: "${nets.main.size}", net: n }
                      k: { count: 2, net: n, name: same }
                      l: { count: 2, net: n, name: "${nets.main.id}" }
                      m: { for_each: ["${nets.main.id}"], net: n }
                      n: { count: 1, net: n }
                      n1: { net: n }
                      o: { for_each: "${var.none}", net: n }
                    nets:
                      "${var.names[0]}": { cidr_block: 10.0.0.0/8 }
                      a: { cidr_block: 10.0.0.0/8 }
                      "${nets.a.id}": { cidr_block: 10.0.0.0/8 }
                      "x${var.none}": { cidr_block: 10.0.0.0/8, tags: { a: 1, "${\\"a\\"}": 2 } }
                      w: ${nets.a}
                      y: ${var.names}
                    """)
        ),
        (
            "common-fields",
            Workspace(
                spec: """
                    groups:
                      a: { net: n, lifecycle: { prevent_destroy: yes, ignore_changes: [nett], replace: true } }
                      b: { net: n, timeouts: { create: 10, update: 1m1h, delete: 0s, read: 1s } }
                      c: { net: n, depends_on: nets.a }
                      d: { net: n, depends_on: [net.a, x, "${nets.a.id}"] }
                      e: { net: n, lifecycle: { prevent_destroy: "${nets.a.id}" } }
                    """)
        ),
        (
            "statements",
            Workspace(
                spec: """
                    variables: { s: { secret: env:S } }
                    import:
                      - { to: net/main, id: x }
                      - { to: main, id: x }
                      - { to: "other:aws.net/main", id: x }
                      - { to: aws.net/main }
                      - { to: aws.net/a, id: x }
                      - { to: nets.a, id: y }
                      - 3
                    moved: [ { from: aws.net/a, to: aws.net/a }, { from: aws.net/a, to: aws.group/a }, { form: aws.net/b, to: aws.net/c } ]
                    removed: { from: aws.net/a }
                    outputs: { "a:b": 1, long: { value: "${var.s}", secret: false }, x: { value: 1, secret: maybe } }
                    allow: [data-lose]
                    """)
        ),
        (
            "variables",
            Workspace(
                spec: """
                    variables:
                      a: { type: strng }
                      b: { type: integer, default: three }
                      c: { type: string, allowed: [x, y], default: z }
                      d: { type: string, pattern: "[a-z", default: 1 }
                      e: { type: string, pattern: "[a-z]+", default: A1 }
                      f: { type: string, default: "${var.g}" }
                      g: { type: string, default: "${var.h}" }
                      h: { type: string, default: "${var.f}" }
                      i: { type: string, default: "${nets.a.id}" }
                      j: { typ: string, default: 1 }
                      k-l: 1
                      m: { type: string }
                      n: { type: list(integer), default: [1, x] }
                      o: { type: list(integer), default: 1 }
                      p: { default: "${var.unknown}" }
                    nets: { a: { cidr_block: "${var.m}${var.a}" } }
                    """)
        ),
        (
            "secrets",
            Workspace([
                "muster.yaml": """
                workspace: w
                stacks:
                  a:
                    spec: spec.yaml
                    with:
                      given: hunter2
                variables: { shared: hunter2 }
                """,
                "spec.yaml": """
                variables:
                  given: { secret: env:A }
                  typed: { secret: env:B }
                  shared: { secret: env:C }
                  literal: { secret: hunter2 }
                  environment: { secret: "env:A B" }
                  parameter: { secret: ssm:relative }
                  empty: { secret: "file:" }
                  number: { type: integer, secret: env:D }
                  both:
                    secret: env:E
                    default: hunter2
                  inline: { secret: env:F, default: hunter2 }
                nets: { a: { count: "${var.typed}", cidr_block: 10.0.0.0/8 } }
                """,
            ]).giving(["typed": "hunter2"])
        ),
        (
            "command-line",
            Workspace([
                "muster.yaml": Workspace.plain,
                "spec.yaml": """
                variables:
                  environment: { type: string, allowed: [prod, dev] }
                  size: { type: integer }
                  zones: { type: list(string) }
                  any: {}
                """,
            ]).giving(["enviroment": "x", "environment": "test", "size": "3.5", "zones": "a", "any": "[1,"])
        ),
        (
            "workspace",
            Workspace([
                "muster.yaml": """
                workspce: w
                state: s3://bucket/x
                account: 12345
                assume_role: admin
                region: ${var.region}
                tags: [a]
                variables: missing.yaml
                allow: [everything]
                stacks:
                  a: { spec: missing.yaml, wiht: {} }
                  b:c: spec.yaml
                  external: spec.yaml
                  d e: spec.yaml
                  /f: spec.yaml
                  g: { with: {} }
                  h:
                  i: { spec: spec.yaml, with: { unknown: 1, x: ["${nets.a.id}"] }, tags: { a: "${var.z}" } }
                  j: [spec.yaml]
                  k: { spec: broken.yaml }
                  l: { spec: scalar.yaml }
                  m: { spec: folder }
                  n: { spec: denied.yaml }
                  o: { spec: empty.yaml, variables: mixed.yaml }
                """,
                "spec.yaml": "variables: { x: {}, z: {} }",
                "broken.yaml": "a: [",
                "scalar.yaml": "hello",
                "empty.yaml": "# nothing",
                "mixed.yaml": "variables: { a: 1 }\nb: 2\n",
            ]).failing(["folder": .isDirectory, "denied.yaml": .permissionDenied])
        ),
        (
            "several-stacks",
            Workspace([
                "muster.yaml": """
                workspace: w
                stacks:
                  a: { spec: spec.yaml, with: { size: 3 } }
                  b: { spec: spec.yaml, with: { size: 11 } }
                  c: { spec: spec.yaml, with: { size: x } }
                """,
                "spec.yaml": """
                variables: { size: { type: integer }, missing: {} }
                groups:
                  one: { net: n, weight: "${var.size}" }
                  two: { nett: n, weight: "${var.missing}" }
                """,
            ])
        ),
        (
            "lookups",
            Workspace(
                spec: """
                    variables: { s: { secret: env:S } }
                    lookups:
                      images:
                        a: { nam: x }
                        b: { name: "${nets.main.id}" }
                        c: { name: "${lookups.images.a.id}" }
                        d: { name: "${var.s}" }
                        e: 3
                        f: { name: x, most_recent: yes }
                    nets: { main: { cidr_block: "${lookups.images.a.id}", zones: ["${lookups.images.e.id}"] } }
                    """)
        ),
        (
            "across-stacks",
            Workspace([
                "muster.yaml": "workspace: w\nstacks: { a: a.yaml, b: a.yaml, c: c.yaml }\n",
                "a.yaml": "lookups: { images: { base: { name: x } } }\n",
                "c.yaml": """
                uses: [a, b, c, ${nets.main.id}]
                nets:
                  one: { cidr_block: "${lookups.images.base.id}" }
                  two: { cidr_block: '${lookups.images["d:base"].id}${lookups.images["a:bass"].id}' }
                  three: { cidr_block: "${lookups.images.base}" }
                  four: { cidr_block: "${lookups.images[nets.one.id].id}${var.x}${lookups.imagse.x.id}" }
                """,
            ])
        ),
        (
            "variable-files",
            Workspace([
                "muster.yaml": Workspace.plain,
                "spec.yaml": "variables: { size: { type: integer, description: how many } }\n",
                "bad.yaml": "sise: 3\nsize: x\n", "list.yaml": "- a\n",
            ]).reading(["gone.yaml", "list.yaml", "bad.yaml"])
        ),
        (
            "missing-description",
            Workspace(spec: "variables: { size: { type: integer, description: how many } }\n")
        ),
        ("no-workspace", Workspace([:])),
        ("workspace-folder", Workspace([:]).failing(["muster.yaml": .isDirectory])),
        ("empty-workspace", Workspace(["muster.yaml": ""])),
        ("broken-workspace", Workspace(["muster.yaml": "stacks: {\n"])),
        ("list-workspace", Workspace(["muster.yaml": "- a\n"])),
        ("no-stacks", Workspace(["muster.yaml": "workspace: w\nstacks: {}\n"])),
        (
            "unquoted",
            Workspace(spec: "nets: { main: { cidr_block: ${var.a}, dns: true } }\nvariables: { a: 10.0.0.0/8 }\n")
        ),
    ]

    @Test("Bad input is answered as in its golden", arguments: cases.map(\.name))
    func complaint(name: String) throws {
        let workspace = try #require(ComplaintTests.cases.first { $0.name == name }).workspace
        expectGolden(Transcript.text(workspace, workspace.complaints()), named: "complaints/\(name).txt")
    }

    @Test("Every complaint says more than its summary, and has a place unless it would show a secret")
    func everyComplaintIsComplete() {
        for (name, workspace) in ComplaintTests.cases {
            for diagnostic in workspace.expanded().diagnostics {
                #expect(!diagnostic.detail.isEmpty, "\(name)")
                #expect(diagnostic.detail.hasSuffix(".") || diagnostic.detail.hasSuffix("?"), "\(diagnostic.detail)")
                let isExcused =
                    diagnostic.code.contains("secret") || diagnostic.code == "spec.unreadable-file"
                #expect(diagnostic.range != nil || isExcused, "\(name): \(diagnostic)")
            }
        }
    }

    @Test(
        "Files that are too deep, too large or explode are answered, wherever they are named",
        arguments: ["muster.yaml", "spec.yaml", "base.yaml", "values.yaml"])
    func hostileFiles(path: String) {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<9 {
            let alias = "*a\(level - 1)"
            bomb += "a\(level): &a\(level) [\(Array(repeating: alias, count: 10).joined(separator: ", "))]\n"
        }
        let hostile = [
            ("yaml.too-deep", "a: " + String(repeating: "[", count: 10_000)), ("yaml.too-many-aliases", bomb),
            ("yaml.too-large", String(repeating: "#", count: 17 << 20)),
        ]
        for (code, text) in hostile {
            var workspace = Workspace([
                "muster.yaml": "workspace: w\nvariables: base.yaml\nstacks: { app: spec.yaml }\n",
                "spec.yaml": "nets: {}\n", "base.yaml": "a: 1\n", "values.yaml": "a: 2\n",
            ]).reading(["values.yaml"])
            workspace.files[path] = text
            #expect(workspace.expanded().diagnostics.contains { $0.code == code }, "\(path): \(workspace.complaints())")
        }
    }

    @Test("No complaint shows a secret that was written in plain text")
    func noSecretInComplaints() throws {
        let workspace = try #require(ComplaintTests.cases.first { $0.name == "secrets" }).workspace
        #expect(!workspace.complaints().contains("hunter2"))
    }
}

extension Workspace {
    func reading(_ variableFiles: [String]) -> Workspace {
        var copy = self
        copy.request.variableFiles = variableFiles
        return copy
    }

    func failing(_ failures: [String: SourceReader.Failure]) -> Workspace {
        var copy = self
        copy.failures = failures
        return copy
    }
}
