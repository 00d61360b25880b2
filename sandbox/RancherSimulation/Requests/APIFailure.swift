import AWSClient
import SandboxServing

/// An answer that refuses, with the codes of the server.
struct APIFailure: Error {
    var status: Int
    var code: String
    var message: String?
    var field: String?
    var detail: String?
    var headers: [(String, String)] = []

    init(_ status: Int, _ code: String, message: String? = nil, field: String? = nil, detail: String? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.detail = detail
    }

    static let notFound = APIFailure(404, "Not Found", message: "Not Found")
    static let forbidden = APIFailure(403, "Forbidden", message: "Forbidden")
    static let methodNotAllowed = APIFailure(405, "Method not allowed", message: "Method not allowed")
    static let conflict = APIFailure(409, "Conflict", message: "Conflict")
    static let invalidBody = APIFailure(400, "InvalidBodyContent", message: "Invalid body content")
    static let lastAdmin = APIFailure(405, "LastAdminAccount", message: "Cannot remove the last admin account")

    static func validation(_ code: String, _ field: String?) -> APIFailure { APIFailure(422, code, field: field) }

    func json(id: String) -> JSONValue {
        [
            "id": .string(id), "type": "error", "links": [:], "actions": [:], "status": .integer(Int64(status)),
            "code": .string(code), "message": .optional(message), "detail": .optional(detail),
            "fieldName": .optional(field), "baseType": "error",
        ]
    }
}
