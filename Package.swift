// swift-tools-version: 6.2
import PackageDescription

// One set of rules for every Swift target in the package.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .treatAllWarnings(as: .error),
]

let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let posix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "reactord",
    products: [
        .executable(name: "reactord", targets: ["reactord"]),
        .executable(name: "reactord-supervisor", targets: ["reactord-supervisor"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.0", traits: []),
    ],
    targets: [
        // Values, machines, ports: no I/O, no clock, no Foundation.
        .target(
            name: "ActorCore",
            dependencies: [deque],
            swiftSettings: strict
        ),
        // Wire types, shared by the server and the command line so that they cannot drift.
        .target(name: "ActorAPI", dependencies: ["ActorCore"], swiftSettings: strict),
        // Fakes that are models, a clock moved by hand, conformance suites.
        .target(name: "ActorTesting", dependencies: ["ActorCore"], swiftSettings: strict),

        // The machines under a seeded scheduler, a virtual clock and a store that loses what was not synced.
        .target(name: "ActorSimulation", dependencies: ["ActorCore"], swiftSettings: strict),
        .executableTarget(
            name: "reactord-sim",
            dependencies: [
                "ActorCore", "ActorSimulation", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),

        // The shell: bus, dispatch, supervision, outbox, schedule.
        .target(
            name: "ActorRuntime",
            dependencies: ["ActorCore", deque, logging, lifecycle],
            swiftSettings: strict
        ),

        // Adapters. None of them imports another.
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "HTTPTransport", dependencies: ["CCurl", "ActorCore", logging], swiftSettings: strict),
        .target(
            name: "CValijson",
            cxxSettings: [.define("VALIJSON_USE_EXCEPTIONS", to: "1")],
            linkerSettings: [.linkedLibrary("re2")]
        ),
        .target(name: "ActorSchemas", dependencies: ["ActorCore", "CValijson"], swiftSettings: strict),
        .target(name: "CArchive", linkerSettings: [.linkedLibrary("archive")]),
        .target(name: "ActorArchives", dependencies: ["ActorCore", "CArchive"], swiftSettings: strict),
        .target(name: "CPageSums", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(
            name: "ActorStore",
            dependencies: [
                "ActorCore", "CPageSums", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"), crypto, logging,
            ],
            swiftSettings: strict
        ),
        // Watches one command of a process executor and outlives the daemon: small, so that a hundred of them may run.
        .executableTarget(name: "reactord-supervisor"),
        .target(name: "CSpawn"),
        .target(
            name: "ActorExecutors",
            dependencies: [
                "ActorCore", "CSpawn", .product(name: "Subprocess", package: "swift-subprocess"), system, logging,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "ActorConnectors",
            dependencies: [
                "ActorCore", .product(name: "Subprocess", package: "swift-subprocess"), crypto, posix, system, logging,
            ],
            swiftSettings: strict),
        .target(name: "Reactors", dependencies: ["ActorCore", crypto], swiftSettings: strict),
        .target(
            name: "ActorHTTP",
            dependencies: [
                "ActorAPI", "ActorCore", "ActorRuntime", crypto, cryptoExtras, nio, nioHTTP, posix, lifecycle, logging,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
            ],
            resources: [.embedInCode("UI")],
            swiftSettings: strict
        ),

        // The only module that names them all, and the commands on top of it.
        .target(
            name: "ActorDaemon",
            dependencies: [
                "ActorArchives", "ActorConnectors", "ActorCore", "ActorExecutors", "ActorHTTP", "ActorRuntime",
                "ActorSchemas",
                "ActorStore", "HTTPTransport", "Reactors", crypto, lifecycle, logging, nio, posix,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "ActorCLI",
            dependencies: [
                "ActorAPI", "ActorCore", "ActorDaemon", "HTTPTransport", "Reactors", crypto, logging, system,
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(name: "reactord", dependencies: ["ActorCLI"], swiftSettings: strict),

        .testTarget(
            name: "ActorSimulationTests", dependencies: ["ActorSimulation", "reactord-sim"], swiftSettings: strict),
        .testTarget(name: "ActorCoreTests", dependencies: ["ActorCore", "ActorTesting"], swiftSettings: strict),
        .testTarget(
            name: "ActorRuntimeTests", dependencies: ["ActorRuntime", "ActorCore", "ActorTesting", logging],
            swiftSettings: strict),
        // A disk that loses its power, for the store's tests.
        .target(name: "CPowerCut", path: "Tests/CPowerCut", linkerSettings: [.linkedLibrary("sqlite3")]),
        .testTarget(
            name: "ActorStoreTests",
            dependencies: [
                "ActorStore", "ActorCore", "ActorTesting", "CPageSums", "CPowerCut", logging,
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ActorSchemasTests", dependencies: ["ActorExecutors", "ActorSchemas", "ActorCore"],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "ActorExecutorsTests",
            dependencies: [
                "ActorExecutors", "ActorCore", "ActorTesting", "HTTPTransport", logging,
            ],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "ActorConnectorsTests",
            dependencies: [
                "ActorArchives", "ActorConnectors", "ActorCore", "ActorTesting", "HTTPTransport", crypto, logging,
            ],
            exclude: ["Vectors"], swiftSettings: strict),
        .testTarget(
            name: "HTTPTransportTests", dependencies: ["HTTPTransport", "ActorCore", "ActorTesting", logging],
            swiftSettings: strict),
        .testTarget(
            name: "ReactorsTests", dependencies: ["Reactors", "ActorCore", "ActorTesting"],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "ActorHTTPTests",
            dependencies: [
                "ActorHTTP", "ActorAPI", "ActorCore", "ActorRuntime", "ActorTesting", crypto, cryptoExtras, logging,
                lifecycle, nio, posix,
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ActorDaemonTests", dependencies: ["ActorDaemon", "ActorCore", "ActorTesting"],
            swiftSettings: strict),
        .testTarget(
            name: "ActorCLITests",
            dependencies: [
                "ActorAPI", "ActorCLI", "ActorCore", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["ActorCore", "ActorTesting", "HTTPTransport", "reactord", crypto, cryptoExtras, logging],
            exclude: ["Clients", "Fixtures", "Vectors"], swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx17
)
