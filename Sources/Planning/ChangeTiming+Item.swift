import MusterModel

// When a change in place takes effect, as far as the schema says: with the call, in a window, or with something else.

extension Planner.Item {
    /// True when the change of an argument waits for a window, so that the call interrupts nothing.
    func waits(_ argument: ArgumentSchema) -> Bool {
        guard case .inWindow(_, let unless, let condition) = argument.timing else { return false }
        switch condition {
        case .always: break
        case .betweenZero: if !isBetweenZero(argument) { return false }
        case .with(let name, _):
            guard diff.changed.contains(name), let other = schema.argument(name), waits(other) else { return false }
        }
        let choice = wanted[unless] ?? .null
        return choice == .null || choice == false
    }

    /// True when the call that changes an argument interrupts what the object does.
    func interrupts(_ name: String) -> Bool {
        guard let argument = schema.argument(name), argument.onChange == .updateWithDowntime, !waits(argument) else {
            return false
        }
        if case .inWindow(_, _, when: .betweenZero) = argument.timing { return isBetweenZero(argument) }
        return true
    }

    /// What the reader of the plan should know about changes that are not there when the apply is over.
    var timingNotes: [String] {
        var notes: [String] = []
        var windows: [String: (names: [String], unless: String)] = [:]
        for name in diff.changed {
            guard let argument = schema.argument(name) else { continue }
            switch argument.timing {
            case .inWindow(let window, let unless, _) where waits(argument):
                windows[window, default: ([], unless)].names.append(name)
            case .later(let sentence), .inWindow(_, _, when: .with(_, otherwise: let sentence)):
                notes.append("\(name): \(sentence)")
            case .atOnce, .inWindow: break
            }
        }
        for (window, change) in windows.sorted(by: { $0.key < $1.key }) {
            let isOne = change.names.count == 1
            let interrupting = change.names.contains {
                schema.argument($0)?.onChange == .updateWithDowntime
            }
            let time = (wanted[window]?.string ?? prior[window]?.string).map { " \($0) (UTC)" } ?? ""
            let what = "\(isOne ? "takes" : "take") effect\(interrupting ? ", and may interrupt it," : "")"
            notes.append(
                "\(change.names.joined(separator: ", ")) \(what) in the \(window.replacing("_", with: " "))\(time); "
                    + "with \"\(change.unless): true\" at once")
        }
        return notes
    }

    /// What a deletion leaves behind, in words; nil where the type leaves nothing.
    var keepsakeText: String? {
        guard let keepsake = schema.keepsake else { return nil }
        if let refusal = keepsake.refusalArgument, prior[refusal] == true { return "No \(keepsake.noun) is made." }
        if let name = prior[keepsake.nameArgument]?.string, !name.isEmpty {
            return "Its \(keepsake.noun) is \(name)."
        }
        guard let output = keepsake.nameOutput else { return "No \(keepsake.noun) is made." }
        guard let name = (live?.outputs[output] ?? record?.outputs[output])?.string else {
            return "A \(keepsake.noun) is made."
        }
        return "Its \(keepsake.noun) is \(name)."
    }

    /// The argument by which the cloud refuses to delete the object now.
    var deletionGuard: String? {
        schema.arguments.first { $0.isDeletionGuard && prior[$0.name] == true }?.name
    }

    private func isBetweenZero(_ argument: ArgumentSchema) -> Bool {
        (prior[argument.name] == 0) != (wanted[argument.name] == 0)
    }
}
