import Diagnostics
import Expressions
import MusterModel

/// What the names in an expression stand for, at one place of one stack.
struct Scope {
    let stack: StackContext
    /// Inside a definition with `for_each`.
    var each: (key: String, value: Value)?
    /// Inside a definition with `count` or `for_each`; from 1.
    var index: Int?
    var reach: Reach

    enum Reach {
        /// `var`, `stack` and `workspace` alone; for what, as in `a lookup may use variables only`.
        case variables(String)
        /// Expressions have no place here at all.
        case nothing(String)
        case everything
    }

    /// A text in a field that takes a reference: a literal, a reserved word, or a name to be linked.
    func named(_ text: String, _ kind: ReferenceKind, at range: SourceRange) -> Value {
        if kind.isLiteral(text) || kind.reserved.contains(text) { return .string(text) }
        return .deferred(Deferred(.reference(Reference(.named(kind, text), stack: stack.name, range: range))))
    }
}

extension ReferenceKind {
    /// Whether a text stands for itself: an id, an ARN, a network.
    func isLiteral(_ text: String) -> Bool {
        text.hasPrefix("arn:") || literalPrefixes.contains(where: { begins(text, with: $0) })
            || allowsCIDR && text.utf8.contains(UInt8(ascii: "/")) && IPNetwork(text) != nil
    }

    /// A prefix that is a letter alone, such as the `Z` of hosted zones, begins many names; ids go on in capitals and
    /// digits.
    private func begins(_ text: String, with prefix: String) -> Bool {
        guard text.hasPrefix(prefix) else { return false }
        let isLetter = prefix.utf8.count == 1 && prefix.utf8.allSatisfy { (0x41...0x5A).contains($0) }
        return !isLetter
            || text.utf8.count > 8 && text.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) }
    }
}

/// What expressions of one stack can name.
final class StackContext {
    let name: String
    let workspace: String
    let region: String?
    let account: String?
    let variables: VariableTable
    /// Known after every spec is read.
    let names: KnownNames
    var uses: [String] = []

    init(
        name: String, workspace: String, region: String?, account: String?, variables: VariableTable,
        names: KnownNames
    ) {
        self.name = name
        self.workspace = workspace
        self.region = region
        self.account = account
        self.variables = variables
        self.names = names
    }
}

/// The names that all stacks share.
struct KnownNames {
    /// Sections that this version lowers.
    let sections: Set<String>
    /// Sections that a later version will know.
    let plannedSections: Set<String>
    let catalog: Catalog
    /// In the order of the workspace file.
    var stacks: [String] = []
    /// Every lookup that a spec declares, also one that is wrong.
    var lookups: Set<Address> = []
    var results: [Address: [String: Value]] = [:]

    init(sections: [SectionSchema], catalog: Catalog) {
        self.sections = Set(sections.map(\.name))
        plannedSections = SpecFile.plannedSections.subtracting(self.sections)
        self.catalog = catalog
    }

    static let roots = ["var", "each", "index", "stack", "workspace", "lookups", "outputs", "aws", "rancher", "spot"]
}
