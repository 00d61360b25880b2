import CYAML

/// libyaml's event parser over bytes that stay alive and unchanged meanwhile. Positions are byte offsets.
struct EventReader: ~Copyable {
    /// What libyaml complains about, in its own words.
    struct Failure {
        enum Source { case reader, syntax, memory }
        let source: Source
        let problem: String
        let offset: Int
        /// What libyaml was doing, such as "while parsing a flow mapping", and where that began.
        let context: String
        let contextOffset: Int?
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let isReady: Bool
    private var offsets: OffsetIndex

    /// - Parameter bytes: must outlive the reader.
    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        parser = .allocate(capacity: 1)
        isReady = yaml_parser_initialize(parser) == 1
        offsets = OffsetIndex(bytes)
        guard isReady else { return }
        // Without this libyaml would read UTF-16 and skip byte order marks.
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        if isReady { yaml_parser_delete(parser) }
        parser.deallocate()
    }

    /// Reads the next event, which the caller deletes; false after a failure.
    func next(_ event: inout yaml_event_t) -> Bool {
        isReady && yaml_parser_parse(parser, &event) == 1
    }

    /// The byte offset of a mark, which counts characters.
    mutating func offset(_ mark: yaml_mark_t) -> Int { offsets.byte(ofCharacter: Int(mark.index)) }

    /// Why `next` said false.
    mutating func failure() -> Failure {
        guard isReady, parser.pointee.error != YAML_MEMORY_ERROR else {
            return Failure(source: .memory, problem: "out of memory", offset: 0, context: "", contextOffset: nil)
        }
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? ""
        if parser.pointee.error == YAML_READER_ERROR {
            return Failure(
                source: .reader, problem: problem, offset: Int(parser.pointee.problem_offset), context: "",
                contextOffset: nil)
        }
        let context = parser.pointee.context.map { String(cString: $0) }
        return Failure(
            source: .syntax, problem: problem, offset: offset(parser.pointee.problem_mark), context: context ?? "",
            contextOffset: context == nil ? nil : offset(parser.pointee.context_mark))
    }
}

/// From libyaml's character counts to byte offsets. Marks come nearly in order, so a cursor that walks to and fro costs
/// one pass in all; of a text that is all ASCII, nothing.
private struct OffsetIndex {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let isASCII: Bool
    private var character = 0
    private var byte = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        let raw = UnsafeRawBufferPointer(bytes)
        var bits: UInt64 = 0
        var index = 0
        while index + 8 <= raw.count {
            bits |= raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < raw.count {
            bits |= UInt64(raw[index])
            index += 1
        }
        isASCII = bits & 0x8080_8080_8080_8080 == 0
    }

    mutating func byte(ofCharacter wanted: Int) -> Int {
        if isASCII { return min(wanted, bytes.count) }
        while character < wanted, byte < bytes.count {
            byte += 1
            while byte < bytes.count, bytes[byte] & 0xC0 == 0x80 { byte += 1 }
            character += 1
        }
        while character > wanted, byte > 0 {
            byte -= 1
            while byte > 0, bytes[byte] & 0xC0 == 0x80 { byte -= 1 }
            character -= 1
        }
        return byte
    }
}
