import Diagnostics

/// What is wrong, each thing once: a file used by ten stacks is complained about once.
final class Complaints {
    private(set) var diagnostics: [Diagnostic] = []
    private var seen: Set<Diagnostic> = []
    /// True while no lookup was asked: that a value hangs on one is no complaint yet.
    let isBeforeLookups: Bool

    init(isBeforeLookups: Bool = false) { self.isBeforeLookups = isBeforeLookups }

    func report(_ diagnostic: Diagnostic) {
        if seen.insert(diagnostic).inserted { diagnostics.append(diagnostic) }
    }

    func report(_ diagnostics: some Sequence<Diagnostic>) {
        for diagnostic in diagnostics { report(diagnostic) }
    }
}

extension Complaints {
    /// The complaints of one stack.
    struct OfStack {
        let complaints: Complaints
        let spec: SourceFile
        let name: String

        init(_ complaints: Complaints, spec: SourceFile, name: String) {
            self.complaints = complaints
            self.spec = spec
            self.name = name
        }
    }

    /// The complaints of all stacks. One that not every stack of a spec has says whose it is.
    static func merged(_ stacks: [OfStack]) -> [Diagnostic] {
        var result: [Diagnostic] = []
        for group in Dictionary(grouping: stacks, by: \.spec).values {
            var owners: [Diagnostic: [OfStack]] = [:]
            for stack in group {
                for diagnostic in stack.complaints.diagnostics { owners[diagnostic, default: []].append(stack) }
            }
            for (diagnostic, owners) in owners {
                var diagnostic = diagnostic
                if owners.count < group.count, diagnostic.range?.file === owners.first?.spec {
                    let names = owners.map(\.name.quoted).joined(separator: ", ")
                    diagnostic.detail += " This is so in the stack\(owners.count == 1 ? "" : "s") \(names)."
                }
                result.append(diagnostic)
            }
        }
        return result
    }
}
