import Diagnostics
import MusterModel

/// The hosted zones of a workspace by name: the declared ones, and those that are looked up.
private struct Zones {
    struct Zone: Hashable {
        var address: Address
        var isLookup: Bool
    }

    private var byName: [String: [Zone]] = [:]

    init(_ declarations: [Declaration], _ lookups: [LookupRequest]) {
        for declaration in declarations where declaration.address.type == "aws.hosted_zone" {
            guard let name = declaration.arguments["name"]?.string else { continue }
            byName[Zones.normalised(name), default: []].append(Zone(address: declaration.address, isLookup: false))
        }
        for lookup in lookups where lookup.kind == "hosted_zones" {
            // The name of the lookup stands for the zone's where it gives none.
            let name = lookup.arguments["name"]?.string ?? lookup.address.name
            byName[Zones.normalised(name), default: []].append(Zone(address: lookup.address, isLookup: true))
        }
    }

    static func normalised(_ name: String) -> String {
        let lower = name.lowercased()
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }

    /// The zones with the longest name that the record's name ends in; those of the record's own stack alone if there
    /// are any, else those of the stacks that it uses. Lookups of other stacks are not in reach.
    func matching(_ record: String, in stack: String, using used: [String]) -> (name: String, zones: [Zone]) {
        var rest = Substring(Zones.normalised(record))
        while !rest.isEmpty {
            let found = (byName[String(rest)] ?? []).filter { !$0.isLookup || $0.address.stack == stack }
            if !found.isEmpty {
                let own = found.filter { $0.address.stack == stack }
                let near = own.isEmpty ? found.filter { used.contains($0.address.stack) } : own
                return (String(rest), near.isEmpty ? found : near)
            }
            guard let dot = rest.firstIndex(of: ".") else { break }
            rest = rest[rest.index(after: dot)...]
        }
        return ("", [])
    }
}

extension LoweringResult {
    /// Puts every record that names no zone into the one with the longest matching name.
    mutating func resolveZones(lookups: [LookupRequest], uses: [String: [String]]) {
        if zoneSearches.isEmpty { return }
        let zones = Zones(declarations, lookups)
        for search in zoneSearches {
            let record = declarations[search.position]
            guard let name = record.arguments["name"]?.string else {
                if record.arguments["name"]?.isUnreadable == false {
                    diagnostics.append(.zoneKnownLater(at: search.range))
                }
                continue
            }
            let (zoneName, found) = zones.matching(
                name, in: record.address.stack, using: uses[record.address.stack] ?? [])
            guard let zone = found.first else {
                diagnostics.append(.noZone(name, at: search.range))
                continue
            }
            if found.count > 1 {
                diagnostics.append(.severalZones(name, zoneName, found.map(\.address), at: search.range))
                continue
            }
            if record.arguments["type"] == "CNAME", Zones.normalised(name) == zoneName {
                diagnostics.append(.nameOfZone(name, at: record.argumentRanges["type"] ?? search.range))
                continue
            }
            declarations[search.position].arguments["zone_id"] = .output(zone.address, "id")
        }
    }
}

extension Diagnostic {
    private static func zone(_ summary: String, _ detail: String, at range: SourceRange, hint: String) -> Diagnostic {
        Diagnostic(code: "spec.hosted-zone", summary: summary, detail: detail, at: range, hint: hint)
    }

    fileprivate static func zoneKnownLater(at range: SourceRange) -> Diagnostic {
        zone(
            "Hosted zone not known", "The name of the record is known only later, so its zone cannot be told from it.",
            at: range, hint: "Name the zone: \"zone: example.com\".")
    }

    fileprivate static func noZone(_ name: String, at range: SourceRange) -> Diagnostic {
        zone(
            "No hosted zone", "No hosted zone in the workspace has a name that \(name.quoted) ends in.", at: range,
            hint: "Name the zone with \"zone\", look it up under \"lookups: { hosted_zones: … }\", or declare it under "
                + "\"dns\" with \"hosted_zone\".")
    }

    fileprivate static func severalZones(
        _ name: String, _ zoneName: String, _ found: [Address], at range: SourceRange
    ) -> Diagnostic {
        zone(
            "Several hosted zones",
            "\(name.quoted) could be in \(found.map(\.description).joined(separator: " or ")): both are named "
                + "\(zoneName.quoted).", at: range, hint: "Name the zone with \"zone\".")
    }

    fileprivate static func nameOfZone(_ name: String, at range: SourceRange) -> Diagnostic {
        zone(
            "CNAME at the name of its zone",
            "\(name.quoted) is the name of its hosted zone, where DNS allows no CNAME.", at: range,
            hint: "Use a record of the type A, or an alias.")
    }
}
