import MusterModel
import TestSupport
import Testing

@Suite("Addresses")
struct AddressTests {
    @Test(
        "The written form is plain where it can be, and percent-encoded where a shell or a URL would mind",
        arguments: [
            ("prod/rancher", "prod-rancherctl1", "prod/rancher:aws.instance/prod-rancherctl1"),
            ("vpc", "a b", "vpc:aws.instance/a%20b"), ("vpc", "*.example.net", "vpc:aws.instance/%2A.example.net"),
            ("vpc", "sub/0", "vpc:aws.instance/sub/0"), ("vpc", "a:b", "vpc:aws.instance/a%3Ab"),
            ("vpc", "100%", "vpc:aws.instance/100%25"), ("vpc", "ä", "vpc:aws.instance/%C3%A4"),
            ("a:b", "$(rm)'\"&?#", "a%3Ab:aws.instance/%24%28rm%29%27%22%26%3F%23"),
            ("vpc", "a@b_c~d", "vpc:aws.instance/a@b_c~d"),
            ("vpc", "\n\u{0}", "vpc:aws.instance/%0A%00"),
        ])
    func written(stack: String, name: String, text: String) {
        let address = Address(stack: stack, type: "aws.instance", name: name)
        #expect(address.description == text)
        #expect(Address(text) == address)
    }

    @Test("Any stack, type and name are read back as they were")
    func roundTrip() {
        var random = SeededGenerator.fromEnvironment()
        let pieces = [
            "/", ":", "*", " ", "%", "%2", "%2F", "a", "é", "e\u{301}", "🏠", "\u{0}", "\u{202E}", "'", "\"", "~", ".",
        ]
        func part() -> String {
            (0..<Int.random(in: 1..<6, using: &random)).map { _ in
                random.oneIn(3)
                    ? String(Character(Unicode.Scalar(UInt32.random(in: 0...0xFFFF, using: &random)) ?? "x"))
                    : random.pick(pieces)
            }.joined()
        }
        for _ in 0..<3_000 {
            let address = Address(stack: part(), type: ResourceType(rawValue: part()), name: part())
            let text = address.description
            let read = Address(text)
            #expect(read == address, "\(text)")
            #expect(read.map { Array($0.name.utf8) } == Array(address.name.utf8))
            #expect(
                text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !" '\"\\$`&;|<>()*?[]{}!#\n".utf8.contains($0) })
        }
    }

    @Test("Unencoded characters that people type are read as well")
    func lenient() {
        #expect(Address("vpc:aws.vpc/a b")?.name == "a b")
        #expect(Address("vpc:aws.vpc/a:b")?.name == "a:b")
        #expect(Address("vpc:aws.vpc/ä%2f")?.name == "ä/")
        #expect(Address("vpc:aws.vpc//")?.name == "/")
        #expect(Address("a/b/c:aws.vpc/d")?.stack == "a/b/c")
    }

    @Test(
        "What lacks a part or has a broken escape is no address",
        arguments: [
            "", ":", "/", ":/", "vpc", "vpc:", "vpc:aws.vpc", "vpc:aws.vpc/", ":aws.vpc/a", "vpc:/a", "aws.vpc/a",
            "vpc/aws.vpc:a",
            "vpc:aws.vpc/%", "vpc:aws.vpc/%2", "vpc:aws.vpc/%zz", "vpc:aws.vpc/a%", "vpc:aws.vpc/%FF",
            "vpc:aws.vpc/%C3",
            "%:aws.vpc/a", "vpc:%/a", "vpc:aws.vpc/%１1",
        ])
    func refused(text: String) {
        #expect(Address(text) == nil)
    }

    @Test("Addresses are ordered by stack, type and name")
    func order() {
        let texts = ["a:aws.vpc/z", "a:aws.vpd/a", "b:aws.vpc/a", "b:aws.vpc/b"]
        let addresses = texts.compactMap { Address($0) }
        #expect(addresses.count == 4)
        #expect(addresses.reversed().sorted() == addresses)
    }
}
