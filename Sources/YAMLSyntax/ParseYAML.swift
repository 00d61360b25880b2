// Bytes → located tree, with libyaml's events. Nothing here recurses, so no file can overflow the stack, and an aliased
// value is shared, not copied, while its nodes are counted, so no file can fill memory.
//
// muster reads a part of YAML 1.1: one document, keys that are scalars, no types by tag. What is left out is refused
// with its place. YAML's own complaint about an expression that should have been quoted misleads, so after a failure
// the text is scanned for such expressions (`UnquotedExpressions`), and parsed again without them: the person sees what
// to quote, and all other problems too.
//
// YAMLSyntax reads no file and prints nothing.

import CYAML
package import Diagnostics

/// What a file may cost.
package struct YAMLLimits: Sendable {
    package var maximumBytes = 16 << 20
    /// Collections in each other, also through aliases.
    package var maximumDepth = 200
    /// Keys and values as written.
    package var maximumNodes = 2_000_000
    /// Keys and values that are there by aliases only, each time they are.
    package var maximumAliasedNodes = 1_000_000
    /// Complaints about one file; more are left out, and said to be.
    package var maximumDiagnostics = 100

    package init() {}

    package static let standard = YAMLLimits()
}

/// Reads a YAML file.
///
/// - Returns: the tree, and everything that is wrong. There is no tree if the file is empty, holds only comments, or
///   could not be understood to its end; there may be one beside errors (a duplicate key, a tag), without the parts
///   that are wrong. Tags `!!str`, `!!seq`, `!!map` and `!` are allowed, since they only say what the schema will; `!!str`
///   keeps `~` and `null` text.
package func parseYAML(
    _ file: SourceFile, limits: YAMLLimits = .standard
) -> (root: YAMLNode?, diagnostics: [Diagnostic]) {
    if let diagnostic = refusal(of: file, limits) { return (nil, [diagnostic]) }

    var builder = TreeBuilder(file: file, limits: limits, restoring: [])
    let root = file.text.withUnsafeBufferPointer { builder.build($0) }
    guard builder.hasSyntaxError || builder.hasOpenExpression else { return (root, builder.finishedDiagnostics()) }

    // What YAML did not refuse it can only have cut.
    let unquoted = UnquotedExpressions.find(in: file.text).filter { builder.hasSyntaxError || $0.reason.isSilent }
    guard !unquoted.isEmpty else { return (root, builder.finishedDiagnostics()) }
    var mended = file.text
    for finding in unquoted {
        for offset in finding.scalar { mended[offset] = UInt8(ascii: "x") }
    }
    builder = TreeBuilder(file: file, limits: limits, restoring: unquoted)
    builder.diagnostics = unquoted.map { .unquotedExpression($0, in: file) }
    let mendedRoot = mended.withUnsafeBufferPointer { builder.build($0) }
    return (mendedRoot, builder.finishedDiagnostics())
}

/// What makes reading the file pointless.
private func refusal(of file: SourceFile, _ limits: YAMLLimits) -> Diagnostic? {
    let text = file.text
    if text.count > limits.maximumBytes { return .tooLarge(file, limit: limits.maximumBytes) }
    if text.starts(with: [0xEF, 0xBB, 0xBF]) { return .byteOrderMark(file.range(0, 3), encoding: "UTF-8") }
    if text.starts(with: [0xFE, 0xFF]) || text.starts(with: [0xFF, 0xFE]) {
        return .byteOrderMark(file.range(0, 2), encoding: "UTF-16")
    }
    return nil
}

/// Makes the tree from events, with a stack of the collections that are open.
private struct TreeBuilder {
    var diagnostics: [Diagnostic] = []
    /// Whether libyaml gave up.
    private(set) var hasSyntaxError = false
    /// Whether an unquoted scalar has `${` without its `}`: YAML may have cut it.
    private(set) var hasOpenExpression = false

    private let file: SourceFile
    private let limits: YAMLLimits
    /// The contents of scalars that were blanked before parsing, by the start of the scalar.
    private let blanked: [Int: Range<Int>]

    private var frames: [Frame] = []
    private var root: YAMLNode?
    private var anchors: [String: Anchored] = [:]
    /// The last quoted value: if its quote was closed too late, the complaint comes below it.
    private var lastQuoted: SourceRange?
    private var writtenNodes = 0
    private var aliasedNodes = 0

