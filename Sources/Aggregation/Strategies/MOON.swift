import Base
import Client
import Tensor

/// MOON: features that resemble the global model's more than the client's own of last time.
///
/// Li, He and Song, CVPR 2021, arXiv:2103.16257, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | w^t, w_i^{t−1} | `received`, `memory["previous"]` |
/// | z, z_glob, z_prev | `workspace.features`, the companion's features of either model |
/// | ℓ_con, equation 3 | `ModelContrast` |
/// | μ, τ | `weight`, `temperature` |
package struct MOON: BasedStrategy {
  package struct Fields: StrategyFields {
    let weight = Hyperparameter(
      "weight", "μ", in: 0...1e6, default: 1, "weight of the contrastive term",
      degenerate: (0, "fedavg"))
    let temperature = Hyperparameter(
      "temperature", "τ", above: 0, to: 1e6, default: 0.5, "divides the cosines")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "moon", title: "MOON",
    summary: "A contrastive term pulls local features to the global model's, off the last local's.",
    source: "Li et al., CVPR 2021, arXiv:2103.16257, equation 3 and algorithm 1",
    equations: [
      "ℓ_con = −log exp(cos(z, z_glob)/τ) / (exp(cos(z, z_glob)/τ) + exp(cos(z, z_prev)/τ))",
      "client: SGD on CE + μ·ℓ_con, z of w_k, z_glob of w, z_prev of its last local model",
      "otherwise FedAvg",
    ], messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "client: its last local model",
    notes: [
      "A client's first participation has no last model, and so no contrastive term.",
      "The other two models run in evaluation mode: no dropout, running statistics as they are.",
      "Published code uses μ from 0 to 5 and τ from 0.2 to 1; the paper's best μ is 5 on CIFAR-10 "
        + "and 1 on CIFAR-100.",
    ],
    deviations: [
      "The paper puts a two-layer projection of width 256 before the classifier. Here z is what "
        + "the scenario's network gives its classifier, so that all methods share one network."
    ], composes: .all, fields: Fields.all)

  /// There must be features that training moves.
  package static func objection(_ settings: Settings, to network: Network) -> (
    problem: String, hint: String
  )? {
    guard network.featuresSlot == 0 else { return nil }
    return (
      "moon compares features, and this network's classifier reads the images themselves",
      "choose a model with a hidden layer, such as mlp or cnn"
    )
  }

  /// CE + μ·ℓ_con.
  package struct Rule: LocalRule {
    package let loss: SoftmaxCrossEntropy?
    package let contrast: ModelContrast
    package let weight: Double
    package let received: [Float]
    let previous: [Float]
    package let companion: Workspace

    package static var adjustsGradient: Bool { false }
    package static var hasFeatureTerms: Bool { true }

    package mutating func addFeatureTerms(_ part: BatchPart) -> Double {
      let width = part.network.featureWidth
      let globals = features(of: received, part)
      let previous = features(of: previous, part)
      return weight
        * contrast.evaluate(
          features: UnsafeBufferPointer(rebasing: part.workspace.features[..<(part.count * width)]),
          globals: globals, previous: previous, width: width, weight: weight / Double(part.batch),
          addingTo: part.workspace.featuresGradient)
    }

    /// The features of another model for the very images of the batch, [count × d].
    private func features(of model: [Float], _ part: BatchPart) -> [Float] {
      companion.load(model)
      let pixels = part.count * part.network.input.count
      _ = companion.input.update(fromContentsOf: part.workspace.input[..<pixels])
      part.network.forward(companion, batch: part.count, training: false)
      return Array(companion.features[..<(part.count * part.network.featureWidth)])
    }
  }

  private static let previous = "previous"

  package let weight: Double
  package let contrast: ModelContrast
  package let base: FedAvg

  package init(_ settings: Settings, _ problem: LearningProblem) {
    weight = settings.weight
    contrast = ModelContrast(temperature: settings.temperature)
    base = FedAvg(problem)
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    guard weight > 0 else { return try base.train(&device, received: received, memory: &memory) }
    let update: ClientUpdate
    if let previous = memory[Self.previous], let companion = device.surroundings.makeCompanion() {
      let model = base.exchange.model(received, memory)
      device.workspace.load(model)
      var rule = Rule(
        loss: device.loss, contrast: contrast, weight: weight, received: model, previous: previous,
        companion: companion)
      let report = try device.train(&rule)
      companion.forget()
      base.exchange.remember(device, &memory)
      update = ClientUpdate(base.exchange.difference(device, from: received), report)
    } else {
      update = try base.train(&device, received: received, memory: &memory)
    }
    memory[Self.previous] = device.workspace.currentParameters
    return update
  }
}

/// ℓ_con of features against those of two other models: log(1 + exp((cos(z, p) − cos(z, g))/τ)).
///
/// All sums are in double precision. A feature of length 0 has cosine 0 with everything, and no
/// gradient.
package struct ModelContrast: Sendable {
  /// τ > 0.
  package let temperature: Double

  /// A loss at a temperature.
  package init(temperature: Double) { self.temperature = temperature }

  /// Σ ℓ_con over rows; adds weight·∂ℓ_con/∂z to a gradient.
  ///
  /// `features`, `globals`, `previous`: z, g and p, [rows × width].
  ///
  /// `gradient`: at least [rows × width], or nil when only the loss is wanted.
  ///
  /// - Complexity: O(rows · width).
  package func evaluate(
    features: UnsafeBufferPointer<Float>, globals: [Float], previous: [Float], width: Int,
    weight: Double = 1, addingTo gradient: UnsafeMutableBufferPointer<Float>? = nil
  ) -> Double {
    var total = 0.0
    for start in stride(from: 0, to: features.count, by: max(1, width)) {
      let row = start..<start + width
      var (zz, gg, pp, zg, zp) = (0.0, 0.0, 0.0, 0.0, 0.0)
      for i in row {
        let (z, g, p) = (Double(features[i]), Double(globals[i]), Double(previous[i]))
        zz += z * z
        gg += g * g
        pp += p * p
        zg += z * g
        zp += z * p
      }
      // 1/‖x‖, or 0: a vector without direction resembles nothing.
      let (iz, ig, ip) = (inverseRoot(zz), inverseRoot(gg), inverseRoot(pp))
      let (cosG, cosP) = (zg * iz * ig, zp * iz * ip)
      let margin = (cosP - cosG) / temperature
      total += margin > 0 ? margin + log1p(exp(-margin)) : log1p(exp(margin))
      guard let gradient else { continue }
      // ∂cos(z, x)/∂z = (x/‖x‖ − cos·z/‖z‖)/‖z‖.
      let slope = weight / (1 + exp(-margin)) / temperature * iz
      let along = (cosP - cosG) * iz
      for i in row {
        let (z, g, p) = (Double(features[i]), Double(globals[i]), Double(previous[i]))
        gradient[i] += Float(slope * (p * ip - g * ig - along * z))
      }
    }
    return total
  }

  private func inverseRoot(_ square: Double) -> Double { square > 0 ? 1 / square.squareRoot() : 0 }
}
