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
  name: "fedsim",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "fedsim", targets: ["fedsim"]),
    // For programs of one's own: networks, codecs, accountants, and the shelf of methods.
    .library(name: "Tensor", targets: ["Tensor"]),
    .library(name: "Codecs", targets: ["Codecs"]),
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
      ]
    ),
    .target(name: "Base", swiftSettings: numeric),
    .target(name: "Tensor", dependencies: ["COpenBLAS", "Base"], swiftSettings: numeric),
    .target(name: "Codecs", dependencies: ["Base", "Tensor"], swiftSettings: numeric),
    .target(name: "Accounting", dependencies: ["Base"], swiftSettings: numeric),
    .target(name: "Client", dependencies: ["Base", "Tensor"], swiftSettings: numeric),
    .target(
      name: "Aggregation",
      dependencies: ["Base", "Tensor", "Codecs", "Client"],
      swiftSettings: numeric
    ),
    .target(
      name: "Data",
      dependencies: ["Base", "Tensor", "Client", "Aggregation"],
      swiftSettings: numeric
    ),
    .target(
      name: "Scenario",
      dependencies: ["Base", "Tensor", "Codecs", "Accounting", "Client", "Aggregation", "Data"],
      swiftSettings: numeric
    ),
    .target(
      name: "Records",
      dependencies: [
        "Base", "Tensor", "Codecs", "Accounting", "Client", "Aggregation", "Data", "Scenario",
      ],
      swiftSettings: numeric
    ),
    .target(
      name: "Federation",
      dependencies: [
        "Base", "Tensor", "Codecs", "Accounting", "Client", "Aggregation", "Data", "Scenario",
        "Records",
      ],
      swiftSettings: numeric
    ),
    .target(
      name: "Report",
      dependencies: ["Base", "Client", "Aggregation", "Data", "Scenario", "Records", "Federation"],
      swiftSettings: numeric
    ),
    .target(
      name: "Studies",
      dependencies: [
        "Base", "Tensor", "Codecs", "Accounting", "Client", "Aggregation", "Data", "Scenario",
        "Records", "Federation", "Report",
      ],
      swiftSettings: numeric
    ),
    .executableTarget(
      name: "fedsim",
      dependencies: [
        "Base", "Tensor", "Accounting", "Aggregation", "Data", "Scenario", "Records", "Federation",
        "Report", "Studies",
      ],
      swiftSettings: strict
    ),

    .target(
      name: "TestSupport",
      dependencies: ["Tensor", "Client"],
      path: "Tests/TestSupport",
      swiftSettings: numeric
    ),
    .testTarget(
      name: "TensorTests",
      dependencies: ["Tensor", "TestSupport"],
      exclude: [
        "Golden/make_golden.py", "Golden/golden_losses.py", "Golden/golden_models.py",
        "Golden/golden_training.py", "Golden/golden_vgg.py",
      ],
      resources: [.copy("Golden/data")],
      swiftSettings: strict
    ),
    .testTarget(
      name: "ClientTests",
      dependencies: ["Client", "Tensor", "TestSupport"],
      swiftSettings: strict
    ),
    .testTarget(
      name: "AggregationTests",
      dependencies: ["Aggregation", "Client", "Tensor", "TestSupport"],
      swiftSettings: strict
    ),
    .testTarget(
      name: "FederationTests",
      dependencies: ["Federation", "Aggregation", "Client", "Tensor", "TestSupport"],
      exclude: [
        "Privacy/Golden/make_privacy_golden.py",
        "Diagnostics/Golden/make_diagnostics_golden.py",
      ],
      swiftSettings: strict
    ),
    .testTarget(
      name: "CommandTests",
      dependencies: ["fedsim", "Federation", "Tensor"],
      swiftSettings: strict
    ),
    .target(
      name: "Fuzzing",
      dependencies: ["Federation", "Aggregation", "Tensor"],
      path: "Tests/Fuzzing",
      swiftSettings: strict
    ),
    .executableTarget(
      name: "fuzz",
      dependencies: ["Fuzzing"],
      path: "Tests/FuzzProgram",
      swiftSettings: strict
    ),
    .testTarget(
      name: "FuzzTests",
      dependencies: ["fedsim", "Fuzzing"],
      swiftSettings: strict
    ),
    .testTarget(
      name: "TidyTests",
      dependencies: ["Federation", "Aggregation", "Tensor"],
      swiftSettings: strict
    ),
  ]
)
