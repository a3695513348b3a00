import Accounting
import Aggregation
import Base
import Client
import Data
import Fixtures
import Foundation
import Records
import Scenario
import Tensor
import Testing

@testable import Federation

@Suite("Features in place of images", .serialized)
struct FeatureTests {
  /// Nothing is kept in the user's own folder.
  private static let cache: ScratchFolder? = {
    let folder = try? ScratchFolder()
    if let folder { setenv("FEDSIM_CACHE", folder.path, 1) }
    return folder
  }()

  private let folder: String
  private let data: LabelledData

  init() throws {
    folder = try #require(Self.cache?.path)
    data = Self.images(side: 8, train: 60, seed: 1)
  }

  private static func images(
    side: Int, channels: Int = 1, train: Int, seed: UInt64
  ) -> LabelledData {
    var stream = RandomStream(seed: seed, .test)
    func set(_ count: Int) -> ImageSet {
      let shape = FeatureShape(height: side, width: side, channels: channels)
      let pixels = (0..<count * shape.count).map { _ in UInt8(stream.below(256)) }
      let labels = (0..<count).map { Int32($0 % 3) }
      return ImageSet(shape: shape, pixels: .bytes(pixels), labels: labels, classes: 3)
    }
    return LabelledData(title: "noise", train: set(train), test: set(12))
  }

  private func text(_ features: String) -> ScenarioText {
    var text = ScenarioText()
    text.model = #"{ "kind": "logistic", "features": \#(features) }"#
    return text
  }

  private func halves(_ images: ImageSet) -> [Float16] {
    if case .halves(let values) = images.pixels { values } else { [] }
  }

