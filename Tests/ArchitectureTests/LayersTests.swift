// Swift lets a file import what another target imports, so the compiler does not hold the layers apart. These tests do.
import Testing

/// What is wrong with the imports of one file.
private func wrongImports(_ text: String, path: String, of layer: Layer, declared: Set<String>) -> [String] {
    SwiftSource(text).imports.compactMap { module in
        if !layer.importable.contains(module.text) {
            return "\(path):\(module.line): \(layer.name) may not import \(module.text)"
        }
        if !declared.contains(module.text), !layer.system.contains(module.text) {
            return "\(path):\(module.line): Package.swift does not declare that \(layer.name) uses \(module.text)"
        }
        return nil
    }
}

@Suite("The layers")
struct LayersTests {
    private let manifest: Manifest

    init() throws { manifest = Manifest(try Repository.text("Package.swift")) }

    @Test("Every folder of Sources is a layer of the table and a target of the manifest")
    func foldersAreKnown() throws {
        let folders = try Repository.folders(in: "Sources")
        #expect(folders.subtracting(["CYAML", "CCurl", "ICUStubData"]) == Set(Layer.all.map(\.name)))
        #expect(folders.isSubset(of: Set(manifest.dependencies.keys)))
    }

    @Test("The manifest declares no arrow that the table does not allow", arguments: Layer.all)
    func manifestFollowsTheTable(_ layer: Layer) throws {
        let declared = try #require(manifest.dependencies[layer.name], "\(layer.name) is no target")
        #expect(declared.subtracting(layer.declarable) == [])
    }

    @Test("Every import is allowed and declared", arguments: Layer.all)
    func importsFollowTheTable(_ layer: Layer) throws {
        let declared = try #require(manifest.dependencies[layer.name], "\(layer.name) is no target")
        let files = try Repository.files(under: "Sources/\(layer.name)")
        #expect(!files.isEmpty)
        #expect(files.flatMap { wrongImports($0.text, path: $0.path, of: layer, declared: declared) } == [])
    }

    @Test("Tests import only targets that they declare")
    func testsDeclareWhatTheyImport() throws {
        let ours = Set(manifest.dependencies.keys)
        var wrong: [String] = []
        for file in try Repository.files(under: "Tests") {
            guard let declared = manifest.dependencies[file.target] else {
                wrong.append("\(file.path) belongs to no target")
                continue
            }
            for module in SwiftSource(file.text).imports where ours.contains(module.text) {
                if !declared.contains(module.text) { wrong.append("\(file.path):\(module.line): \(module.text)") }
            }
        }
        #expect(wrong == [])
    }

    @Test("The arrows of the table lead one way")
    func tableHasNoCycle() {
        var open = Layer.all
        var placed: Set<String> = ["CYAML", "CCurl", "Diagnostics"]
        while let index = open.firstIndex(where: { $0.layers.isSubset(of: placed) }) {
            placed.insert(open.remove(at: index).name)
        }
        #expect(open.map(\.name) == [])
    }

    @Test("Nobody imports TestSupport, Testing or the whole of Foundation")
    func tableIsLean() {
        for layer in Layer.all { #expect(layer.importable.isDisjoint(with: ["TestSupport", "Testing", "Foundation"])) }
    }
}

@Suite("The check of the layers")
struct LayersCheckTests {
    private func check(_ text: String, in layer: String, declared: Set<String> = []) throws -> [String] {
        wrongImports(text, path: "X.swift", of: try #require(Layer.named(layer)), declared: declared)
    }

    @Test("A planted import of another layer is found, in every spelling")
    func planted() throws {
        for line in [
            "import AWSClient", "package import AWSClient", "@testable import AWSClient", "import struct AWSClient.X",
            "#if os(Linux)\n    import AWSClient\n#endif", "@_exported import AWSClient", "let a = 1; import AWSClient",
            "@preconcurrency import AWSClient.Calls", "public import protocol AWSClient.P",
        ] {
            let wrong = try check(line, in: "Planning", declared: ["AWSClient"])
            #expect(wrong.count == 1, "\(line)")
            #expect(wrong.first?.hasSuffix("Planning may not import AWSClient") == true, "\(line)")
        }
    }

    @Test("A planted import of the whole of Foundation is found")
    func foundation() throws {
        #expect(try check("import Foundation", in: "StateStorage", declared: ["GRDB"]).count == 1)
        #expect(try check("import FoundationEssentials", in: "StateStorage").isEmpty)
    }

    @Test("An allowed import that the manifest does not declare is found, with its line")
    func undeclared() throws {
        #expect(
            try check("// one\nimport ResourceGraph\n", in: "Planning") == [
                "X.swift:2: Package.swift does not declare that Planning uses ResourceGraph"
            ])
        #expect(try check("import ResourceGraph", in: "Planning", declared: ["ResourceGraph"]).isEmpty)
    }

    @Test("Comments, texts and names that only look like imports are none")
    func lookalikes() throws {
        for text in [
            "// import AWSClient", "/* /* import AWSClient */ import AWSClient */", "let a = \"import AWSClient\"",
            "let a = \"\"\"\n    import AWSClient\n    \"\"\"", "let a = #\"\\(import) \" import AWSClient\"#",
            "case `import`", "call(import: value)", "section.import",
        ] { #expect(try check(text, in: "Planning").isEmpty, "\(text)") }
    }

    @Test("The manifest is read in all its forms")
    func manifest() {
        let manifest = Manifest(
            """
            let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
            let package = Package(
                name: "x",
                targets: [
                    // layer("Old", ["Gone"]),
                    .systemLibrary(name: "CYAML", pkgConfig: "yaml", providers: [.apt(["libyaml-dev"])]),
                    layer("A"),
                    layer("B", ["A", grdb]),
                    layer(
                        "C",
                        [
                            "A",
                            "B",
                        ]),
                    .executableTarget(name: "x", dependencies: ["C"], swiftSettings: settings),
                    tests("CTests", ["C", grdb]),
                ]
            )
            """)
        #expect(
            manifest.dependencies == [
                "CYAML": [], "A": [], "B": ["A", "GRDB"], "C": ["A", "B"], "x": ["C"], "CTests": ["C", "GRDB"],
            ])
    }
}
