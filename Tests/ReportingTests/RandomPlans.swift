import MusterModel
import TestSupport

/// Plans that no planner would make: every field takes every kind of value.
struct RandomPlans {
    var generator: SeededGenerator

    init(_ generator: SeededGenerator) { self.generator = generator }

    private static let words = [
        "main", "prod", "a b", "é", "\u{1B}[31mred", "‮txt", "“quoted”", "\"", "\\", "line\nbreak", "<b>", "|", "`",
        "```",
        "$deferred", "$deferred$", "@team", "#1", "0042", "1.0", "true", "", "…", "‹secret:x›", "‌", "👩‍🚀", "\u{7F}",
        "a/b:c", "100%", String(repeating: "long ", count: 60),
    ]

    private static let stackScope = ProviderScope(provider: "aws", account: "1", region: "us-east-1", endpoint: "aws")

    mutating func maybe<Thing>(_ make: (inout Self) -> Thing) -> Thing? { generator.oneIn(2) ? make(&self) : nil }
    mutating func some<Thing>(_ limit: Int, _ make: (inout Self) -> Thing) -> [Thing] {
        (0..<Int.random(in: 0...limit, using: &generator)).map { _ in make(&self) }
    }
    mutating func flag() -> Bool { generator.oneIn(2) }
    mutating func text() -> String { generator.pick(Self.words) }
    mutating func number() -> Int { generator.pick([0, 1, -1, 7, 4096, Int.max, Int.min]) }

    mutating func address() -> Address {
        let name = text()
        return Address(
            stack: generator.pick(["vpc", "prod/rancher", "a b"]),
            type: generator.pick(["aws.vpc", "aws.instance", "lookup.amis", "odd/\u{1B}[31m type"]),
            name: name.isEmpty ? "x" : name)
    }

