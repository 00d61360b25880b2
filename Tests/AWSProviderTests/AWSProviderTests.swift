import AWSProvider
import MusterModel
import Testing

@Suite struct SchemaTests {
    @Test("Only an instance takes data with it, in volumes that are not told to stay")
    func dataGoesWithIt() {
        var holders: [String] = []
        for schema in RecordingAWS().provider.resources {
            for argument in schema.arguments {
                guard let member = argument.deletesDataBy else { continue }
                holders.append("\(schema.type) \(argument.name) \(member)")
                #expect(argument.type.members.contains { $0.name == member && $0.type == .boolean })
            }
        }
        #expect(holders == ["aws.instance ebs_block_device delete_on_termination"])
    }
}

extension ValueType {
    fileprivate var members: [ArgumentSchema] {
        switch self {
        case .object(let fields): fields
        case .list(let element), .set(let element, _): element.members
        default: []
        }
    }
}
