import Testing

/// The types of provider files that their catalog does not name, and files that hold no type.
private func unregistered(_ files: [(path: String, text: String)], conformance: String, catalog: String) -> [String] {
    let words = Set(SwiftSource(catalog).tokens.map(\.text))
    return files.flatMap { file in
        let types = SwiftSource(file.text).types(conformingTo: conformance)
        if types.isEmpty { return ["\(file.path) declares no \(conformance)"] }
        return types.filter { !words.contains($0) }.map { "\(file.path): \($0) is not in Catalog.swift" }
    }
}

@Suite("The catalog")
struct CatalogTests {
    private func check(_ folder: String, _ conformance: String) throws -> [String] {
        let files = try Repository.files(under: "Sources/AWSProvider/\(folder)")
        return unregistered(
            files.map { ($0.path, $0.text) }, conformance: conformance,
            catalog: try Repository.text("Sources/AWSProvider/Catalog.swift"))
    }

    @Test("Every file in Resources is a resource type that the catalog lists")
    func resources() throws { #expect(try check("Resources", "ManagedResource") == []) }

    @Test("Every file in Lookups is a lookup that the catalog lists")
    func lookups() throws { #expect(try check("Lookups", "Lookup") == []) }

    @Test("A type stands only in its folder")
    func folders() throws {
        var stray: [String] = []
        for file in try Repository.files(under: "Sources/AWSProvider") {
            let source = SwiftSource(file.text)
            let folder = file.path.split(separator: "/").dropLast().last ?? ""
            if !source.types(conformingTo: "ManagedResource").isEmpty, folder != "Resources" { stray.append(file.path) }
            if !source.types(conformingTo: "Lookup").isEmpty, folder != "Lookups" { stray.append(file.path) }
        }
        #expect(stray == [])
    }

    @Test("A file that was forgotten is found, and one without a type too")
    func planted() {
        let catalog = "let entries = [ResourceEntry(VPC.init)] // Subnet"
        #expect(
            unregistered(
                [
                    ("VPC.swift", "struct VPC: ManagedResource {}"),
                    ("Subnet.swift", "struct Subnet: Sendable, ManagedResource {}"),
                    ("Empty.swift", "// struct Route: ManagedResource {}"),
                ], conformance: "ManagedResource", catalog: catalog) == [
                    "Subnet.swift: Subnet is not in Catalog.swift", "Empty.swift declares no ManagedResource",
                ])
    }
}
