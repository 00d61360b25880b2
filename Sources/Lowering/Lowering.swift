// Definitions → declarations: what a person writes in a section becomes primitive resources.
//
// A section is one file in `Sections/`: its schema, and a function from one definition to declarations. What a
// definition makes depends on nothing but the definition; the few questions that need all of them are asked afterwards,
// here: which hosted zone a record belongs to, what a Rancher server runs on, the tags of workspace and stack, and names that are taken twice.
//
// Values that are not known yet pass through untouched and are not checked. There is no I/O, no clock, no randomness,
// and nothing here knows a remote call.

package import Diagnostics
package import MusterModel

/// Turns sections into primitive resources.
package enum Lowering {
    /// In the order of the reference page.
    static let implementations: [any Section.Type] = [
        VPCSection.self, SecurityGroupsSection.self, ControlNodesSection.self, IAMSection.self, KeyPairsSection.self,
        DNSSection.self, ALBSection.self, TargetGroupsSection.self, RDSSection.self, ElastiCacheSection.self,
        AutoscalingGroupsSection.self, HostsSection.self, RancherSection.self, SpotSection.self,
    ]

    /// The schemas of all sections that are lowered, in the order of the reference page.
    package static let sections: [SectionSchema] = implementations.map { $0.schema }

    /// Lowers all definitions of a workspace, and reports every problem at once.
    ///
    /// Definitions must have been checked against their schemas. A definition whose section is not among `sections` is
    /// a primitive: its section is the resource type and its fields are the arguments.
    ///
    /// - Parameters:
    ///   - lookups: the lookups of all stacks; records find their hosted zones among them.
    ///   - uses: for each stack, those whose names it may use bare; their zones come before those of other stacks.
    ///   - regions: the region of each stack, where it is known.
    package static func lower(
        _ definitions: [Definition], lookups: [LookupRequest] = [], uses: [String: [String]] = [:],
        regions: [String: String] = [:], catalog: Catalog
    ) -> ([Declaration], [Diagnostic]) {
        let sectionsByName = Dictionary(
            implementations.map { ($0.schema.name, $0) }, uniquingKeysWith: { first, _ in first })
        var result = LoweringResult()
        var inheritedTags = InheritedTags()
        for definition in definitions {
            let section = sectionsByName[definition.section] ?? PrimitiveSection.self
            var lowered = section.lower(definition, region: regions[definition.stack])
            result.diagnostics += inheritedTags.check(definition)
            for index in lowered.declarations.indices {
                result.diagnostics += Tags.merge(
                    definition.inheritedTags, into: &lowered.declarations[index],
                    isTaggable: catalog[lowered.declarations[index].address.type]?.isTaggable ?? false)
            }
            result.append(lowered)
        }
        result.resolveZones(lookups: lookups, uses: uses)
        result.checkPorts(uses: uses)
        result.checkTokens(uses: uses, regions: regions)
        result.orderServers()
        result.reportClashes(catalog)
        result.checkIgnoredArguments(catalog)
        return (result.declarations, result.diagnostics)
    }
}