    mutating func value(depth: Int = 3) -> Value {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &generator) {
        case 0: .null
        case 1: .bool(flag())
        case 2: .integer(number())
        case 3: .number(generator.pick([0.5, -1.25, 1e300, 3.0, 0.1]))
        case 4, 5: .string(text())
        case 6: .list(some(3) { $0.value(depth: depth - 1) })
        case 7: .map(members(depth: depth - 1))
        default: .deferred(Deferred(expression(depth: depth - 1)))
        }
    }

    mutating func members(depth: Int) -> [String: Value] {
        Dictionary(some(3) { ($0.text(), $0.value(depth: depth)) }, uniquingKeysWith: { first, _ in first })
    }

    mutating func expression(depth: Int) -> MusterModel.Expression {
        let inner = depth - 1
        switch Int.random(in: 0..<(depth > 0 ? 11 : 3), using: &generator) {
        case 0: return .output(OutputReference(address(), text()))
        case 1: return .secret(SecretReference(name: text(), source: "env:\(text())"))
        case 2: return .literal(generator.pick([.null, .bool(true), .integer(3), .number(2.5), .string(text())]))
        case 3: return .template(some(3) { $0.expression(depth: inner) })
        case 4: return .list(some(3) { $0.expression(depth: inner) })
        case 5:
            return .map(
                some(3) { MusterModel.Expression.MapEntry(key: $0.text(), value: $0.expression(depth: inner)) })
        case 6: return .member(expression(depth: inner), text())
        case 7: return .index(expression(depth: inner), expression(depth: inner))
        case 8: return .call(text(), some(3) { $0.expression(depth: inner) })
        case 9: return .unary(generator.pick([.not, .negate]), expression(depth: inner))
        default: return .binary(generator.pick([.add, .or, .less]), expression(depth: inner), expression(depth: inner))
        }
    }

    mutating func place() -> Place { Place(path: text(), line: number(), column: number()) }
    mutating func hazard() -> Hazard { Hazard(generator.pick(Hazard.Kind.allCases), address(), text()) }
    mutating func scope() -> ProviderScope {
        ProviderScope(
            provider: generator.pick(["aws", "rancher"]), account: text(), region: text(),
            endpoint: generator.pick(["aws", "http://127.0.0.1:5000"]))
    }

    mutating func attribute() -> AttributeChange {
        AttributeChange(
            path: text(), before: maybe { $0.value() }, after: maybe { $0.value() }, forcesReplacement: flag(),
            isHidden: generator.oneIn(6), place: maybe { $0.place() })
    }

    mutating func reason() -> Reason {
        generator.pick([
            .notInState, .notInSpec, .argumentsChanged, .cannotUpdate([text(), text()]), .gone,
            .foreignChild(parent: address()), .requested, .destroyRequested, .triggered(by: address()), .importBlock,
            .incomplete, .deposed, .removedBlock,
        ])
    }

    mutating func change() -> ResourceChange {
        ResourceChange(
            address: address(), action: generator.pick(Action.allCases), reason: reason(),
            why: some(3) {
                WhyLink(
                    address: $0.address(), argument: $0.maybe { $0.text() }, text: $0.text(),
                    place: $0.maybe { $0.place() })
            },
            attributes: some(4) { $0.attribute() }, id: maybe { RemoteID($0.text()) }, hazards: some(2) { $0.hazard() },
            place: maybe { $0.place() }, notes: some(2) { $0.text() }, previousAddress: maybe { $0.address() })
    }

    mutating func step(_ id: Int) -> Step {
        Step(
            id: id, address: address(), operation: generator.pick([.create, .update, .delete, .adopt, .forget, .move]),
            target: maybe { RemoteID($0.text()) }, desired: members(depth: 2), prior: members(depth: 2),
            after: some(3) { $0.number() }, version: number(), fingerprint: maybe { $0.text() },
            generation: generator.pick([1, 2]), scope: flag() ? Self.stackScope : scope(),
            timeouts: flag() ? Timeouts() : Timeouts(create: number(), update: number(), delete: number()),
            isProtected: flag(), dependencies: some(3) { $0.address() }, isDeposed: flag(), deposesPrevious: flag(),
            previousAddress: maybe { $0.address() })
    }

    mutating func drift() -> Drift {
        var attributes = some(3) { $0.attribute() }
        for index in attributes.indices { attributes[index].forcesReplacement = false }
        return Drift(
            address: address(), kind: generator.pick([.changed, .gone, .foreign]), id: maybe { RemoteID($0.text()) },
            attributes: attributes, place: maybe { $0.place() })
    }

    mutating func plan(size: Int = 4) -> Plan {
        let plan = Plan(
            workspace: text(), lineage: text(), changes: some(size) { $0.change() },
            steps: (0..<Int.random(in: 0...size, using: &generator)).map { step($0) },
            outputs: some(3) {
                OutputChange(
                    stack: $0.text(), name: $0.text(), before: $0.maybe { $0.value() }, after: $0.maybe { $0.value() },
                    isHidden: $0.generator.oneIn(4))
            },
            drift: some(3) { $0.drift() }, unchangedCount: number(),
            reliesOn: some(3) { Reliance(address: $0.address(), version: $0.number(), fingerprint: $0.text()) },
            notes: some(3) { $0.text() }, isUnrefreshed: flag(),
            configurations: Dictionary(
                some(3) {
                    (
                        $0.text(),
                        ProviderConfiguration(
                            region: $0.maybe { $0.text() }, profile: $0.maybe { $0.text() },
                            assumeRole: $0.maybe { $0.text() }, account: $0.maybe { $0.text() })
                    )
                }, uniquingKeysWith: { first, _ in first }),
            scopes: ["vpc": Self.stackScope, "prod/rancher": scope()])
        return plan
    }
}

/// A digest good enough for tests: FNV-1a.
@Sendable func testHash(_ bytes: [UInt8]) -> String {
    String(bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }, radix: 16)
}