    private struct Anchored {
        let value: Built
        let range: SourceRange
    }

    /// A finished value, how many nodes it is made of and how deep it is.
    private struct Built {
        let node: YAMLNode
        let count: Int
        let height: Int
    }

    private enum Key {
        case none
        case named(String, SourceRange)
        case merge(SourceRange)
        /// The key was refused, so its value is dropped.
        case refused
    }

    private struct Merge {
        let keyRange: SourceRange
        let position: Int
        let value: YAMLNode
    }

    private struct Frame {
        let isMapping: Bool
        /// In braces or brackets.
        let isFlow: Bool
        let start: Int
        let anchor: String?
        var items: [YAMLNode] = []
        var entries: [YAMLEntry] = []
        var key = Key.none
        var merges: [Merge] = []
        /// Whether it was already said that a key has no value, or is so obvious that it need not be.
        var lacksValue = false
        var count = 1
        var height = 0
        var lastEnd: Int

        var awaitsKey: Bool {
            if isMapping, case .none = key { true } else { false }
        }
    }

    init(file: SourceFile, limits: YAMLLimits, restoring blanked: [UnquotedExpressions.Finding]) {
        self.file = file
        self.limits = limits
        self.blanked = Dictionary(
            blanked.map { ($0.scalar.lowerBound, $0.content) }, uniquingKeysWith: { first, _ in first })
    }

    /// The diagnostics, cut at the limit.
    func finishedDiagnostics() -> [Diagnostic] {
        let all = diagnostics.sortedByPlace()
        guard all.count > limits.maximumDiagnostics else { return all }
        let shown = all.prefix(limits.maximumDiagnostics)
        return shown + [.moreProblems(than: limits.maximumDiagnostics, at: shown.last?.range ?? file.range(0, 0))]
    }

    mutating func build(_ bytes: UnsafeBufferPointer<UInt8>) -> YAMLNode? {
        var reader = EventReader(bytes)
        var documents = 0
        while true {
            var event = yaml_event_t()
            guard reader.next(&event) else {
                hasSyntaxError = true
                diagnostics.append(.syntax(reader.failure(), after: lastQuoted, in: file))
                return nil
            }
            defer { yaml_event_delete(&event) }
            let start = reader.offset(event.start_mark)
            let end = reader.offset(event.end_mark)
            let goesOn: Bool
            switch event.type {
            case YAML_STREAM_END_EVENT: return root
            case YAML_DOCUMENT_START_EVENT:
                documents += 1
                goesOn = documents == 1
                if !goesOn { diagnostics.append(.severalDocuments(wordRange(at: start))) }
            case YAML_SCALAR_EVENT: goesOn = scalar(event, start, end)
            case YAML_ALIAS_EVENT: goesOn = alias(event, file.range(start, end))
            case YAML_SEQUENCE_START_EVENT:
                let data = event.data.sequence_start
                goesOn = open(isMapping: false, start, end, anchor: data.anchor, tag: data.tag)
            case YAML_MAPPING_START_EVENT:
                let data = event.data.mapping_start
                goesOn = open(isMapping: true, start, end, anchor: data.anchor, tag: data.tag)
            case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: goesOn = close(end)
            default: goesOn = true
            }
            if !goesOn { return nil }
        }
    }

    // MARK: - Events; each says whether to go on

