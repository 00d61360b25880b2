import MusterModel

/// `resources`: primitive types, verbatim. The loader has checked the arguments against the type's schema.
enum PrimitiveSection: Section {
    /// Has no fields of its own, and is not among the sections: every type has its own schema.
    static let schema = SectionSchema(
        name: "resources", summary: "Resources of any type, by type and name, with the arguments of the type.",
        fields: [], principalTypes: [],
        example: """
            resources:
              aws.eip:
                bastion: { domain: vpc, tags: { Name: bastion } }
            """)

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        var result = LoweringResult()
        var resource = Draft(principal: ResourceType(rawValue: definition.section), of: definition)
        for entry in definition.body.entries ?? [] where entry.key != "tags" && entry.value.value != .null {
            resource.set(entry.key, entry.value)
        }
        resource.setTags(definition.body["tags"], inherited: definition.inheritedTags, &result.diagnostics)
        result.append(resource)
        return result
    }
}
