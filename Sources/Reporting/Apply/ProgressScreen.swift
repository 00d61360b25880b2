package import MusterModel

/// Progress of an apply on a terminal, as a state machine without a clock: events go in, frames come out.
package struct ProgressScreen: Sendable {
    /// What an expectation of time is about.
    package struct StepKind: Sendable, Hashable {
        package var type: ResourceType
        package var operation: Step.Operation

        package init(_ type: ResourceType, _ operation: Step.Operation) {
            self.type = type
            self.operation = operation
        }
    }

    /// - Parameter steps: all steps of the plan.
    /// - Parameter expectedSeconds: how long steps of a kind took before; kinds without history get a guess.
    /// - Parameter parallelism: how many steps run at once.
    package init(
        steps: [Step], expectedSeconds: [StepKind: Double] = [:], parallelism: Int = 10, palette: Palette = .plain
    ) {}

    /// - Parameter now: seconds on any clock that runs on, the same one for events and frames.
    package mutating func apply(_ event: ApplyEvent, now: Double) {}

    /// Lines that scroll away above the frame (what ended, what failed), each handed out once.
    package mutating func takeFinishedLines() -> [String] { [] }

    /// At most `height` lines of at most `width` cells, without line breaks.
    package func frame(width: Int, height: Int, now: Double) -> [String] { [] }
}