    private mutating func scalar(_ event: yaml_event_t, _ start: Int, _ end: Int) -> Bool {
        let data = event.data.scalar
        writtenNodes += 1
        guard writtenNodes <= limits.maximumNodes else { return tooManyNodes(at: start) }
        var start = start
        var isText = false
        if data.anchor != nil || data.tag != nil {
            let properties = properties(from: start, to: end)
            start = properties.end
            if let tag = data.tag { isText = accept(String(cString: tag), core: "str", properties.tag) }
        }
        let bytes = UnsafeBufferPointer(start: data.value, count: data.length)
        let range: SourceRange
        let scalar: YAMLScalar
        if data.style == YAML_PLAIN_SCALAR_STYLE, let blanked = blanked[start] {
            range = file.range(blanked.lowerBound, blanked.upperBound)
            scalar = YAMLScalar(text: range.text, style: .plain, isVerbatim: true)
        } else {
            let text = String(decoding: bytes, as: UTF8.self)
            switch data.style {
            case YAML_SINGLE_QUOTED_SCALAR_STYLE, YAML_DOUBLE_QUOTED_SCALAR_STYLE:
                range = file.range(start, end)
                lastQuoted = range
                scalar = YAMLScalar(
                    text: text, style: data.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ? .singleQuoted : .doubleQuoted,
                    isVerbatim: isSource(bytes, from: start + 1, to: end - 1))
            case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE:
                range = blockContent(header: start, end: end, text: bytes)
                scalar = YAMLScalar(
                    text: text, style: data.style == YAML_LITERAL_SCALAR_STYLE ? .literal : .folded)
            default:
                range = file.range(start, end)
                let isNull = !isText && (bytes.isEmpty || text == "~" || text == "null")
                scalar = YAMLScalar(
                    text: text, style: .plain, isNull: isNull, isVerbatim: isSource(bytes, from: start, to: end))
                if !hasOpenExpression { hasOpenExpression = UnquotedExpressions.isOpen(in: bytes) }
            }
        }
        let anchor = data.anchor.map { String(cString: $0) }
        return attach(
            Built(node: YAMLNode(range: range, kind: .scalar(scalar)), count: 1, height: 0), anchor: anchor,
            isMergeKey: !isText && scalar.style == .plain && bytes.elementsEqual("<<".utf8))
    }

    private mutating func alias(_ event: yaml_event_t, _ range: SourceRange) -> Bool {
        let name = event.data.alias.anchor.map { String(cString: $0) } ?? ""
        guard let target = anchors[name] else {
            if let open = frames.first(where: { $0.anchor == name }) {
                diagnostics.append(.recursiveAlias(name, at: range, anchored: wordRange(at: open.start)))
            } else {
                diagnostics.append(.unknownAlias(name, at: range, known: anchors.keys))
            }
            let nothing = YAMLNode(range: range, kind: .scalar(YAMLScalar(text: "", style: .plain, isNull: true)))
            return attach(Built(node: nothing, count: 1, height: 0), anchor: nil)
        }
        aliasedNodes += target.value.count
        guard aliasedNodes <= limits.maximumAliasedNodes else {
            diagnostics.append(.aliasBomb(range, limit: limits.maximumAliasedNodes))
            return false
        }
        guard frames.count + target.value.height <= limits.maximumDepth else {
            diagnostics.append(.tooDeep(range, limit: limits.maximumDepth))
            return false
        }
        let node = YAMLNode(range: target.value.node.range, kind: target.value.node.kind, aliasRange: range)
        return attach(Built(node: node, count: target.value.count, height: target.value.height), anchor: nil)
    }

    private mutating func open(
        isMapping: Bool, _ start: Int, _ end: Int, anchor: UnsafeMutablePointer<yaml_char_t>?,
        tag: UnsafeMutablePointer<yaml_char_t>?
    ) -> Bool {
        writtenNodes += 1
        guard writtenNodes <= limits.maximumNodes else { return tooManyNodes(at: start) }
        var contentStart = start
        if anchor != nil || tag != nil {
            let properties = properties(from: start, to: file.text.count)
            contentStart = properties.end
            if let tag { _ = accept(String(cString: tag), core: isMapping ? "map" : "seq", properties.tag) }
        }
        guard frames.count < limits.maximumDepth else {
            diagnostics.append(.tooDeep(file.range(contentStart, contentStart + 1), limit: limits.maximumDepth))
            return false
        }
        let first = contentStart < file.text.count ? file.text[contentStart] : 0
        let name = anchor.map { String(cString: $0) }
        // A mapping that is a key is refused, so what it lacks does not matter.
        let isKey = frames.last?.awaitsKey ?? false
        // Inside its own value the anchor is not the older one of this name.
        if let name { anchors[name] = nil }
        frames.append(
            Frame(
                isMapping: isMapping, isFlow: first == (isMapping ? Byte.openBrace : Byte.openBracket),
                start: contentStart, anchor: name, lacksValue: isKey, lastEnd: contentStart))
        return true
    }