  @Test("the network sees a quarter of the side and 81 or 17 channels for each colour")
  func shapes() throws {
    let two = try text(#"{ "kind": "scattering" }"#).experiment(data)
    #expect(two.data.train.shape == FeatureShape(height: 2, width: 2, channels: 81))
    let colour = Self.images(side: 12, channels: 3, train: 30, seed: 2)
    let one = try text(#"{ "kind": "scattering", "orders": 1 }"#).experiment(colour)
    #expect(one.data.train.shape == FeatureShape(height: 3, width: 3, channels: 51))
    #expect(one.network.layout.count == 3 * 3 * 51 * 3 + 3)
    #expect(one.data.train.labels == colour.train.labels)
    #expect(one.conditions.contains { $0.hasPrefix("features in place of images: scattering") })
    _ = try one.trial(threads: 2)
  }

  @Test("features of an image are the transform's, whatever else there is, kept or not")
  func values() throws {
    let settings = FeatureSettings(source: .scattering(orders: 2))
    let first = try FeatureStage.features(of: data, settings)
    let kept = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(kept.contains { $0.hasPrefix("features-scattering-2-8-2-\(data.train.hash)") })
    let again = try FeatureStage.features(of: data, settings)
    #expect(halves(again.train) == halves(first.train) && halves(again.test) == halves(first.test))
    // A damaged file is made anew.
    for name in kept {
      let path = folder + "/" + name
      var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
      bytes[bytes.count / 2] ^= 1
      try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
    let made = try FeatureStage.features(of: data, settings)
    #expect(halves(made.train) == halves(first.train))
    let transform = try #require(ScatteringTransform(side: 8))
    guard case .bytes(let pixels) = data.train.pixels else { return }
    for image in [0, 17, 59] {
      var own = [Float](repeating: 0, count: 4 * 81)
      transform.transform(
        1, ScatteringTransform.Workspace(transform),
        pixel: { _, row, column in Float(pixels[image * 64 + row * 8 + column]) / 255 },
        write: { _, channel, place, value in own[place * 81 + channel] = value })
      let found = halves(first.train)[image * 324..<(image + 1) * 324]
      #expect(Array(found) == own.map { Float16($0) })
    }
  }

  @Test("groups of channels have mean 0 and deviation 1 in every record")
  func groups() throws {
    func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
      let mean = values.reduce(0, +) / Double(values.count)
      return (
        mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      )
    }
    let raw = FeatureSettings(source: .scattering(orders: 2))
    let plain = halves(try FeatureStage.features(of: data, raw).train).map(Double.init)
    for groups in [1, 3, 27, 81] {
      let settings = FeatureSettings(source: .scattering(orders: 2), groups: groups)
      let values = halves(try FeatureStage.features(of: data, settings).train).map(Double.init)
      let width = 81 / groups
      for image in 0..<data.train.count {
        for group in 0..<groups {
          let places = (0..<4).flatMap { place in
            (0..<width).map { image * 324 + place * 81 + group * width + $0 }
          }
          let before = moments(places.map { plain[$0] })
          let after = moments(places.map { values[$0] })
          // 1e-5 is added to the variance; both sides are rounded to 11 bits.
          let expected = before.variance / (before.variance + 1e-5)
          #expect(abs(after.mean) < 2e-3)
          #expect(abs(after.variance - expected) < 0.03 * expected + 1e-3)
          let scale = (before.variance + 1e-5).squareRoot()
          for place in places {
            #expect(abs(values[place] - (plain[place] - before.mean) / scale) < 0.2)
          }
        }
      }
    }
    expectFailure(.scenarioInvalid, "E3265") {
      _ = try text(#"{ "kind": "scattering", "groups": 5 }"#).experiment(data)
    }
  }

  @Test("arrays of another program serve as they are, and must fit the images")
  func arrays() throws {
    let scratch = try ScratchFolder()
    func write(_ name: String, _ rows: Int, _ columns: Int) throws {
      let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
      let space = String(repeating: " ", count: 117 - header.utf8.count) + "\n"
      var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]
      bytes += Array((header + space).utf8)
      for value in 0..<rows * columns {
        bytes += withUnsafeBytes(of: Float(value % 7)) { Array($0) }
      }
      try Data(bytes).write(to: URL(fileURLWithPath: scratch.path + "/" + name))
    }
    try write("train.npy", 60, 5)
    try write("test.npy", 12, 5)
    let features = #"{ "kind": "npy", "path": "\#(scratch.path)" }"#
    let experiment = try text(features).experiment(data)
    #expect(experiment.data.train.shape == FeatureShape(features: 5))
    guard case .floats(let values) = experiment.data.test.pixels else { return }
    #expect(values == (0..<60).map { Float($0 % 7) })
    _ = try experiment.trial()
    try write("test.npy", 12, 6)
    expectFailure(.dataMissingOrCorrupt, "E4005") { _ = try text(features).experiment(data) }
    try write("test.npy", 11, 5)
    expectFailure(.dataMissingOrCorrupt, "E4005") { _ = try text(features).experiment(data) }
    expectFailure(.dataMissingOrCorrupt, "E4001") {
      _ = try text(#"{ "kind": "npy", "path": "/nowhere" }"#).experiment(data)
    }
  }

  // MARK: Standardisation

  private func standardised(_ noise: Double, _ privacy: String = "") -> ScenarioText {
    var text = text(
      """
      { "kind": "scattering", "orders": 1, "standardise":
        { "noiseMultiplier": \(noise), "clipMeans": 100, "clipSquares": 100 } }
      """)
    text.strategies = [ScenarioText.strategy("fedavg", privacy)]
    text.federation = #"{ "clients": 3, "rounds": 2, "sampling": "uniform" }"#
    return text
  }

  private func dp(_ fields: String) -> String {
    #""privacy": { "unit": "example", "clip": 1, "delta": 1e-3, \#(fields) }"#
  }

  @Test("with clips that cut nothing and next to no noise, statistics are those of the records")
  func statistics() throws {
    let experiment = try standardised(1e-9).experiment(data)
    let found = experiment.pixelTransform(0)
    let plain = PixelTransform(
      statisticsOf: experiment.data.train, at: experiment.splits[0].trainIndices)
    for c in 0..<17 {
      #expect(abs(found.mean[c] - plain.mean[c]) < 1e-4)
      let wanted = (plain.std[c] * plain.std[c] + 1e-5).squareRoot()
      #expect(abs(found.std[c] - wanted) < 1e-4 * (1 + wanted))
    }
    // Clips bound what a record can move; noise moves everything.
    let noisy = try standardised(8).experiment(data).pixelTransform(0)
    #expect(noisy.mean != found.mean)
    let again = try standardised(8).experiment(data).pixelTransform(0)
    #expect(noisy == again)
  }

  @Test("no record moves a client's sums by more than the clips")
  func sensitivity() throws {
    let experiment = try standardised(1e-9).experiment(data)
    let all = experiment.splits[0].clients
    let settings = FeatureSettings.Standardisation(
      noiseMultiplier: 1e-9, clipMeans: 0.05, clipSquares: 0.01)
    func sums(_ clients: [[Int]]) -> [Double] {
      let transform = FeatureStatistics.transform(
        settings, experiment.data.train, clients: clients, seed: 1)
      let count = Double(clients.reduce(0) { $0 + $1.count })
      return transform.mean.map { Double($0) * count }
    }
    let whole = sums(all)
    for place in 0..<all[0].count {
      var less = all
      less[0].remove(at: place)
      let moved = zip(whole, sums(less)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      #expect(moved.squareRoot() <= 0.05 * 1.001 + 1e-5)
    }
  }

  @Test("every epsilon covers the release, and a target leaves room for it")
  func accounting() throws {
    let plain = standardised(1, dp(#""noiseMultiplier": 2"#))
    var without = text(#"{ "kind": "scattering", "orders": 1 }"#)
    without.strategies = plain.strategies
    without.federation = plain.federation
    let (with, none) = (
      try plain.experiment(data).trial(), try without.experiment(data).trial()
    )
    let (more, less) = (
      try #require(with.privacy?.epsilonMax), try #require(none.privacy?.epsilonMax)
    )
    #expect(more > less)
    // By hand: the two sums are one Gaussian mechanism with sigma/sqrt(2).
    var ledger = PrivacyLedger()
    ledger.record(
      try PrivacyEvent(
        unit: .example, sampling: .none, neighbours: .addRemove, samplingRate: 1,
        noiseMultiplier: 1 / 2.0.squareRoot(), steps: 1))
    let alone = PLDAccountant().epsilon(ledger, delta: 1e-3)
    #expect(more > alone * 0.999)
    let target = standardised(4, dp(#""target": { "epsilon": 3, "delta": 1e-3 }"#))
    let reached = try #require(try target.experiment(data).trial().privacy?.epsilonMax)
    #expect(reached <= 3 && reached > 2.7)
    expectFailure(.scenarioInvalid, "E3334") {
      _ = try standardised(0.5, dp(#""target": { "epsilon": 1, "delta": 1e-3 }"#))
        .experiment(data).trial()
    }
  }

  @Test("the release is counted once, up and down, in whole numbers of floats")
  func bytes() throws {
    let plain = try text(#"{ "kind": "scattering", "orders": 1 }"#).experiment(data).trial()
    let more = try standardised(8).experiment(data).trial()
    #expect(more.bytesSetup - plain.bytesSetup == 3 * 2 * (2 * 17 * 4))
  }

  @Test(
    "what cannot be meant is refused",
    arguments: [
      (#"{ "kind": "scattering", "orders": 3 }"#, "E3103"), (#"{ "kind": "wavelet" }"#, "E3105"),
      (#"{ "kind": "npy" }"#, "E3104"),
      (#"{ "kind": "scattering", "standardise": {} }"#, "E3104"),
      (#"{ "kind": "scattering", "groups": 0 }"#, "E3103"),
    ])
  func wrong(features: String, code: String) {
    #expect(text(features).problems.contains { $0.code == code }, "\(text(features).problems)")
  }

  @Test("random changes, styles, statistics without noise and other units are refused")
  func companions() {
    var augmented = text(#"{ "kind": "scattering" }"#)
    augmented.augment = #"["flip"]"#
    #expect(augmented.problems.contains { $0.code == "E3266" && $0.path == "$.data.augment" })
    var normal = text(#"{ "kind": "scattering" }"#)
    normal.normalize = "dataset"
    #expect(normal.problems.contains { $0.code == "E3266" && $0.path == "$.data.normalize" })
    var styled = text(#"{ "kind": "scattering" }"#)
    styled.styles = #"{ "kinds": ["plain", "invert"], "perClient": 1 }"#
    #expect(styled.problems.contains { $0.code == "E3266" && $0.path == "$.data.styles" })
    for privacy in [
      #""privacy": { "unit": "client", "noiseMultiplier": 1 }"#,
      dp(#""noiseMultiplier": 1, "mechanism": "dice-sgd""#),
    ] {
      #expect(standardised(8, privacy).problems.contains { $0.code == "E3266" }, "\(privacy)")
    }
    let fine = standardised(8, dp(#""noiseMultiplier": 1"#))
    #expect(!fine.problems.contains { $0.code == "E3266" })
    // Images that are not square, or whose side is no multiple of 4.
    let odd = Self.images(side: 10, train: 30, seed: 3)
    expectFailure(.scenarioInvalid, "E3265") {
      _ = try text(#"{ "kind": "scattering" }"#).experiment(odd)
    }
  }

  @Test("every method learns on features, with the same bits on any number of threads")
  func methods() throws {
    for info in StrategyRegistry.infos {
      var text = text(#"{ "kind": "scattering", "orders": 1, "groups": 17 }"#)
      text.model =
        #"{ "kind": "mlp", "hidden": [6], "features": { "kind": "scattering", "orders": 1 } }"#
      text.publicSet = ScenarioText.somePublic.json
      text.strategies = [ScenarioText.registered(info.kind)]
      let one = try text.experiment(data).trial()
      let two = try text.experiment(data).trial(threads: 2)
      #expect(one.digests == two.digests, "\(info.kind)")
    }
  }
}
