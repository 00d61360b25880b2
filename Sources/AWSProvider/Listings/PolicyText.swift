import AWSClient
import MusterModel

extension AWSInput {
    /// A policy document as a call sends it: JSON text as it is, anything else as JSON with sorted keys; nil and "" leave
    /// the member out.
    static func policy(_ document: MusterModel.Value?) -> AWSInput {
        switch document {
        case nil, .null: .absent
        case .string(let text): .nonEmpty(text)
        case .some(let document): .string(ValueJSON.plainText(document))
        }
    }
}

extension MusterModel.Value {
    /// A policy document as a tree, whether it is written as one or as JSON text.
    var parsedPolicy: MusterModel.Value {
        guard case .string(let text) = self else { return self }
        return (try? ValueJSON.decodePlain(text)) ?? self
    }
}
