import MusterModel
import ProviderKit
import Testing

@testable import Applying

private func pauses(
    _ kind: ProviderError.Kind, _ call: RetryPolicy.Call, attempt: Int = 1, elapsed: Duration = .seconds(1),
    new: Bool = false
) -> Bool {
    let situation = RetryPolicy.Situation(
        call: call, attempt: attempt, elapsed: elapsed, timeout: .seconds(600), followsSomethingNew: new)
    return RetryPolicy(timing: ApplyTiming()).pause(after: kind, in: situation) != nil
}

@Test("What cannot pass is not tried again")
func final() {
    for kind in [ProviderError.Kind.notPermitted, .badCredentials, .invalid, .quota, .alreadyExists] {
        for call in [RetryPolicy.Call.create, .update, .delete] { #expect(!pauses(kind, call)) }
    }
}

@Test("A creation that may have happened is never simply sent again; updates and deletes are, a few times")
func unknown() {
    for kind in [ProviderError.Kind.outcomeUnknown, .notUnderstood] {
        #expect(!pauses(kind, .create))
        #expect(pauses(kind, .update))
        #expect(pauses(kind, .delete))
        #expect(!pauses(kind, .update, attempt: 6))
    }
}

@Test("Only what follows something new may not be visible yet, and only within the window")
func visibility() {
    for kind in [ProviderError.Kind.notYetVisible, .notFound] {
        #expect(!pauses(kind, .create))
        #expect(pauses(kind, .create, new: true))
        #expect(pauses(kind, .update, attempt: 50, elapsed: .seconds(299), new: true))
        #expect(!pauses(kind, .create, elapsed: .seconds(300), new: true))
    }
    #expect(!pauses(.notFound, .delete, new: true))
}

@Test("What is in use is waited for until the timeout, but not by a creation")
func inUse() {
    #expect(pauses(.inUse, .delete, attempt: 99, elapsed: .seconds(599)))
    #expect(!pauses(.inUse, .delete, elapsed: .seconds(600)))
    #expect(pauses(.inUse, .update))
    #expect(!pauses(.inUse, .create))
}

@Test("Pauses grow and stay bounded")
func growth() {
    var last = Duration.zero
    for attempt in 1...20 {
        let pause = RetryPolicy(timing: ApplyTiming()).pause(
            after: .throttled,
            in: RetryPolicy.Situation(
                call: .create, attempt: attempt, elapsed: .zero, timeout: .seconds(600), followsSomethingNew: false))
        #expect(pause ?? .zero >= last)
        last = pause ?? .zero
    }
    #expect(last == .seconds(15))
}

@Test("Polls are fast at first, then a share of the time waited, and bounded")
func polls() {
    let timing = ApplyTiming()
    #expect(timing.pollInterval(waited: .zero) == .milliseconds(200))
    #expect(timing.pollInterval(waited: .seconds(20)) == .seconds(3))
    #expect(timing.pollInterval(waited: .seconds(3600)) == .seconds(10))
}

@Test("Only an installation on this machine is taken to be consistent")
func windows() {
    func window(_ endpoint: String) -> Duration {
        let scope = ProviderScope(provider: "aws", account: "1", region: "r", endpoint: endpoint)
        return ApplyTiming().window(for: scope)
    }
    for endpoint in ["http://127.0.0.1:5000", "http://localhost", "localhost:80", "https://[::1]:1/x"] {
        #expect(window(endpoint) == .seconds(10))
    }
    for endpoint in ["aws", "https://vpce-1.ec2.us-east-1.vpce.amazonaws.com", "http://localhost.example.net", ""] {
        #expect(window(endpoint) == .seconds(300))
    }
}
