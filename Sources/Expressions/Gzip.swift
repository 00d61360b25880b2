// Compression (RFC 1951 and 1952), of our own so that the same text gives the same bytes on every machine and in every
// version: what is sent to a machine must not change because a library did.
//
// One block with the fixed or with a Huffman code of its own, whichever is shorter, over matches that a hash of three
// bytes finds. User data are some 10 KB, so it need not be fast.

/// gzip, without a name and a time.
package enum Gzip {
    package static func compressed(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255]
        result += Deflater(bytes).block()
        let checksum = CRC32.of(bytes)
        for value in [checksum, UInt32(truncatingIfNeeded: bytes.count)] {
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                result.append(UInt8(truncatingIfNeeded: value >> shift))
            }
        }
        return result
    }
}

private enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }

    static func of(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { sum, byte in table[Int((sum ^ UInt32(byte)) & 255)] ^ sum >> 8 }
    }
}

/// Bits, the first one lowest.
private struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var pending: UInt64 = 0
    private var count: UInt64 = 0

    mutating func write(_ value: Int, bits: Int) {
        pending |= UInt64(value) << count
        count += UInt64(bits)
        while count >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            count -= 8
        }
    }

    /// A code of Huffman is written from its highest bit.
    mutating func write(_ symbol: Int, in code: HuffmanCode) {
        write(code.reversed[symbol], bits: code.lengths[symbol])
    }

    mutating func finish() -> [UInt8] {
        if count > 0 { write(0, bits: Int(8 - count)) }
        return bytes
    }
}

/// A canonical code: the lengths say all.
private struct HuffmanCode {
    let lengths: [Int]
    let reversed: [Int]

    init(lengths: [Int]) {
        self.lengths = lengths
        let longest = lengths.max() ?? 0
        var counts = [Int](repeating: 0, count: longest + 1)
        for length in lengths where length > 0 { counts[length] += 1 }
        var next = [Int](repeating: 0, count: longest + 2)
        for length in stride(from: 1, through: longest, by: 1) {
            next[length] = (next[length - 1] + (length > 1 ? counts[length - 1] : 0)) << 1
        }
        var reversed = [Int](repeating: 0, count: lengths.count)
        for (symbol, length) in lengths.enumerated() where length > 0 {
            var code = next[length]
            next[length] += 1
            for _ in 0..<length {
                reversed[symbol] = reversed[symbol] << 1 | code & 1
                code >>= 1
            }
        }
        self.reversed = reversed
    }

    /// The best code for the frequencies that is no longer than `limit` bits, by merging coins of equal size.
    init(frequencies: [Int], limit: Int) {
        let used = frequencies.indices.filter { frequencies[$0] > 0 }
        var lengths = [Int](repeating: 0, count: frequencies.count)
        if used.count == 1 { lengths[used[0]] = 1 }
        if used.count > 1 {
            let coins = used.map { (weight: frequencies[$0], symbols: [$0]) }.sorted {
                ($0.weight, $0.symbols[0]) < ($1.weight, $1.symbols[0])
            }
            var packages: [(weight: Int, symbols: [Int])] = []
            for _ in 0..<limit {
                var pairs: [(weight: Int, symbols: [Int])] = []
                for start in stride(from: 0, to: packages.count - 1, by: 2) {
                    let (left, right) = (packages[start], packages[start + 1])
                    pairs.append((left.weight + right.weight, left.symbols + right.symbols))
                }
                packages = HuffmanCode.merged(coins, pairs)
            }
            for package in packages.prefix(2 * used.count - 2) {
                for symbol in package.symbols { lengths[symbol] += 1 }
            }
        }
        self.init(lengths: lengths)
    }

    private typealias Coin = (weight: Int, symbols: [Int])

