// swift-tools-version: 6.2
import PackageDescription

/// A package of its own that adds a method to fedsim's shelf from outside.
let package = Package(
  name: "MedianFederation", platforms: [.macOS(.v15)],
  dependencies: [.package(name: "fedsim", path: "../..")],
  targets: [
    .executableTarget(
      name: "MedianFederation",
      dependencies: [
        .product(name: "Tensor", package: "fedsim"),
        .product(name: "Aggregation", package: "fedsim"),
      ])
  ])
