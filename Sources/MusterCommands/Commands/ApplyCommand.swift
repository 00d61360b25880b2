import ArgumentParser
import Diagnostics
import MusterModel
import SpecLoading

/// Hazards by name, with commas between them.
struct HazardNames: ExpressibleByArgument {
    let kinds: [Hazard.Kind]

    init?(argument: String) {
        var kinds: [Hazard.Kind] = []
        for name in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let kind = Hazard.Kind(rawValue: String(name)) else { return nil }
            kinds.append(kind)
        }
        self.kinds = kinds
    }

    static let allValueStrings = Hazard.Kind.allCases.map(\.rawValue)
}

struct ApplyOptions: ParsableArguments {
    @Flag(name: .long, help: "Do not ask.") var autoApprove = false
    @Option(
        name: .long,
        help: ArgumentHelp("Allow hazards by name: one, or several with commas.", valueName: "hazard"))
    var allow: [HazardNames] = []
    @Option(name: .long, help: "How many calls at once.") var parallelism = 10
    @Option(name: .long, help: ArgumentHelp("Write what happens as JSON lines.", valueName: "file"))
    var events: String?

    @Option(
        name: .long,
        help: ArgumentHelp("How long to wait for another run of the same stack, such as 10m.", valueName: "duration"))
    var wait: String?

    func validate() throws {
        if let wait, Duration(written: wait) == nil { throw ValidationError("--wait wants a time such as 90s or 10m.") }
        if !(1...200).contains(parallelism) { throw ValidationError("--parallelism wants a number from 1 to 200.") }
    }

    /// - Parameter command: the words that started it, for the history.
    func request(isApproved: Bool, command: [String]) -> ApplyRequest {
        ApplyRequest(
            isApproved: autoApprove || isApproved, allowed: Set(allow.flatMap(\.kinds)), parallelism: parallelism,
            eventsPath: events, leasePatience: wait.flatMap { Duration(written: $0) } ?? .zero,
            command: command.joined(separator: " "))
    }
}

extension Duration {
    /// `90s`, `10m`, `1h30m`; nil when it is no such thing.
    init?(written text: String) {
        var seconds = 0
        var number = ""
        for character in text {
            if character.isASCII, character.isNumber {
                number.append(character)
                continue
            }
            guard let count = Int(number), let unit = ["s": 1, "m": 60, "h": 3600][character],
                count < 100_000_000, seconds < 1_000_000_000_000
            else { return nil }
            seconds += count * unit
            number = ""
        }
        guard number.isEmpty, !text.isEmpty else { return nil }
        self = .seconds(seconds)
    }
}

struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Make what the specs say.",
        discussion: """
            With a plan file it does exactly that plan, or says what has moved since. Without one it plans, shows the \
            plan and asks.
            """)

    @OptionGroup var scope: ScopeOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var options: ApplyOptions
    @Argument(help: "A plan that \"muster plan --out\" kept.") var plan: String?
    @Option(name: .long, help: ArgumentHelp("Replace this resource (may be repeated).", valueName: "address"))
    var replace: [String] = []

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            let workbench = try Workbench.make(console, scope)
            if let plan {
                if !selection.only.isEmpty || !selection.except.isEmpty || !replace.isEmpty || !scope.stack.isEmpty {
                    throw CommandFailure(
                        code: "usage.plan-file", summary: "A plan file is applied as it is",
                        detail: "--stack, --only, --except and --replace belong to \"muster plan\".")
                }
                return try await workbench.applyFile(
                    plan, options.request(isApproved: true, command: ["apply", plan]))
            }
            let command = ["apply"] + scope.historyWords + selection.historyWords
            return try await workbench.planAndApply(
                PlanRequest(only: selection.only, except: selection.except, replace: replace),
                options.request(
                    isApproved: false, command: command + replace.flatMap { ["--replace", $0] }))
        }
    }
}

struct DestroyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy", abstract: "Delete everything that the state knows, or what is selected of it.")

    @OptionGroup var scope: ScopeOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var options: ApplyOptions

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            try await Workbench.make(console, scope).planAndApply(
                PlanRequest(only: selection.only, except: selection.except, isDestroy: true),
                options.request(
                    isApproved: false, command: ["destroy"] + scope.historyWords + selection.historyWords))
        }
    }
}

extension Workbench {
    /// Plans and applies; plans again when another run was in the way, since that one has changed what is there.
    func planAndApply(
        _ request: PlanRequest, _ applying: ApplyRequest
    ) async throws(CommandFailure) -> ExitStatus {
        try await waiting(applying.leasePatience) { () async throws(CommandFailure) in
            try await planAndApplyNow(request, applying)
        }
    }

    private func planAndApplyNow(
        _ request: PlanRequest, _ applying: ApplyRequest
    ) async throws(CommandFailure) -> ExitStatus {
        try await settle(try load())
        let made = try await makePlan(request)
        console.write(render(made.plan, .text))
        if !made.refusals.isEmpty { throw CommandFailure(.refused, made.refusals) }
        if made.plan.isEmpty { return .success }
        return try await apply(made.identifiedPlan, made.linked.workspace, scopes: made.scopes, applying)
    }

    func applyFile(_ path: String, _ applying: ApplyRequest) async throws(CommandFailure) -> ExitStatus {
        let plan = try PlanFile.read(path)
        return try await waiting(applying.leasePatience) { () async throws(CommandFailure) in
            try await applyNow(plan, applying)
        }
    }

    private func applyNow(_ plan: Plan, _ applying: ApplyRequest) async throws(CommandFailure) -> ExitStatus {
        let workspace = try load()
        guard plan.workspace == workspace.name else {
            throw CommandFailure(
                .refused, code: "apply.other-workspace", summary: "The plan belongs to another workspace",
                detail: "It was made for \(plan.workspace.quoted), and this is \(workspace.name.quoted).")
        }
        try await settle(workspace)
        let state = try await readState(workspace)
        let touched = plan.scopes.keys.sorted()
        let scopes = try await scopes(workspace, stacks: touched)
        try checkBindings(state.bindings, scopes, workspace)
        try await checkInstallations(state.snapshot)
        for stack in touched {
            guard let planned = plan.scopes[stack], let present = scopes[stack], !planned.account.isEmpty else {
                continue
            }
            if planned.account != present.account || planned.endpoint != present.endpoint {
                throw CommandFailure(
                    .refused, code: "apply.other-account", summary: "The plan was made for another account",
                    detail:
                        "For the stack \(stack.quoted) it was made in \(planned.account) at \(planned.endpoint), and these credentials reach \(present.account) at \(present.endpoint).",
                    hint: "Use the credentials it was made with, or plan again.")
            }
        }
        if plan.isUnrefreshed { try await checkUnseen(plan) }
        return try await apply(plan, workspace, scopes: scopes, applying)
    }

    /// A plan that was made without looking has no fingerprints, so what it touches must be as the state has it.
    private func checkUnseen(_ plan: Plan) async throws(CommandFailure) {
        let touched = Set(plan.steps.map(\.address))
        let moved = try await makePlan(PlanRequest()).plan.drift.filter { touched.contains($0.address) }
        if moved.isEmpty { return }
        throw CommandFailure(
            .refused,
            moved.map { drift in
                Diagnostic(
                    code: "apply.drifted", summary: "The plan did not see a change",
                    detail: "\(drift.address) is not as the state has it, and the plan was made without looking.",
                    hint: "Plan again without --no-refresh.")
            })
    }
}