    private mutating func close(_ end: Int) -> Bool {
        guard let frame = frames.popLast() else { return true }
        // A block collection "ends" at the next token, lines below.
        let range = file.range(frame.start, frame.isFlow ? end : frame.lastEnd)
        let kind: YAMLNode.Kind = frame.isMapping ? .mapping(entries(of: frame)) : .sequence(frame.items)
        return attach(
            Built(node: YAMLNode(range: range, kind: kind), count: frame.count, height: frame.height + 1),
            anchor: frame.anchor)
    }

    // MARK: - Tree

    private mutating func attach(_ value: Built, anchor: String?, isMergeKey: Bool = false) -> Bool {
        let node = value.node
        if let anchor { anchors[anchor] = Anchored(value: value, range: node.range) }
        guard !frames.isEmpty else {
            root = node
            return true
        }
        let top = frames.count - 1
        let place = node.aliasRange ?? node.range
        frames[top].count += value.count
        frames[top].height = max(frames[top].height, value.height)
        defer { frames[top].lastEnd = max(frames[top].lastEnd, place.end) }
        guard frames[top].isMapping else {
            frames[top].items.append(node)
            return true
        }
        switch frames[top].key {
        case .none:
            frames[top].key = key(node, place, isMergeKey: isMergeKey)
        case .named(let key, let keyRange):
            if frames[top].isFlow, node.isNull, node.range.isEmpty, node.aliasRange == nil,
                !frames[top].lacksValue, !hasColon(after: keyRange.end)
            {
                frames[top].lacksValue = true
                diagnostics.append(.missingValue(key, at: keyRange))
            }
            frames[top].entries.append(YAMLEntry(key: key, keyRange: keyRange, value: node))
            frames[top].key = .none
        case .merge(let keyRange):
            frames[top].merges.append(Merge(keyRange: keyRange, position: frames[top].entries.count, value: node))
            frames[top].key = .none
        case .refused:
            frames[top].key = .none
        }
        return true
    }

    private mutating func key(_ node: YAMLNode, _ place: SourceRange, isMergeKey: Bool) -> Key {
        guard case .scalar(let scalar) = node.kind else {
            diagnostics.append(.keyIsNotScalar(place))
            return .refused
        }
        if isMergeKey { return .merge(place) }
        if scalar.style == .plain, scalar.text.isEmpty {
            diagnostics.append(.missingKey(place))
            return .refused
        }
        return .named(scalar.text, place)
    }

    /// The entries of a mapping: each key once, merged ones where their `<<` stands.
    private mutating func entries(of frame: Frame) -> [YAMLEntry] {
        var entries = frame.entries
        var isDuplicate = Set<Int>()
        eachDuplicate(in: entries.map(\.key)) { first, second in
            isDuplicate.insert(second)
            diagnostics.append(
                .duplicateKey(entries[second].key, at: entries[second].keyRange, first: entries[first].keyRange))
        }
        for second in frame.merges.dropFirst() {
            diagnostics.append(.duplicateMerge(at: second.keyRange, first: frame.merges[0].keyRange))
        }
        guard let merge = frame.merges.first else {
            if !isDuplicate.isEmpty {
                entries = entries.indices.filter { !isDuplicate.contains($0) }.map { entries[$0] }
            }
            return entries
        }
        var known = Set(entries.map(\.key))
        var merged: [YAMLEntry] = []
        for source in mergeSources(merge) {
            for entry in source where known.insert(entry.key).inserted {
                merged.append(
                    YAMLEntry(
                        key: entry.key, keyRange: entry.keyRange, value: entry.value, mergeRange: merge.keyRange))
            }
        }
        let kept = entries.indices.filter { !isDuplicate.contains($0) }
        return kept.filter { $0 < merge.position }.map { entries[$0] } + merged
            + kept.filter { $0 >= merge.position }.map { entries[$0] }
    }

    private mutating func mergeSources(_ merge: Merge) -> [[YAMLEntry]] {
        switch merge.value.kind {
        case .mapping(let entries): return [entries]
        case .sequence(let items):
            return items.compactMap { item in
                if case .mapping(let entries) = item.kind { return entries }
                diagnostics.append(.mergeIsNotMapping(item.aliasRange ?? item.range))
                return nil
            }
        case .scalar:
            // What an unknown alias left was already complained about.
            if merge.value.isNull, !merge.value.range.isEmpty, merge.value.aliasRange == nil,
                file.text[merge.value.range.start] == Byte.asterisk
            {
                return []
            }
            diagnostics.append(.mergeIsNotMapping(merge.value.aliasRange ?? merge.value.range))
            return []
        }
    }

