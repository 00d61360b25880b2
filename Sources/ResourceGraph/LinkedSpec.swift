// References → a directed acyclic graph. Pure: no I/O, no knowledge of any resource type.
//
// Linking turns every name that a user wrote into the output of a declared resource; the outputs that a value names
// are then the edges of the graph. Order edges (`depends_on`) are kept apart: they never make a value unknown.

package import MusterModel

/// Declarations whose references are all resolved, and the graph between them.
package struct LinkedSpec: Sendable {
    /// Sorted by address. Everything below refers to them by position.
    package let declarations: [Declaration]
    package let positions: [Address: Int]
    /// For each declaration, what it takes values from: sorted, each once.
    package let valueDependencies: [[Int]]
    /// For each declaration, what must exist before it, without lending a value.
    package let orderDependencies: [[Int]]
    /// For each declaration, those whose change replaces it.
    package let triggers: [[Int]]
    /// Every dependency before its dependents; among equals by address.
    package let order: [Int]
    package let outputs: [OutputDeclaration]

    package func dependencies(of position: Int) -> [Int] {
        orderDependencies[position].isEmpty
            ? valueDependencies[position] : valueDependencies[position] + orderDependencies[position]
    }

    package static let empty = LinkedSpec(
        declarations: [], positions: [:], valueDependencies: [], orderDependencies: [], triggers: [], order: [],
        outputs: [])
}
