// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target is compiled with.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),  // `any` is written out: boxing is visible
  .enableUpcomingFeature("MemberImportVisibility"),  // a file imports what it uses
  .treatAllWarnings(as: .error),
]

/// Numeric loops without optimisation are fifty times slower; `swift test` must stay usable.
let numeric: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let package = Package(
  name: "fedsim", platforms: [.macOS(.v15)],
  products: [
    .executable(name: "fedsim", targets: ["fedsim"]),
    // For programs of one's own: networks, codecs, accountants, and the shelf of methods.
    .library(name: "Tensor", targets: ["Tensor"]), .library(name: "Codecs", targets: ["Codecs"]),
    .library(name: "Accounting", targets: ["Accounting"]),
    .library(name: "Aggregation", targets: ["Aggregation", "Client"]),
  ],
  targets: [
    // From the metal to the words: a target imports only those above it.
    .target(
      name: "COpenBLAS",
      linkerSettings: [
        .linkedLibrary("dl", .when(platforms: [.linux])),
        .linkedLibrary("m", .when(platforms: [.linux])),
      ]), .target(name: "CProcess"), .target(name: "Base", swiftSettings: numeric),
    .target(name: "Tensor", dependencies: ["COpenBLAS", "Base"], swiftSettings: numeric),
    .target(name: "Codecs", dependencies: ["Base", "Tensor"], swiftSettings: numeric),
    .target(name: "Accounting", dependencies: ["Base"], swiftSettings: numeric),
    .target(name: "Client", dependencies: ["Base", "Tensor"], swiftSettings: numeric),
    .target(
      name: "Aggregation", dependencies: ["Base", "Tensor", "Codecs", "Client"],
      swiftSettings: numeric),
    .target(name: "Data", dependencies: ["Base", "Tensor", "Client"], swiftSettings: numeric),
    .target(
      name: "Scenario",
      dependencies: ["Base", "Tensor", "Codecs", "Accounting", "Client", "Aggregation", "Data"],
      swiftSettings: numeric),
    .target(
      name: "Records",
      dependencies: [
        "Base", "Tensor", "Codecs", "Accounting", "Client", "Aggregation", "Data", "Scenario",
      ], swiftSettings: numeric),
    .target(
      name: "Federation",
      dependencies: [
        "Base", "Tensor", "Codecs", "Accounting", "Client", "Aggregation", "Data", "Scenario",
        "Records",
      ], swiftSettings: numeric),
    .target(
      name: "Report",
      dependencies: ["Base", "Client", "Aggregation", "Data", "Scenario", "Records"],
      swiftSettings: numeric),
    .target(
      name: "Studies",
      dependencies: [
        "Base", "Tensor", "Codecs", "Accounting", "Client", "Aggregation", "Data", "Scenario",
        "Records", "Federation", "Report",
      ], swiftSettings: numeric),
    .executableTarget(
      name: "fedsim",
      dependencies: [
        "Base", "CProcess", "Tensor", "Accounting", "Aggregation", "Data", "Scenario", "Records",
        "Federation", "Report", "Studies",
      ], swiftSettings: strict),

    .target(
      name: "TestSupport", dependencies: ["Base", "Tensor"], path: "Tests/TestSupport",
      swiftSettings: numeric),
    // What tests of several modules share: small federations, folders, samples.
    .target(
      name: "Fixtures",
      dependencies: [
        "Base", "Tensor", "Client", "Data", "Scenario", "Records", "Federation", "Report",
      ], path: "Tests/Fixtures", swiftSettings: strict),
    .testTarget(name: "BaseTests", dependencies: ["Base"], swiftSettings: strict),
    .testTarget(
      name: "TensorTests", dependencies: ["Base", "Tensor", "TestSupport"],
      exclude: [
        "Golden/make_golden.py", "Golden/golden_losses.py", "Golden/golden_models.py",
        "Golden/golden_training.py", "Golden/golden_vgg.py",
      ], resources: [.copy("Golden/data")], swiftSettings: strict),
    .testTarget(name: "CodecsTests", dependencies: ["Base", "Codecs"], swiftSettings: strict),
    .testTarget(
      name: "AccountingTests", dependencies: ["Accounting", "TestSupport"],
      exclude: ["Golden/make_privacy_golden.py", "Golden/make_factorisation_golden.py"],
      swiftSettings: strict),
    .testTarget(
      name: "ClientTests", dependencies: ["Base", "Tensor", "Client", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "AggregationTests",
      dependencies: ["Base", "Tensor", "Codecs", "Client", "Aggregation", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "DataTests",
      dependencies: ["Base", "Tensor", "Client", "Data", "Federation", "Fixtures"],
      swiftSettings: strict),
    .testTarget(
      name: "ScenarioTests",
      dependencies: [
        "Base", "Tensor", "Client", "Aggregation", "Data", "Scenario", "Federation", "Studies",
        "Fixtures",
      ], swiftSettings: strict),
    .testTarget(
      name: "RecordsTests",
      dependencies: [
        "Base", "Tensor", "Aggregation", "Data", "Records", "Federation", "Report", "Fixtures",
      ], swiftSettings: strict),
    .testTarget(
      name: "FederationTests",
      dependencies: [
        "Base", "Tensor", "Accounting", "Client", "Aggregation", "Data", "Scenario", "Records",
        "Federation", "Report", "Studies", "TestSupport", "Fixtures",
      ], exclude: ["Diagnostics/Golden/make_diagnostics_golden.py"], swiftSettings: strict),
    .testTarget(
      name: "GuideTests",
      dependencies: ["Aggregation", "Client", "Tensor", "Federation", "TestSupport", "Fixtures"],
      swiftSettings: strict),
    .testTarget(
      name: "ReportTests",
      dependencies: ["Base", "Client", "Data", "Scenario", "Records", "Report", "Fixtures"],
      swiftSettings: strict),
    .testTarget(
      name: "StudiesTests",
      dependencies: [
        "Base", "Tensor", "Codecs", "Client", "Aggregation", "Data", "Scenario", "Records",
        "Federation", "Report", "Studies", "TestSupport", "Fixtures",
      ], swiftSettings: strict),
    .testTarget(
      name: "CommandTests", dependencies: ["Base", "Tensor", "Records", "fedsim"],
      swiftSettings: strict),
    .target(
      name: "Fuzzing", dependencies: ["Base", "Aggregation", "Scenario", "Federation", "Studies"],
      path: "Tests/Fuzzing", swiftSettings: strict),
    .executableTarget(
      name: "fuzz", dependencies: ["Fuzzing"], path: "Tests/FuzzProgram", swiftSettings: strict),
    .testTarget(name: "FuzzTests", dependencies: ["fedsim", "Fuzzing"], swiftSettings: strict),
    .testTarget(
      name: "TidyTests",
      dependencies: ["Base", "Aggregation", "Scenario", "Records", "Federation", "Studies"],
      swiftSettings: strict),
  ])
