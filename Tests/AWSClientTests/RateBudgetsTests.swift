import HTTPTransport
import Testing

@testable import AWSClient

@Suite struct RateBudgetsTests {
    private func limits(_ service: AWSService, _ name: String, _ input: AWSInput = [:]) -> [String] {
        PublishedRateLimits.limits(for: AWSOperation(service, name, input)).map {
            "\($0.bucket) \($0.capacity)/\($0.refillPerSecond)" + ($0.cost == 1 ? "" : " x\($0.cost)")
        }
    }

    @Test("The published limits are found by operation and input")
    func published() {
        #expect(limits(.ec2, "DescribeVpcs") == ["ec2.DescribeVpcs 100.0/20.0"])
        #expect(limits(.ec2, "DescribeInstances") == ["ec2.DescribeInstances 50.0/10.0"])
        #expect(limits(.ec2, "DescribeInstances", ["MaxResults": 1000]) == ["ec2.DescribeInstances 100.0/20.0"])
        #expect(limits(.ec2, "DescribeVolumes", ["Filter": [["Name": "x"]]]) == ["ec2.DescribeVolumes 100.0/20.0"])
        #expect(limits(.ec2, "CreateVpc") == ["ec2.CreateVpc 50.0/5.0"])
        #expect(limits(.ec2, "CreateVpcEndpoint") == ["ec2.CreateVpcEndpoint 4.0/0.3"])
        #expect(
            limits(.ec2, "RunInstances", ["MaxCount": 3])
                == ["ec2.RunInstances 5.0/2.0", "ec2.RunInstances/instances 1000.0/2.0 x3.0"])
        #expect(
            limits(.ec2, "TerminateInstances", ["InstanceId": ["a", "b"]])
                == ["ec2.TerminateInstances 100.0/5.0", "ec2.TerminateInstances/instances 1000.0/20.0 x2.0"])
        #expect(limits(.elbv2, "DescribeRules") == ["elbv2.read 40.0/10.0"])
        #expect(limits(.elbv2, "CreateRule") == ["elbv2.write 20.0/3.0"])
        #expect(limits(.elbv2, "CreateLoadBalancer") == ["elbv2.CreateLoadBalancer 10.0/0.2"])
        #expect(limits(.route53, "GetHostedZone") == limits(.route53, "ChangeResourceRecordSets"))
        #expect(limits(.acm, "ListCertificates") == ["acm.ListCertificates 1.0/1.0"])
        #expect(limits(.iam, "GetRole").isEmpty)
    }

    private func bucket(capacity: Double = 2, refill: Double = 4) -> TokenBucket {
        TokenBucket(RateLimit(bucket: "b", capacity: capacity, refillPerSecond: refill), at: .zero)
    }

    @Test("A burst is free up to the capacity, then each waits its turn")
    func burst() {
        var bucket = bucket()
        #expect((0..<5).map { _ in bucket.take(1, at: .zero) } == [0, 0, 0.25, 0.5, 0.75].map { .seconds($0) })
    }

    @Test("The bucket refills with time, to its capacity")
    func refill() {
        var bucket = bucket()
        for _ in 0..<2 { #expect(bucket.take(1, at: .zero) == .zero) }
        #expect(bucket.take(1, at: .milliseconds(250)) == .zero)
        for _ in 0..<2 { #expect(bucket.take(1, at: .seconds(100)) == .zero) }
        #expect(bucket.take(1, at: .seconds(100)) == .seconds(0.25))
        // A clock that stands still or goes back gives nothing.
        #expect(bucket.take(1, at: .seconds(99)) == .seconds(0.5))
    }

    @Test("A throttle lowers the rate once for all that were on their way; successes raise it to the published one")
    func adaptive() throws {
        var bucket = bucket(capacity: 10, refill: 10)
        bucket.succeeded()
        #expect(bucket.rate == 10)
        bucket.throttled(at: .seconds(1))
        bucket.throttled(at: .seconds(1.2))
        #expect(bucket.rate == 7)
        #expect(bucket.take(1, at: .seconds(1.2)) == .zero)
        bucket.throttled(at: .seconds(2))
        #expect(try #require(bucket.rate) < 5)
        for _ in 0..<100 { bucket.throttled(at: .seconds(10)) }
        for second in 11...60 { bucket.throttled(at: .seconds(second)) }
        #expect(bucket.rate == 0.5)
        for _ in 0..<200 { bucket.succeeded() }
        #expect(bucket.rate == 10)
    }

    @Test("Whoever waited and was throttled all the same does not wait for that wait again")
    func noDebtFromWaiting() {
        var bucket = bucket(capacity: 1, refill: 0.5)
        var now = Duration.zero
        var waits: [Duration] = []
        for _ in 0..<10 {
            let wait = bucket.take(1, at: now)
            waits.append(wait)
            now += wait + .milliseconds(600)
            bucket.throttled(at: now)
        }
        #expect(waits.dropFirst().allSatisfy { $0 > .zero && $0 <= .seconds(2) })
    }

    @Test("Without a published limit nothing waits until a throttle comes; then our own rate is the measure")
    func unpublished() throws {
        var bucket = TokenBucket(nil, at: .zero)
        for number in 0..<20 { #expect(bucket.take(1, at: .milliseconds(number * 10)) == .zero) }
        bucket.throttled(at: .milliseconds(200))
        #expect(bucket.rate == 14)
        #expect(bucket.take(1, at: .milliseconds(200)) > .zero)
        for _ in 0..<1_000 { bucket.succeeded() }
        #expect(bucket.rate == nil)
    }

    @Test("Budgets are kept apart by account and region")
    func places() async {
        let budgets = RateBudgets()
        let operation = AWSOperation(.acm, "ListCertificates")
        func wait(_ account: String, _ region: String) async -> Duration {
            let place = RateBudgets.Place(account: account, region: region, usesPublished: true)
            return await budgets.reserve(operation, place, at: .zero)
        }
        #expect(await wait("1", "a") == .zero)
        #expect(await wait("1", "a") == .seconds(1))
        #expect(await wait("2", "a") == .zero)
        #expect(await wait("1", "b") == .zero)
    }

    @Test("The quota of retries is given back by successes")
    func quota() {
        var quota = RetryQuota()
        #expect(quota.take(.throttled).cost == 5 && quota.take(.transient).cost == 14 && quota.tokens == 481)
        quota.giveBack(14)
        quota.giveBack(0)
        #expect(quota.tokens == 496)
        for _ in 0..<100 { quota.giveBack(14) }
        #expect(quota.tokens == 500)
        while !quota.take(.transient).isExhausted {}
        #expect(quota.tokens == 500 % 14)
    }
}
