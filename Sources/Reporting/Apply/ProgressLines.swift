package import MusterModel

/// Progress of an apply as lines, for a pipe or a log.
package struct ProgressLines: Sendable {
    /// - Parameter interval: seconds between two lines about the same waiting step.
    package init(palette: Palette = .plain, interval: Double = 10) {}

    /// The lines to print for an event, without line breaks; often none.
    package mutating func lines(for event: ApplyEvent) -> [String] { [] }
}
