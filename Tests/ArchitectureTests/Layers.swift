// The architecture as data: which layer may import which. An arrow that is not here is an architectural decision:
// write an ADR first, then add it here and to docs/architecture.md.

/// One target of `Sources/` and what its files may import.
struct Layer: Sendable {
    let name: String
    /// Targets of this package. Every Swift target may import `Diagnostics` besides.
    let layers: Set<String>
    /// Modules of other packages.
    let packages: Set<String>
    /// Modules of the toolchain beyond the standard library.
    let system: Set<String>

    init(_ name: String, _ layers: Set<String> = [], packages: Set<String> = [], system: Set<String> = []) {
        self.name = name
        self.layers = layers
        self.packages = packages
        self.system = system
    }

    /// What `Package.swift` may declare.
    var declarable: Set<String> { layers.union(packages).union(name == "Diagnostics" ? [] : ["Diagnostics"]) }
    /// What an `import` line may name.
    var importable: Set<String> { declarable.union(system) }

    /// No layer of the pipeline between reading and showing does I/O, reads a clock or draws a random number.
    static let core: Set<String> = [
        "Diagnostics", "TextEncodings", "MusterModel", "Expressions", "YAMLSyntax", "SpecLoading", "UserData",
        "Lowering", "ResourceGraph", "Planning", "Reporting",
    ]

    private static let cLibrary: Set<String> = ["Glibc", "Musl", "Darwin"]

    static let all: [Layer] = [
        // `memchr` finds the lines of a source file.
        Layer("Diagnostics", system: cLibrary),
        Layer("TextEncodings"),
        Layer("MusterModel", ["TextEncodings"]),
        Layer("Expressions", ["MusterModel", "TextEncodings"], packages: ["Crypto"]),
        Layer("YAMLSyntax", ["CYAML"]),
        Layer("SpecLoading", ["MusterModel", "YAMLSyntax", "Expressions"]),
        Layer("UserData", ["MusterModel", "TextEncodings"]),
        Layer("Lowering", ["MusterModel", "Expressions", "UserData"]),
        Layer("ResourceGraph", ["MusterModel"], packages: ["HeapModule", "DequeModule"]),
        Layer("ProviderKit", ["MusterModel"], system: ["Synchronization"]),
        Layer("Refreshing", ["MusterModel", "ProviderKit", "ResourceGraph"]),
        Layer("Planning", ["MusterModel", "ResourceGraph", "Expressions"]),
        Layer(
            "StateStorage", ["MusterModel"], packages: ["GRDB"],
            system: cLibrary.union(["Dispatch", "FoundationEssentials"])),
        Layer("HTTPTransport", ["CCurl"], system: cLibrary.union(["Synchronization"])),
        Layer("AWSClient", ["HTTPTransport", "TextEncodings"], packages: ["Crypto"], system: ["Synchronization"]),
        Layer("AWSProvider", ["MusterModel", "ProviderKit", "AWSClient", "TextEncodings"], packages: ["Crypto"]),
        Layer("RancherClient", ["MusterModel", "HTTPTransport", "TextEncodings"]),
        Layer("RancherProvider", ["MusterModel", "ProviderKit", "RancherClient", "HTTPTransport", "TextEncodings"]),
        Layer("SpotClient", ["MusterModel", "HTTPTransport", "TextEncodings"]),
        Layer("SpotProvider", ["MusterModel", "ProviderKit", "SpotClient", "TextEncodings"]),
        Layer(
            "Applying", ["MusterModel", "ProviderKit", "StateStorage", "Expressions", "TextEncodings"],
            system: ["FoundationEssentials"]),
        Layer("Reporting", ["MusterModel"]),
        Layer(
            "MusterCommands",
            [
                "MusterModel", "Expressions", "YAMLSyntax", "SpecLoading", "UserData", "Lowering", "ResourceGraph",
                "ProviderKit", "Refreshing", "Planning", "StateStorage", "HTTPTransport", "AWSClient", "AWSProvider",
                "RancherClient", "RancherProvider", "SpotClient", "SpotProvider", "Applying", "Reporting",
                "TextEncodings",
            ],
            packages: ["ArgumentParser", "Crypto"],
            system: cLibrary.union(["Dispatch", "FoundationEssentials", "Synchronization"])),
        Layer("muster", ["MusterCommands"], packages: ["ICUStubData"]),
    ]

    static func named(_ name: String) -> Layer? { all.first { $0.name == name } }
}
