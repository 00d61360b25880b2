import MusterModel

/// In which order the steps of a run began and ended, held against what the spec says of who needs whom. The plan is not
/// asked: it may be what is wrong.
struct StepOrder: Sendable {
    private struct Span: Sendable {
        let step: Step
        let began: Int
        var ended: Int?
    }

    private var spans: [Span] = []
    private var count = 0

    mutating func begins(_ step: Step) {
        count += 1
        spans.append(Span(step: step, began: count))
    }

    mutating func ends(_ step: Step) {
        count += 1
        guard let index = spans.lastIndex(where: { $0.step.id == step.id }) else { return }
        spans[index].ended = count
    }

    /// What began before that on which it stands was there, or went before it was let go.
    func tooEarly(_ now: Spec, before: Spec) -> [String] {
        var found: [String] = []
        func note(_ first: [Span], _ second: [Span]) {
            for earlier in first {
                for later in second where earlier.step.id != later.step.id {
                    if let ended = earlier.ended, ended < later.began { continue }
                    found.append("too early: \(later.step.told), before \(earlier.step.told) had ended")
                }
            }
        }
        for resource in now.resources {
            let own = spans(of: resource.address)
            for needed in resource.dependencies { note(spans(of: needed).made, own.made) }
            let makes = own.made.filter { $0.step.operation == .create }
            if makes.contains(where: \.step.deposesPrevious) { note(makes, own.gone) } else { note(own.gone, makes) }
        }
        for resource in before.resources {
            let own = spans(of: resource.address)
            for needed in resource.dependencies {
                let others = spans(of: needed)
                note(own.gone, others.gone)
                // What is replaced delete-first can be let go of only where something else takes its place.
                let isMadeAnew = others.made.contains { $0.step.operation == .create && !$0.step.deposesPrevious }
                if !isMadeAnew { note(own.made.filter { $0.step.operation == .update }, others.gone) }
            }
        }
        return found
    }

    private func spans(of address: Address) -> (made: [Span], gone: [Span]) {
        let own = spans.filter { $0.step.address == address }
        return (
            own.filter { [.create, .update].contains($0.step.operation) }, own.filter { $0.step.operation == .delete }
        )
    }
}

extension Step {
    fileprivate var told: String { "\(operation.rawValue) \(address)" }
}