    private func eachDuplicate(in keys: [String], report: (_ first: Int, _ second: Int) -> Void) {
        if keys.count <= 8 {
            for second in keys.indices.dropFirst() {
                if let first = keys[..<second].firstIndex(of: keys[second]) { report(first, second) }
            }
            return
        }
        var seen: [String: Int] = [:]
        seen.reserveCapacity(keys.count)
        for (index, key) in keys.enumerated() {
            if let first = seen[key] {
                report(first, index)
            } else {
                seen[key] = index
            }
        }
    }

    // MARK: - Source

    private mutating func tooManyNodes(at offset: Int) -> Bool {
        diagnostics.append(.tooManyNodes(wordRange(at: offset), limit: limits.maximumNodes))
        return false
    }

    /// Whether a tag says no more than the schema will; complains otherwise.
    private mutating func accept(_ tag: String, core: String, _ range: SourceRange?) -> Bool {
        if tag == "!" || tag == "tag:yaml.org,2002:\(core)" { return true }
        diagnostics.append(.tag(range ?? file.range(0, 0)))
        return false
    }

    /// Where anchor and tag end and the value begins.
    private func properties(from start: Int, to limit: Int) -> (end: Int, tag: SourceRange?) {
        var index = start
        var tag: SourceRange?
        while index < limit {
            let first = file.text[index]
            guard first == Byte.ampersand || first == Byte.exclamation else { break }
            let from = index
            while index < limit, !file.text[index].isBlank, !file.text[index].isLineBreak,
                first == Byte.exclamation || !file.text[index].isFlowIndicator
            {
                index += 1
            }
            if first == Byte.exclamation { tag = file.range(from, index) }
            index = min(afterBlanks(from: index), limit)
        }
        return (index, tag)
    }

    /// The first byte that is not blank, a line break or in a comment.
    private func afterBlanks(from start: Int) -> Int {
        var index = start
        while index < file.text.count {
            let byte = file.text[index]
            if byte == Byte.hash, index > 0, file.text[index - 1].isBlank || file.text[index - 1].isLineBreak {
                while index < file.text.count, !file.text[index].isLineBreak { index += 1 }
            } else if byte.isBlank || byte.isLineBreak {
                index += 1
            } else {
                break
            }
        }
        return index
    }

    private func hasColon(after keyEnd: Int) -> Bool {
        let index = afterBlanks(from: keyEnd)
        return index < file.text.count && file.text[index] == Byte.colon
    }

    private func isSource(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int) -> Bool {
        bytes.count == end - start && end <= file.text.count && start <= end
            && bytes.elementsEqual(file.text[start..<end])
    }

    /// The content of a block scalar: from the indentation of its first line with text to its last character.
    private func blockContent(header: Int, end: Int, text: UnsafeBufferPointer<UInt8>) -> SourceRange {
        var index = header
        while index < end, !file.text[index].isLineBreak { index += 1 }
        let headerEnd = index
        while index < end, file.text[index] == Byte.space || file.text[index].isLineBreak { index += 1 }
        guard index < end, let first = text.firstIndex(where: { $0 != Byte.space && $0 != Byte.lineFeed }) else {
            return file.range(header, headerEnd)
        }
        let leadingSpaces = first - (text[..<first].lastIndex(of: Byte.lineFeed) ?? -1) - 1
        var last = end
        while last > index, file.text[last - 1] == Byte.space || file.text[last - 1].isLineBreak { last -= 1 }
        return file.range(index - leadingSpaces, last)
    }

    private func wordRange(at offset: Int) -> SourceRange { file.word(at: offset) }
}

extension SourceFile {
    /// From an offset to the next blank or line break, at most 80 bytes; empty at the end of a line.
    func word(at offset: Int) -> SourceRange {
        var end = offset
        while end < min(text.count, offset + 80), !text[end].isBlank, !text[end].isLineBreak { end += 1 }
        while end < text.count, text[end] & 0xC0 == 0x80 { end += 1 }
        return range(offset, end)
    }
}
