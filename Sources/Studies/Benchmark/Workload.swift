import Base
import Client
import Data
import Tensor

/// A standard amount of federated training: what `fedsim bench` times.
///
/// One round: each client of the cohort starts from the global model and takes one epoch of plain
/// SGD over its samples in stored order; the server takes the unweighted mean. Inputs are synthetic
/// or given; nothing is evaluated.
package struct Workload: Sendable, Equatable {
  /// Such as "w1".
  package let name: String
  /// The network, in words.
  package let title: String
  /// The network; its dropout rates are part of the workload.
  package var model: ModelSpec
  /// Size of one sample.
  package let input: FeatureShape
  /// Clients K whose samples are in memory.
  package var clients: Int
  /// Samples per client n.
  package var samples: Int
  /// Clients per round m ≤ K.
  package var cohort: Int
  /// Samples per step B; the last batch of a client may be shorter.
  package let batch: Int
  /// σ of example-level DP-SGD with clip 1; nil trains without privacy.
  package var noiseMultiplier: Double?

  package static let classes = 10
  package static let learningRate = 0.1

  /// Samples that a round trains on: m·n.
  package var samplesPerRound: Int { cohort * samples }
  /// Floats of all inputs: K·n·(values per sample).
  package var inputCount: Int { clients * samples * input.count }
  /// Whether masks are drawn in each step.
  package var hasDropout: Bool { !model.dropout.isEmpty }

  package func network() throws(Failure) -> Network {
    do { return try Network(model, input: input, classes: Self.classes) } catch {
      throw Failure(.internalError, "E1000", "\(name): \(error.message)")
    }
  }

  /// What each client does in a round.
  package var settings: LocalSettings {
    LocalSettings(
      work: .epochs(1), batch: batch, order: .sequential,
      optimizer: OptimizerSpec(learningRate: Self.learningRate))
  }

  /// The same work without clipping and noise.
  package var plain: Workload {
    var workload = self
    workload.noiseMultiplier = nil
    return workload
  }

  /// The workload of a name, or nil.
  package static func named(_ name: String) -> Workload? { all.first { $0.name == name } }

  /// All workloads, in the order in which they run.
  package static let all: [Workload] = [
    // The setting of pfl-research's CIFAR-10 benchmark.
    images("w1", "CNN with dropout", .cnn, 32, 1000, 50, cohort: 50, batch: 10, [0.25, 0.5]),
    images("w2", "ResNet-8, group norm", .resnet8, 16, 10, 500, cohort: 10, batch: 32),
    images("w2r20", "ResNet-20, group norm", .resnet20, 16, 10, 500, cohort: 10, batch: 32),
    images("w2r18", "ResNet-18, group norm", .resnet18, 64, 4, 64, cohort: 4, batch: 32),
    vectors("w3", "MLP 784-128-10", .mlp, [128]), vectors("w3lr", "logistic 784-10", .logistic, []),
    privateImages,
  ]

  /// One data owner that trains the network of w1 by DP-SGD.
  private static var privateImages: Workload {
    var workload = images(
      "w4", "CNN, example-level DP-SGD", .cnn, 32, 1, 2048, cohort: 1, batch: 256)
    workload.noiseMultiplier = 1
    return workload
  }

  private static func images(
    _ name: String, _ title: String, _ kind: ModelSpec.Kind, _ width: Int, _ clients: Int,
    _ samples: Int, cohort: Int, batch: Int, _ dropout: [Double] = []
  ) -> Workload {
    Workload(
      name: name, title: title,
      model: ModelSpec(
        kind: kind, width: width, norm: kind == .cnn ? .none : .group(groups: 8), dropout: dropout,
        initialisation: .glorot), input: FeatureShape(height: 32, width: 32, channels: 3),
      clients: clients, samples: samples, cohort: cohort, batch: batch)
  }

  private static func vectors(
    _ name: String, _ title: String, _ kind: ModelSpec.Kind, _ hidden: [Int]
  ) -> Workload {
    Workload(
      name: name, title: title,
      model: ModelSpec(kind: kind, width: 1, hidden: hidden, initialisation: .glorot),
      input: FeatureShape(features: 784), clients: 10_000, samples: 20, cohort: 1000, batch: 10)
  }
}
