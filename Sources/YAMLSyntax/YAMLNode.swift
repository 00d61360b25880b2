// The located tree of a YAML file. It knows no resource and gives scalars no type: `0644`, `on` and `08:30` are the
// text that was written, and a schema reads it later. What several places share by an anchor is stored once.

package import Diagnostics

/// A value and its place.
package struct YAMLNode: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        /// Entries in the order of the file, keys unique, merge keys (`<<`) expanded.
        case mapping([YAMLEntry])
    }

    /// Where the value was written: a plain scalar without comment, a quoted one with its quotes, of a block scalar the
    /// content without header, a collection from its first to its last character. Anchor and tag are not part of it.
    /// A value that is left out has an empty range.
    package let range: SourceRange
    package let kind: Kind
    /// If the value is here by an alias: the place of the `*name` that brought it; `range` is then the anchored value.
    package let aliasRange: SourceRange?

    package init(range: SourceRange, kind: Kind, aliasRange: SourceRange? = nil) {
        self.range = range
        self.kind = kind
        self.aliasRange = aliasRange
    }
}

/// One key and its value.
package struct YAMLEntry: Sendable, Hashable {
    package let key: String
    package let keyRange: SourceRange
    package let value: YAMLNode
    /// If the entry was merged: the place of the `<<` that brought it; `keyRange` is where it was written.
    package let mergeRange: SourceRange?

    package init(key: String, keyRange: SourceRange, value: YAMLNode, mergeRange: SourceRange? = nil) {
        self.key = key
        self.keyRange = keyRange
        self.value = value
        self.mergeRange = mergeRange
    }
}

/// Text, as it is after YAML's escapes and folding.
package struct YAMLScalar: Sendable, Hashable {
    package enum Style: Sendable, Hashable {
        case plain, singleQuoted, doubleQuoted, literal, folded
    }

    package let text: String
    package let style: Style
    /// Whether nothing was written, or an unquoted `~` or `null`, without the tag `!!str`.
    package let isNull: Bool
    /// Whether the source bytes (between the quotes, if any) are the text itself, so that offsets map one to one.
    package let isVerbatim: Bool

    package init(text: String, style: Style, isNull: Bool = false, isVerbatim: Bool = false) {
        self.text = text
        self.style = style
        self.isNull = isNull
        self.isVerbatim = isVerbatim
    }

    /// Whether quotes or a block header say that this is text, whatever it looks like.
    package var isQuoted: Bool { style != .plain }
}

extension YAMLNode {
    package var scalar: YAMLScalar? {
        if case .scalar(let scalar) = kind { scalar } else { nil }
    }

    package var sequence: [YAMLNode]? {
        if case .sequence(let items) = kind { items } else { nil }
    }

    package var mapping: [YAMLEntry]? {
        if case .mapping(let entries) = kind { entries } else { nil }
    }

    package var isNull: Bool { scalar?.isNull ?? false }

    /// The place of a part of a scalar's text, given by UTF-8 offsets: through quotes, escapes, folded lines and
    /// indentation. Where the text cannot be followed back, and for collections, the range of the whole value.
    package func range(ofText offsets: Range<Int>) -> SourceRange {
        guard case .scalar(let scalar) = kind else { return range }
        if scalar.isVerbatim {
            let quote = scalar.style == .plain ? 0 : 1
            return SourceRange(
                file: range.file, start: min(range.start + quote + offsets.lowerBound, range.end),
                end: min(range.start + quote + offsets.upperBound, range.end))
        }
        var walk = TextAlignment(range: range, scalar: scalar)
        guard let start = walk.sourceStart(ofText: offsets.lowerBound),
            let end = walk.sourceEnd(ofText: offsets.upperBound)
        else { return range }
        return SourceRange(file: range.file, start: start, end: end)
    }
}
