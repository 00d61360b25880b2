import Testing

/// The types of provider files that their catalog does not name.
private func unregistered(_ files: [(path: String, text: String)], conformance: String, catalog: String) -> [String] {
    let words = Set(SwiftSource(catalog).tokens.map(\.text))
    return files.flatMap { file in
        let types = SwiftSource(file.text).types(conformingTo: conformance)
        return types.filter { !words.contains($0) }.map { "\(file.path): \($0) is not in Catalog.swift" }
    }
}

@Suite("The catalog")
struct CatalogTests {
    private func check(_ folder: String, _ conformance: String) throws -> [String] {
        let files = try Repository.files(under: "Sources/AWSProvider/\(folder)")
        #expect(!files.isEmpty)
        return unregistered(
            files.map { ($0.path, $0.text) }, conformance: conformance,
            catalog: try Repository.text("Sources/AWSProvider/Catalog.swift"))
    }

    @Test("Every resource type is in the catalog")
    func resources() throws { #expect(try check("Resources", "ManagedResource") == []) }

    @Test("Every resource type of Rancher is in its catalog")
    func rancherResources() throws {
        let files = try Repository.files(under: "Sources/RancherProvider/Resources").map { ($0.path, $0.text) }
        let catalog = try Repository.text("Sources/RancherProvider/Catalog.swift")
        #expect(files.count > 10)
        for conformance in ["ManagedResource", "RancherResource"] {
            #expect(unregistered(files, conformance: conformance, catalog: catalog) == [])
        }
    }

    @Test("Every resource type of Spot is in its catalog")
    func spotResources() throws {
        let files = try Repository.files(under: "Sources/SpotProvider/Resources").map { ($0.path, $0.text) }
        #expect(!files.isEmpty)
        let catalog = try Repository.text("Sources/SpotProvider/Catalog.swift")
        #expect(unregistered(files, conformance: "ManagedResource", catalog: catalog) == [])
    }

    @Test("Every lookup is in the catalog")
    func lookups() throws { #expect(try check("Lookups", "Lookup") == []) }

    @Test("A type stands only in its folder")
    func folders() throws {
        var stray: [String] = []
        for file in try Repository.files(under: "Sources/AWSProvider") {
            let source = SwiftSource(file.text)
            let folders = file.path.split(separator: "/")
            if !source.types(conformingTo: "ManagedResource").isEmpty, !folders.contains("Resources") {
                stray.append(file.path)
            }
            if !source.types(conformingTo: "Lookup").isEmpty, !folders.contains("Lookups") { stray.append(file.path) }
        }
        #expect(stray == [])
    }

    @Test("A type that was forgotten is found, wherever it stands in its file")
    func planted() {
        let catalog = "let entries = [ResourceEntry(VPC.init)] // Subnet"
        #expect(
            unregistered(
                [
                    ("VPC.swift", "struct VPC: ManagedResource {}"),
                    ("Network/Subnet.swift", "enum Zone {}\nstruct Subnet: Sendable, ManagedResource {}"),
                    ("Helper.swift", "// struct Route: ManagedResource {}"),
                ], conformance: "ManagedResource", catalog: catalog) == [
                    "Network/Subnet.swift: Subnet is not in Catalog.swift"
                ])
    }
}
