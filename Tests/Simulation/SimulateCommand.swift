import FoundationEssentials
import MusterModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The command line of the simulator.
package struct SimulateCommand {
    private var seed: UInt64 = 1
    private var runs = 100
    private var isVerbose = false
    private var keepsGoing = false
    private var shrinks = true
    private var types = ""
    private var isDisturbed = true
    private var mode = Mode.chance

    private enum Mode {
        case chance, lives, planted
        /// In a folder.
        case bookkeeping(String)
    }

    package init(_ arguments: [String]) {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--seed": seed = rest.popFirst().flatMap { UInt64($0) } ?? seed
            case "--runs": runs = rest.popFirst().flatMap { Int($0) } ?? runs
            case "--verbose": isVerbose = true
            case "--keep-going": keepsGoing = true
            case "--no-shrink": shrinks = false
            case "--lives": mode = .lives
            // Part of the names of the types to look at alone.
            case "--types": types = rest.popFirst() ?? ""
            case "--undisturbed": isDisturbed = false
            case "--planted": mode = .planted
            case "--bookkeeping": mode = .bookkeeping(rest.popFirst() ?? ".")
            default: break
            }
        }
    }

    /// The exit status.
    package func run() async -> Int32 {
        switch mode {
        case .chance: runByChance()
        case .lives: runLives()
        case .planted: runPlanted()
        case .bookkeeping(let folder): await runBookkeeping(folder)
        }
    }

    /// What the journal costs per call.
    private func runBookkeeping(_ folder: String) async -> Int32 {
        for count in [100, 1_000, 10_000] {
            guard let result = try? await Bookkeeping.measure(count, in: folder) else { return 1 }
            print(
                "\(result.resources) resources: \(result.userPerCall.rounded(to: 3)) ms CPU in user mode, "
                    + "\(result.systemPerCall.rounded(to: 3)) ms in the kernel, "
                    + "\(result.wallPerCall.rounded(to: 3)) ms in all a call")
        }
        return 0
    }

    /// Every crash point of every type.
    private func runLives() -> Int32 {
        var total = 0
        var violations: [String] = []
        for life in Life.all where types.isEmpty || life.type.rawValue.contains(types) {
            if !isDisturbed {
                let verdict = life.scenario(crash: nil, lag: 0, making: 3).run()
                violations += verdict.violations.map { "\(life): \($0)" }
                if isVerbose { for line in verdict.story { print(line) } }
                continue
            }
            let result = life.crashEverywhere()
            total += result.count
            violations += result.violations
            fflush(nil)
            print("\(life): \(result.count) boundaries, \(result.violations.isEmpty ? "settled" : "BROKEN")")
        }
        if types.isEmpty {
            print(LifeTable.whole.text)
            violations += LifeTable.whole.rows.flatMap { row in
                row.missing.map { "\(row.type): nothing stops \($0.rawValue)" }
            }
        }
        for violation in violations { print("  \(violation)") }
        print("\(Life.all.count) lives, \(total) boundaries, \(violations.count) violations")
        return violations.isEmpty ? 0 : 1
    }

    /// Every planted mistake: how many of them are noticed.
    private func runPlanted() -> Int32 {
        var noticed = 0
        var made = 0
        for fault in PlantedFault.all where types.isEmpty || fault.description.contains(types) {
            switch fault.outcome() {
            case .noticed(let found):
                noticed += 1
                made += 1
                print("noticed  \(fault): \(found.prefix(150))")
            case .neverMade: print("unmade   \(fault): nothing gives it anything to do")
            case .survives:
                made += 1
                print("SURVIVES \(fault)")
            }
            fflush(nil)
        }
        print("\(noticed) of \(made) planted mistakes were noticed")
        return noticed == made ? 0 : 1
    }

    private func runByChance() -> Int32 {
        var failures = 0
        var calls = 0
        var crashes = 0
        var seconds = 0.0
        for number in 0..<UInt64(runs) {
            let scenario = Scenario.random(seed: seed + number, focus: types)
            let verdict = scenario.run()
            if number == 0, scenario.run().story != verdict.story {
                failures += 1
                print("seed \(seed) is not the same history twice")
            }
            calls += verdict.callCount
            crashes += verdict.crashes
            seconds += verdict.seconds
            if isVerbose { for line in verdict.story { print(line) } }
            if (number + 1) % 5_000 == 0 { print("\(number + 1) runs, \(failures) broke a law") }
            if verdict.violations.isEmpty { continue }
            failures += 1
            print("seed \(scenario.seed) breaks a law:")
            for violation in verdict.violations { print("  \(violation)") }
            if !shrinks { if keepsGoing { continue } else { break } }
            let small = scenario.shrunk()
            let again = small.run()
            print("\nthe story of the smallest:")
            for line in again.story { print("  \(line)") }
            for violation in again.violations { print("  \(violation)") }
            print("\n" + small.regressionTest(again.violations))
            if !keepsGoing { break }
        }
        print(
            "\(runs) runs from seed \(seed): \(failures) broke a law; \(calls) calls, \(crashes) crashes, "
                + "\(Int(seconds / 3600)) simulated hours")
        return failures == 0 ? 0 : 1
    }
}

extension Double {
    fileprivate func rounded(to digits: Int) -> Double {
        let factor = Double((0..<digits).reduce(1) { product, _ in product * 10 })
        return (self * factor).rounded() / factor
    }
}
