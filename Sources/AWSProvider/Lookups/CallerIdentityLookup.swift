import AWSClient
import MusterModel
import ProviderKit

/// Who the credentials belong to.
///
/// Calls: `GetCallerIdentity`.
struct CallerIdentityLookup: Lookup {
    struct Arguments: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    struct Outputs: ArgumentBlock {
        var accountID: String?
        var arn: String?
        var userID: String?

        static let fields: [Field<Self>] = [
            .output("account_id", \.accountID, "The account's twelve digits."),
            .output("arn", \.arn, "The ARN of the user or of the session."),
            .output("user_id", \.userID, "The id that is never given twice."),
        ]
    }

    static let schema = makeSchema("caller_identity", "Who the credentials belong to.")

    let aws: AWSSession

    func find(_ arguments: Arguments) async throws(ProviderError) -> Outputs {
        let identity = try await aws.call(.sts, "GetCallerIdentity", [:], effect: .read).xml
        return Outputs(
            accountID: identity["Account"].text, arn: identity["Arn"].text, userID: identity["UserId"].text)
    }
}
