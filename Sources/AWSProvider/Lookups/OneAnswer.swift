import MusterModel
import ProviderKit

extension Lookup {
    /// The one thing that was found; several or none are an error that says what was asked and what there is.
    func one<Thing>(
        of found: [Thing], asked: [(name: String, value: String?)], narrow: String, describe: (Thing) -> String
    ) throws(ProviderError) -> Thing {
        if found.count == 1 { return found[0] }
        let question = asked.compactMap { part in part.value.map { "\(part.name): \($0)" } }.joined(separator: ", ")
        let what = question.isEmpty ? "without any condition" : "with \(question)"
        guard !found.isEmpty else {
            throw ProviderError(
                .notFound, "\(Self.schema.kind): there is none \(what).",
                hint: "Look at the conditions, and whether region and account are the right ones.")
        }
        var shown = found.map(describe).sorted()
        let count = shown.count
        if count > 10 { shown = Array(shown.prefix(10)) + ["…"] }
        throw ProviderError(
            .invalid, "\(Self.schema.kind): there are \(count) \(what): \(shown.joined(separator: ", ")).", hint: narrow
        )
    }
}

/// Conditions as a person wrote them, for the error of a lookup.
func conditions(_ values: [String: String]?) -> String? {
    guard let values, !values.isEmpty else { return nil }
    return "{" + values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}"
}

/// Tags as filters of EC2.
func tagFilters(_ tags: [String: String]?) -> [(name: String, values: [String])] {
    (tags ?? [:]).sorted { $0.key < $1.key }.map { ("tag:\($0.key)", [$0.value]) }
}

/// A filter of EC2, unless it is unset.
func filter(_ name: String, _ value: String?) -> [(name: String, values: [String])] {
    value.filled.map { [(name, [$0])] } ?? []
}
