// swift-tools-version: 6.2
// The targets are layers: data flows one way, from YAML to remote calls. See docs/architecture.md.
import PackageDescription

let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// What every plan runs through. A release is made for size (see the Makefile), and this for speed: the frontend takes
/// the last word that it is given.
let hot: Set<String> = [
    "Diagnostics", "TextEncodings", "MusterModel", "Expressions", "YAMLSyntax", "SpecLoading", "Lowering",
    "ResourceGraph", "Planning", "Reporting", "StateStorage", "AWSClient",
]
let speed: [SwiftSetting] = [.unsafeFlags(["-Xfrontend", "-O"], .when(configuration: .release))]

func layer(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings + (hot.contains(name) ? speed : []))
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: ["Goldens"], swiftSettings: settings)
}

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")

let package = Package(
    name: "muster",
    products: [
        .executable(name: "muster", targets: ["muster"]),
        .executable(name: "SandboxServer", targets: ["SandboxServer"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),

        layer("Diagnostics"),
        layer("TextEncodings"),
        layer("MusterModel", ["TextEncodings", "Diagnostics"]),
        layer("Expressions", ["MusterModel", "TextEncodings", "Diagnostics", crypto]),
        layer("YAMLSyntax", ["CYAML", "Diagnostics"]),
        layer("SpecLoading", ["MusterModel", "YAMLSyntax", "Expressions", "Diagnostics"]),
        layer("UserData", ["MusterModel", "TextEncodings", "Diagnostics"]),
        layer("Lowering", ["MusterModel", "Expressions", "UserData", "Diagnostics"]),
        layer("ResourceGraph", ["MusterModel", "Diagnostics", heap, deque]),
        layer("ProviderKit", ["MusterModel"]),
        layer("Refreshing", ["MusterModel", "ProviderKit", "ResourceGraph"]),
        layer("Planning", ["MusterModel", "ResourceGraph", "Expressions", "Diagnostics"]),
        layer("StateStorage", ["MusterModel", grdb]),
        layer("HTTPTransport", ["CCurl"]),
        layer("AWSClient", ["HTTPTransport", "TextEncodings", crypto]),
        layer("AWSProvider", ["MusterModel", "ProviderKit", "AWSClient", "TextEncodings", crypto]),
        layer("RancherClient", ["MusterModel", "HTTPTransport", "TextEncodings"]),
        layer("RancherProvider", ["MusterModel", "ProviderKit", "RancherClient", "HTTPTransport", "TextEncodings"]),
        layer("SpotClient", ["MusterModel", "HTTPTransport", "TextEncodings"]),
        layer("SpotProvider", ["MusterModel", "ProviderKit", "SpotClient", "TextEncodings"]),
        layer("Applying", ["MusterModel", "ProviderKit", "StateStorage", "Expressions", "TextEncodings"]),
        layer("Reporting", ["MusterModel", "Diagnostics"]),
        layer(
            "MusterCommands",
            [
                "Diagnostics", "MusterModel", "Expressions", "YAMLSyntax", "SpecLoading", "UserData", "Lowering",
                "ResourceGraph", "ProviderKit", "Refreshing", "Planning", "StateStorage", "HTTPTransport", "AWSClient",
                "AWSProvider", "RancherClient", "RancherProvider", "SpotClient", "SpotProvider", "Applying",
                "Reporting", "TextEncodings", argumentParser, crypto,
            ]),
        // Stands in for the locale data of ICU, which nothing here needs.
        .target(name: "ICUStubData"),
        .executableTarget(name: "muster", dependencies: ["MusterCommands", "ICUStubData"], swiftSettings: settings),

        // Simulators for the sandbox and for tests; nothing of them is linked into muster.
        .target(
            name: "SandboxServing", dependencies: ["HTTPTransport", "AWSClient", "TextEncodings"],
            path: "sandbox/SandboxServing",
            swiftSettings: settings),
        .target(
            name: "RancherSimulation",
            dependencies: [
                "SandboxServing", "HTTPTransport", "AWSClient", "TextEncodings", "YAMLSyntax", "Diagnostics", crypto,
            ],
            path: "sandbox/RancherSimulation", swiftSettings: settings),
        .target(
            name: "SpotSimulation",
            dependencies: ["SandboxServing", "RancherSimulation", "HTTPTransport", "AWSClient", "TextEncodings"],
            path: "sandbox/SpotSimulation", swiftSettings: settings),
        .executableTarget(
            name: "SandboxServer",
            dependencies: ["SandboxServing", "RancherSimulation", "SpotSimulation", "HTTPTransport", argumentParser],
            path: "sandbox/SandboxServer", swiftSettings: settings),

        .target(
            name: "TestSupport", dependencies: ["Diagnostics", "MusterModel", "StateStorage"],
            path: "Tests/TestSupport",
            swiftSettings: settings),
        .target(
            name: "Simulation",
            dependencies: [
                "MusterModel", "Expressions", "ResourceGraph", "ProviderKit", "Refreshing", "Planning", "StateStorage",
                "HTTPTransport", "AWSClient", "AWSProvider", "RancherClient", "RancherProvider", "RancherSimulation",
                "SandboxServing", "Applying", "TextEncodings", "Diagnostics", "TestSupport",
            ], path: "Tests/Simulation", swiftSettings: settings),
        .executableTarget(
            name: "Simulate", dependencies: ["Simulation"], path: "Tests/Simulate", swiftSettings: settings),
        tests("SimulationTests", ["Simulation", "MusterModel", "TestSupport"]),
        tests("DiagnosticsTests", ["Diagnostics", "TestSupport"]),
        tests("TextEncodingsTests", ["TextEncodings"]),
        tests("MusterModelTests", ["MusterModel", "TestSupport"]),
        tests("ExpressionsTests", ["Expressions", "MusterModel", "Diagnostics", "TestSupport"]),
        tests("YAMLSyntaxTests", ["YAMLSyntax", "Diagnostics", "TestSupport"]),
        tests(
            "SpecLoadingTests",
            [
                "SpecLoading", "Expressions", "Lowering", "MusterModel", "YAMLSyntax", "Diagnostics", "AWSProvider",
                "TestSupport",
            ]),
        tests("UserDataTests", ["UserData", "Expressions", "MusterModel", "Diagnostics", "TestSupport"]),
        tests(
            "LoweringTests",
            ["Lowering", "SpecLoading", "MusterModel", "YAMLSyntax", "Diagnostics", "AWSProvider", "TestSupport"]),
        tests("ResourceGraphTests", ["ResourceGraph", "MusterModel", "Diagnostics", "TestSupport"]),
        tests(
            "PlanningTests",
            ["Planning", "ResourceGraph", "MusterModel", "Expressions", "Diagnostics", "TestSupport"]),
        // A disk for SQLite that knows what a power cut leaves.
        .target(name: "CPowerLoss", path: "Tests/CPowerLoss", linkerSettings: [.linkedLibrary("sqlite3")]),
        tests("StateStorageTests", ["StateStorage", "MusterModel", "TestSupport", "CPowerLoss", grdb]),
        tests("HTTPTransportTests", ["HTTPTransport", "TestSupport"]),
        tests("AWSClientTests", ["AWSClient", "HTTPTransport", "TextEncodings", "TestSupport"]),
        tests(
            "AWSProviderTests",
            [
                "AWSProvider", "ProviderKit", "AWSClient", "HTTPTransport", "TextEncodings", "MusterModel", "Planning",
                "TestSupport",
            ]),
        tests(
            "RancherProviderTests",
            [
                "RancherProvider", "RancherClient", "ProviderKit", "HTTPTransport", "MusterModel", "RancherSimulation",
                "SandboxServing", "TestSupport",
            ]),
        tests(
            "SpotProviderTests",
            [
                "SpotProvider", "SpotClient", "ProviderKit", "HTTPTransport", "MusterModel", "Lowering",
                "SpotSimulation", "RancherSimulation", "SandboxServing", "TestSupport",
            ]),
        tests(
            "ApplyingTests",
            ["Applying", "ProviderKit", "StateStorage", "MusterModel", "Planning", "TestSupport"]),
        tests("ReportingTests", ["Reporting", "MusterModel", "Diagnostics", "TestSupport"]),
        tests("MusterCommandsTests", ["MusterCommands", "AWSClient", "MusterModel", "Diagnostics", "TestSupport"]),
        tests(
            "SpotSimulationTests",
            ["SpotSimulation", "RancherSimulation", "SandboxServing", "HTTPTransport", "AWSClient", "TextEncodings"]),
        tests(
            "RancherSimulationTests",
            ["RancherSimulation", "SandboxServing", "HTTPTransport", "AWSClient", "TextEncodings"]),
        tests("ArchitectureTests", ["TestSupport"]),
    ]
)
