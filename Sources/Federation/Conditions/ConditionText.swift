import Base
import Client
import Data
import Scenario
import Tensor

/// The conditions of an experiment in words, for tables and reports: a screenshot of a number must
/// say under which settings it was measured.
struct ConditionText {
  let scenario: Scenario
  let dataTitle: String
  let split: Split
  let parameters: Int

  /// A line each: data and split, federation and model, tests.
  var lines: [String] {
    let federation = scenario.federation
    let share = NumberText.percent(federation.participation)
    let sizes = split.clients.map(\.count).sorted()
    let middle = sizes.isEmpty ? 0 : sizes[sizes.count / 2]
    return [
      "\(dataTitle)\(longTail), \(partition), \(split.trainIndices.count) training images, "
        + "\(federation.clients) clients with \(sizes.first ?? 0) / \(middle) / "
        + "\(sizes.last ?? 0) images (min/median/max)",
      "\(federation.rounds) rounds, \(share) % of clients per round "
        + "(\(federation.sampling.word)), "
        + "\(work), batch \(scenario.client.batch), \(optimizer), \(model) "
        + "(\(NumberText.fixed(Double(parameters) / 1e6, 3)) M parameters)",
      "local tests \(localTests); weighting \(federation.weighting.rawValue); shots by cumulative "
        + "share 75/95",
    ] + setLines + systemLines + privacyLines + compressionLines
  }

  private var longTail: String {
    guard let tail = scenario.data.longTail else { return "" }
    return switch tail.profile {
    case .exponential(let factor): ", exponential long tail with factor \(short(factor))"
    case .step(let factor): ", step long tail with factor \(short(factor))"
    case .pareto(let factor): ", Pareto long tail with factor \(short(factor))"
    case .explicit: ", long tail by explicit counts"
    }
  }

  private var partition: String {
    switch scenario.data.partition {
    case .iid: "IID"
    case .dirichlet(let alpha, _): "Dirichlet \(short(alpha)) (per class)"
    case .dirichletCut(let alpha, _): "Dirichlet \(short(alpha)) (cut)"
    case .dirichletBalanced(let alpha): "Dirichlet \(short(alpha)) (balanced)"
    case .dirichletPrior(let alpha, _, let least):
      "Dirichlet \(short(alpha)) (per client, at least \(least) of each class)"
    case .shards(let perClient): "\(perClient) shards per client"
    case .quantity(.logNormal(let sigma), _): "log-normal sizes, σ \(short(sigma))"
    case .quantity(.powerLaw(let exponent), _): "power-law sizes, exponent \(short(exponent))"
    case .file: "partition from a file"
    case .natural: "natural clients"
    }
  }

  private var work: String {
    switch scenario.client.work {
    case .epochs(let epochs): "\(short(epochs)) local epoch\(epochs == 1 ? "" : "s")"
    case .steps(let steps): "\(steps) local steps"
    }
  }

  private var optimizer: String {
    let spec = scenario.client.optimizer
    let momentum =
      spec.kind == .sgd && spec.momentum > 0
      ? " momentum \(short(spec.momentum))\(spec.nesterov ? " (Nesterov)" : "")" : ""
    return "\(spec.kind.rawValue) \(short(spec.learningRate))\(momentum)"
  }

  private var model: String { text(of: scenario.model) }

  /// A network in words.
  func text(of spec: ModelSpec) -> String {
    let norm =
      switch spec.norm {
      case .none: ""
      case .group(let groups): ", group norm \(groups)"
      case .batch: ", batch norm"
      }
    return switch spec.kind {
    case .logistic: "logistic"
    case .mlp: "mlp " + spec.hidden.map(String.init).joined(separator: "-")
    case .vgg: "vgg width \(spec.width), \(spec.blocks) blocks\(norm)"
    default: "\(spec.kind.rawValue) width \(spec.width)\(norm)"
    }
  }

  private var localTests: String {
    let test = scenario.data.localTest
    return switch test.policy {
    case .priorWeighted: "prior-weighted (\(test.perClass) images per class)"
    case .matchClientLabels: "match-client-labels (clients share images)"
    case .holdout: "held out (\(short(test.holdoutShare)) of a client's images)"
    }
  }

  func short(_ value: Double) -> String { JSON.number(value).compact }
}
