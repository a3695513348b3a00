import Aggregation
import Client
import Data
import Tensor

/// Whether a scenario has what a method needs, and what to know of the method there.
package struct MethodFit {
  /// Why a method cannot run.
  package struct Misfit: Sendable, Equatable {
    /// A code of the message catalogue.
    package let code: String
    package let problem: String
    package let hint: String?
  }

  package let type: any Strategy.Type
  package let settings: StrategySettings
  package let loss: LossSpec
  package let postHoc: PostHoc

  /// A method with its settings and what is composed with it.
  package init(
    _ type: any Strategy.Type, _ settings: StrategySettings, loss: LossSpec = .crossEntropy,
    postHoc: PostHoc = .none
  ) {
    self.type = type
    self.settings = settings
    self.loss = loss
    self.postHoc = postHoc
  }

  /// A strategy of a scenario; nil when nobody knows its kind.
  package init?(_ choice: Scenario.StrategyChoice) {
    guard let type = StrategyRegistry[choice.kind] else { return nil }
    self.init(type, choice.settings, loss: choice.loss, postHoc: choice.postHoc)
  }

  /// What the scenario lacks, whatever its network is.
  package func misfits(hasPublicSet: Bool, hasClientModels: Bool) -> [Misfit] {
    var all: [Misfit] = []
    let kind = type.info.kind
    if type.needs.contains(.publicSet), !hasPublicSet {
      all.append(
        Misfit(
          code: "E3321", problem: "\(kind) needs a public set, and data.public is not given",
          hint: "add \"public\": { \"size\": 1000 } to data"))
    }
    if hasClientModels, !type.needs.contains(.anyModels) {
      all.append(
        Misfit(
          code: "E3322",
          problem: "\(kind) needs one network for all clients, and clientModels gives others",
          hint: "leave clientModels out, or choose a method that serves different networks"))
    }
    return all
  }

  /// The network that the method makes of the scenario's.
  package func host(_ spec: ModelSpec, _ network: Network) throws(ModelError) -> Network {
    let base = BaseModel(spec: spec, input: network.input, classes: network.classes)
    return try type.adapt(settings, base)?.network ?? network
  }

  /// Why a network cannot host the method.
  package func misfit(_ spec: ModelSpec, _ network: Network) -> Misfit? {
    do throws(ModelError) {
      let host = try host(spec, network)
      if let objection = type.objection(settings, to: host) {
        return Misfit(code: "E3320", problem: objection.problem, hint: objection.hint)
      }
      guard case .logitAdjustment = postHoc, host.layout[host.classifier + ".bias"] == nil else {
        return nil
      }
      return Misfit(
        code: "E3320",
        problem: "postHoc logit-adjustment moves the classifier's bias, and a cosine has none",
        hint: "leave postHoc out, or take the classifier \"linear\"")
    } catch { return Misfit(code: "E3301", problem: error.message, hint: nil) }
  }

  /// What to know of the method on a network that can host it.
  package func cautions(_ spec: ModelSpec, _ network: Network) -> [(warning: String, hint: String)]
  {
    guard let host = try? host(spec, network), type.objection(settings, to: host) == nil else {
      return []
    }
    var all = type.cautions(settings, on: host)
    if host.layout[host.classifier + ".scale"] == nil,
      host.layout[host.classifier + ".bias"] == nil, spec.classifier == .cosine
    {
      if case .ldam = loss { return all }
      all.append(
        (
          "a cosine classifier's logits are between -1 and 1, and nothing scales them up",
          "take the loss ldam, which has a scale, or the classifier \"linear\""
        ))
    }
    return all
  }
}

extension DataSettings {
  /// Size and classes of the images that clients have, where the scenario alone says them.
  ///
  /// MNIST and its kin with ten classes have files without a prefix.
  package var knownImages: (shape: FeatureShape, classes: Int)? {
    let all: (FeatureShape, Int)
    let colour = FeatureShape(height: 32, width: 32, channels: 3)
    switch dataset {
    case .synthetic(let classes, _, _, _): all = (colour, classes)
    case .cifar10: all = (colour, 10)
    case .cifar100(_, let coarse): all = (colour, coarse ? 20 : 100)
    case .mnist(_, let prefix) where prefix.isEmpty:
      all = (FeatureShape(height: 28, width: 28, channels: 1), 10)
    case .mnist, .leaf, .npy: return nil
    }
    let images = resize?.shape(of: all.0) ?? all.0
    let classes = all.1 - (pretrain?.classes.count ?? 0)
    guard let features else { return (images, classes) }
    // Only their files know how large others are; what does not fit is said with the data.
    guard case .scattering = features.source, let shape = try? features.shape(of: images) else {
      return nil
    }
    return (shape, classes)
  }
}
