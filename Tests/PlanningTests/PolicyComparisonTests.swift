import MusterModel
import Planning
import Testing

@Suite struct PolicyComparisonTests {
    private static let schema = ArgumentSchema("policy", .anything, semantics: .policyDocument, "A policy.")

    private func document(_ principal: Value) -> Value {
        ["Version": "2012-10-17", "Statement": [["Effect": "Allow", "Principal": principal, "Action": "sns:Publish"]]]
    }

    @Test(
        "Principals that mean the same are no difference",
        arguments: [
            ("*", ["AWS": "*"]), (["AWS": "123456789012"], ["AWS": ["arn:aws:iam::123456789012:root"]]),
            (["AWS": ["123456789012", "arn:aws:iam::1:user/a"]], ["AWS": ["arn:aws:iam::1:user/a", "123456789012"]]),
        ] as [(Value, Value)])
    func same(_ one: Value, _ other: Value) {
        #expect(ValueComparison.areEqual(document(one), document(other), Self.schema))
    }

    @Test(
        "Other principals are a difference",
        arguments: [
            ("*", ["AWS": "123456789012"]), (["Service": "*"], ["AWS": "*"]),
            (["AWS": "12345678901"], ["AWS": "arn:aws:iam::12345678901:root"]),
        ] as [(Value, Value)])
    func different(_ one: Value, _ other: Value) {
        #expect(!ValueComparison.areEqual(document(one), document(other), Self.schema))
    }
}
