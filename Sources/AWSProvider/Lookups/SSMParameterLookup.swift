import AWSClient
import MusterModel
import ProviderKit

/// A parameter of the Parameter Store that is no secret.
///
/// Calls: `GetParameter`.
struct SSMParameterLookup: Lookup {
    struct Arguments: ArgumentBlock {
        var name = ""

        static let fields: [Field<Self>] = [
            .required(
                "name", \.name, constraints: [.length(1, 2048)],
                "The name or the ARN; `name:3` and `name:label` choose a version.")
        ]
    }

    struct Outputs: ArgumentBlock {
        var value: String?
        var version: Int?
        var type: String?
        var arn: String?

        static let fields: [Field<Self>] = [
            .output("value", \.value, "The value."),
            .output("version", \.version, "The version, from 1."),
            .output("type", \.type, "`String` or `StringList`."),
            .output("arn", \.arn, "The ARN."),
        ]
    }

    static let schema = makeSchema(
        "ssm_parameters", "A parameter of the Parameter Store. The value is kept in `muster.lock`.", isPinned: true)

    let aws: AWSSession

    func find(_ arguments: Arguments) async throws(ProviderError) -> Outputs {
        let answer: AWSOutput
        do throws(ProviderError) {
            answer = try await aws.call(.ssm, "GetParameter", ["Name": .string(arguments.name)], effect: .read)
        } catch {
            guard error.kind == .notFound else { throw error }
            var error = error
            error.message = "ssm_parameters: there is none with name: \(arguments.name)."
            error.hint = "Look at the name, and whether region and account are the right ones."
            throw error
        }
        let parameter = answer.json["Parameter"]
        guard parameter["Type"].text != "SecureString" else {
            throw ProviderError(
                .invalid, "ssm_parameters: \(arguments.name) is a SecureString, and a lookup's value is kept.",
                operation: "ssm.GetParameter",
                hint: "Declare a variable with \"secret: ssm:\(arguments.name)\" instead.")
        }
        return Outputs(
            value: parameter["Value"].text, version: parameter["Version"].integer, type: parameter["Type"].text,
            arn: parameter["ARN"].text)
    }
}
