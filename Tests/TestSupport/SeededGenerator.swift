import Foundation

/// Random numbers that can be had again: SplitMix64.
///
/// Property tests print `seed`, and `MUSTER_SEED=<number>` replays it.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    package let seed: UInt64
    private var state: UInt64

    package init(seed: UInt64) {
        self.seed = seed
        self.state = seed
    }

    /// The seed of `MUSTER_SEED` (decimal, or hexadecimal after `0x`), else a fixed one, so that a run of the tests is
    /// the same everywhere. Prints it with the name of the property.
    package static func fromEnvironment(_ property: String = #function) -> SeededGenerator {
        let text = ProcessInfo.processInfo.environment["MUSTER_SEED"] ?? ""
        let seed =
            text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
        let generator = SeededGenerator(seed: seed ?? 0x6D75_7374_6572)
        print("\(property): MUSTER_SEED=\(generator.seed)")
        return generator
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// True once in `count` times on average.
    package mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<max(1, count), using: &self) == 0 }

    /// One element of a collection that must not be empty.
    package mutating func pick<Choices: Collection>(_ choices: Choices) -> Choices.Element {
        let offset = Int.random(in: 0..<choices.count, using: &self)
        return choices[choices.index(choices.startIndex, offsetBy: offset)]
    }
}
