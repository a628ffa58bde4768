// swift-tools-version: 6.2
import PackageDescription

// A package of its own, which the main one never sees: what only measuring needs stays out of its graph. The modules
// under measurement are links into ../Sources, so they belong to this package and `package` access reaches them.
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

let package = Package(
    name: "reactord-benchmarks",
    products: [.executable(name: "reactord-bench", targets: ["reactord-bench"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        .target(
            name: "ActorCore",
            dependencies: [deque],
            swiftSettings: strict
        ),
        .target(
            name: "ActorRuntime",
            dependencies: ["ActorCore", deque, logging, lifecycle],
            swiftSettings: strict
        ),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "HTTPTransport", dependencies: ["CCurl", "ActorCore", logging], swiftSettings: strict),
        .target(name: "CMemory"),
        .executableTarget(
            name: "reactord-bench",
            dependencies: ["ActorCore", "ActorRuntime", "CMemory", "HTTPTransport", logging],
            path: "Sources/BenchmarkTool",
            swiftSettings: strict
        ),
    ]
)
