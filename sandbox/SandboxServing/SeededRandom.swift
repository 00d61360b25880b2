/// Random numbers that come again after a reset, so that ids and keys do: SplitMix64.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    package mutating func text(_ count: Int, from alphabet: String) -> String {
        let characters = Array(alphabet)
        return String((0..<count).map { _ in characters[Int.random(in: 0..<characters.count, using: &self)] })
    }

    package mutating func uuid() -> String {
        let digits = text(31, from: "0123456789abcdef")
        let parts = [digits.prefix(8), digits.dropFirst(8).prefix(4), "4" + digits.dropFirst(12).prefix(3)]
        let variant = text(1, from: "89ab") + digits.dropFirst(15).prefix(3)
        return parts.joined(separator: "-") + "-" + variant + "-" + digits.dropFirst(18).prefix(12)
    }
}