    /// Two sorted lists as one; of equal weights those of the first come first.
    private static func merged(_ first: [Coin], _ second: [Coin]) -> [Coin] {
        var result: [Coin] = []
        var (left, right) = (0, 0)
        while left < first.count || right < second.count {
            if right == second.count || (left < first.count && first[left].weight <= second[right].weight) {
                result.append(first[left])
                left += 1
            } else {
                result.append(second[right])
                right += 1
            }
        }
        return result
    }

    func cost(of frequencies: [Int]) -> Int { zip(lengths, frequencies).reduce(0) { $0 + $1.0 * $1.1 } }
}

private struct Deflater {
    private enum Token {
        case literal(Int)
        case match(length: Int, distance: Int)
    }

    private let tokens: [Token]

    init(_ bytes: [UInt8]) { tokens = Deflater.tokens(bytes) }

    // MARK: Matches

    private static let window = 32_768
    private static let longest = 258
    private static let depth = 256

    /// Takes the longest match, but not one that is shorter than the match of the next byte.
    private static func tokens(_ bytes: [UInt8]) -> [Token] {
        var tokens: [Token] = []
        var heads: [Int: Int] = [:]
        var previous = [Int](repeating: -1, count: bytes.count)
        func key(_ position: Int) -> Int {
            Int(bytes[position]) << 16 | Int(bytes[position + 1]) << 8 | Int(bytes[position + 2])
        }
        func enter(_ position: Int) {
            guard position + 2 < bytes.count else { return }
            previous[position] = heads[key(position)] ?? -1
            heads[key(position)] = position
        }
        func match(at position: Int) -> (length: Int, distance: Int) {
            guard position + 2 < bytes.count else { return (0, 0) }
            var best = (length: 0, distance: 0)
            var candidate = heads[key(position)] ?? -1
            var tries = depth
            let most = min(longest, bytes.count - position)
            while candidate >= 0, position - candidate <= window, tries > 0 {
                var length = 0
                while length < most, bytes[candidate + length] == bytes[position + length] { length += 1 }
                if length > best.length { best = (length, position - candidate) }
                if length == most { break }
                candidate = previous[candidate]
                tries -= 1
            }
            return best
        }
        var position = 0
        while position < bytes.count {
            let found = match(at: position)
            enter(position)
            let isBeaten = found.length >= 3 && found.length < 32 && match(at: position + 1).length > found.length
            if found.length < 3 || isBeaten {
                tokens.append(.literal(Int(bytes[position])))
                position += 1
                continue
            }
            tokens.append(.match(length: found.length, distance: found.distance))
            for offset in 1..<found.length { enter(position + offset) }
            position += found.length
        }
        return tokens
    }

    // MARK: Codes

