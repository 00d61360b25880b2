import MusterModel

/// Fields that several sections have.
enum SectionFields {
    static func name(_ documentation: String) -> ArgumentSchema { ArgumentSchema("name", .string, documentation) }

    static func tags(_ what: String) -> ArgumentSchema {
        ArgumentSchema(
            "tags", .map(.string), semantics: .tags,
            "Tags of \(what), over those of the stack and of the workspace; null removes one of those.")
    }
}
