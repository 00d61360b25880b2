/// Where objects of several types share a sequence of numbers.
enum Table: String, Sendable, CaseIterable {
    case account, credential, host, physicalHost, storagePool, stack, service, certificate, secret, projectTemplate
    case projectMember, genericObject, volume, agent, ipAddress

    /// What stands between the `1` and the number of an id.
    func prefix(in api: APIVersion) -> String {
        switch self {
        case .account, .agent: "a"
        case .credential, .certificate: "c"
        case .host: "h"
        case .physicalHost: "ph"
        case .storagePool: "sp"
        case .stack: api == .v1 ? "e" : "st"
        case .service: "s"
        case .secret: "se"
        case .projectTemplate: "pt"
        case .projectMember: "pm"
        case .genericObject: "go"
        case .volume: "v"
        case .ipAddress: "ia"
        }
    }
}

/// Which face of the API is spoken to.
enum APIVersion: String, Sendable, CaseIterable {
    case v1
    case v2 = "v2-beta"
}

struct ObjectID: Hashable, Sendable {
    var table: Table
    var number: Int

    /// `1a5`; of a stack `1st5`, in v1 `1e5`.
    func text(in api: APIVersion = .v2) -> String { "1\(table.prefix(in: api))\(number)" }

    init(_ table: Table, _ number: Int) {
        self.table = table
        self.number = number
    }

    /// `nil` if the text is no id of that table.
    init?(_ text: String, in table: Table, api: APIVersion = .v2) {
        let prefix = "1" + table.prefix(in: api)
        guard text.hasPrefix(prefix) else { return nil }
        let digits = text.dropFirst(prefix.count)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), digits.first != "0",
            let number = Int(digits)
        else { return nil }
        self.init(table, number)
    }
}