    private static let lengthBases = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ]
    private static let lengthBits = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distanceBases = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
        6145,
        8193, 12289, 16385, 24577,
    ]
    private static let distanceBits = [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
    ]
    private static let endOfBlock = 256

    private static func row(_ value: Int, in bases: [Int]) -> Int {
        (bases.firstIndex { $0 > value } ?? bases.count) - 1
    }

    private static let fixedLiterals = HuffmanCode(
        lengths: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
    private static let fixedDistances = HuffmanCode(lengths: [Int](repeating: 5, count: 30))

    /// The whole as the last block.
    func block() -> [UInt8] {
        var literals = [Int](repeating: 0, count: 286)
        var distances = [Int](repeating: 0, count: 30)
        literals[Deflater.endOfBlock] = 1
        for token in tokens {
            switch token {
            case .literal(let byte): literals[byte] += 1
            case .match(let length, let distance):
                literals[257 + Deflater.row(length, in: Deflater.lengthBases)] += 1
                distances[Deflater.row(distance, in: Deflater.distanceBases)] += 1
            }
        }
        let literalCode = HuffmanCode(frequencies: literals, limit: 15)
        // Without a match there is still to be one code for distances.
        let hasMatch = distances.contains { $0 > 0 }
        let distanceCode = HuffmanCode(frequencies: hasMatch ? distances : [1] + distances.dropFirst(), limit: 15)

        var header = BitWriter()
        header.write(1, bits: 1)
        header.write(2, bits: 2)
        writeLengths(literalCode, distanceCode, to: &header)
        var ownCost = header
        let own = literalCode.cost(of: literals) + distanceCode.cost(of: distances) + ownCost.finish().count * 8
        let fixed = Deflater.fixedLiterals.cost(of: literals + [0, 0]) + Deflater.fixedDistances.cost(of: distances)
        if own < fixed {
            write(literalCode, distanceCode, to: &header)
            return header.finish()
        }
        var writer = BitWriter()
        writer.write(1, bits: 1)
        writer.write(1, bits: 2)
        write(Deflater.fixedLiterals, Deflater.fixedDistances, to: &writer)
        return writer.finish()
    }

    private func write(_ literals: HuffmanCode, _ distances: HuffmanCode, to writer: inout BitWriter) {
        for token in tokens {
            switch token {
            case .literal(let byte): writer.write(byte, in: literals)
            case .match(let length, let distance):
                let lengthRow = Deflater.row(length, in: Deflater.lengthBases)
                writer.write(257 + lengthRow, in: literals)
                writer.write(length - Deflater.lengthBases[lengthRow], bits: Deflater.lengthBits[lengthRow])
                let distanceRow = Deflater.row(distance, in: Deflater.distanceBases)
                writer.write(distanceRow, in: distances)
                writer.write(distance - Deflater.distanceBases[distanceRow], bits: Deflater.distanceBits[distanceRow])
            }
        }
        writer.write(Deflater.endOfBlock, in: literals)
    }

    // MARK: The lengths of a code

    private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

    private func writeLengths(_ literals: HuffmanCode, _ distances: HuffmanCode, to writer: inout BitWriter) {
        let literalLengths = Deflater.trimmed(literals.lengths, least: 257)
        let distanceLengths = Deflater.trimmed(distances.lengths, least: 1)
        let runs = Deflater.runs(literalLengths + distanceLengths)
        var frequencies = [Int](repeating: 0, count: 19)
        for run in runs { frequencies[run.symbol] += 1 }
        let code = HuffmanCode(frequencies: frequencies, limit: 7)
        let codeLengths = Deflater.order.map { code.lengths[$0] }
        let count = max(4, (codeLengths.lastIndex { $0 > 0 } ?? 0) + 1)
        writer.write(literalLengths.count - 257, bits: 5)
        writer.write(distanceLengths.count - 1, bits: 5)
        writer.write(count - 4, bits: 4)
        for length in codeLengths.prefix(count) { writer.write(length, bits: 3) }
        for run in runs {
            writer.write(run.symbol, in: code)
            writer.write(run.extra, bits: run.bits)
        }
    }

    private static func trimmed(_ lengths: [Int], least: Int) -> [Int] {
        Array(lengths.prefix(max(least, (lengths.lastIndex { $0 > 0 } ?? 0) + 1)))
    }

    /// Lengths with repetitions: 16 repeats the last one, 17 and 18 stand for zeros.
    private static func runs(_ lengths: [Int]) -> [(symbol: Int, extra: Int, bits: Int)] {
        var runs: [(symbol: Int, extra: Int, bits: Int)] = []
        var position = 0
        while position < lengths.count {
            let length = lengths[position]
            var count = 1
            while position + count < lengths.count, lengths[position + count] == length { count += 1 }
            position += count
            if length > 0 {
                runs.append((length, 0, 0))
                count -= 1
                while count >= 3 {
                    let part = min(count, 6)
                    runs.append((16, part - 3, 2))
                    count -= part
                }
            } else {
                while count >= 3 {
                    let part = min(count, 138)
                    runs.append(part < 11 ? (17, part - 3, 3) : (18, part - 11, 7))
                    count -= part
                }
            }
            for _ in 0..<count { runs.append((length, 0, 0)) }
        }
        return runs
    }
}
