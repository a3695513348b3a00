import Aggregation
import Base
import Client
import Data
import Federation
import Records
import Scenario
import Tensor

/// Membership of the audited model by comparison with models of shadow runs, which an attacker
/// makes with about half of the images each.
///
/// Shadow runs come in pairs: what the first leaves out the second takes, so that half of them
/// have never seen an image. Test images have seats in the same pairs, and no shadow is trained on
/// them; so both are scored against as many models that do not know them (the offline attack).
///
/// - `lira`: Λ = (φ − μ)/σ, φ the logit of the label's probability under the audited model, μ its
///   mean under shadows without the image, one σ for all images, pooled (Carlini et al. 2022).
/// - `rmia`: the share of test images z with [p_x/p̄(x)]/[p_z/p̄(z)] ≥ γ, where
///   p̄ = ½((1 + a)·p̄_out + 1 − a), γ = 2, a = 0.3 (Zarifzadeh, Liu and Shokri 2024).
///
/// - Source: arXiv:2112.03570; arXiv:2312.03262, of which a and γ are the values recalled.
struct ShadowAttack {
  let context: RunContext
  let choice: Scenario.StrategyChoice
  let model: [Float]
  let sample: MembershipSample
  /// Shadow runs, an even number of at least 2.
  let shadows: Int

  /// γ and a of `rmia`.
  static let ratio = 2.0
  static let offset = 0.3

  /// Rows of both attacks.
  ///
  /// - Parameters:
  ///   - bounds: what the accountant allows at 0.1 % and 1 % false positives; nil without claim.
  ///   - note: called before each shadow run.
  /// - Returns: nil when a shadow run diverged or its method has no model for everybody.
  /// - Throws: what making a simulation throws.
  func rows(bounds: [Double?], note: (String) -> Void) throws(Failure) -> [MembershipRow]? {
    let (members, others) = (sample.members, sample.others)
    var inside: [[Double]] = []
    var outside: [[Double]] = []
    for shadow in 0..<shadows {
      note("\(choice.label) seed \(context.seed), shadow run \(shadow + 1) of \(shadows)")
      guard let model = try train(shadow) else { return nil }
      inside.append(sample.confidences(model, context.train, members))
      outside.append(sample.confidences(model, context.test, others))
    }
    let target = (
      members: sample.confidences(model, context.train, members),
      others: sample.confidences(model, context.test, others)
    )
    let known = members.indices.map { place in
      without(members[place], isTest: false).map { inside[$0][place] }
    }
    let unknown = others.indices.map { place in
      without(others[place], isTest: true).map { outside[$0][place] }
    }
    let lira = Self.lira(target.members + target.others, known + unknown)
    let rmia = Self.rmia(target.members + target.others, known + unknown, members.count)
    let count = members.count
    return [("lira", lira), ("rmia", rmia)].flatMap { name, scores in
      // Members score low in what follows.
      sample.rows(
        name, members: scores[..<count].map { -$0 }, others: scores[count...].map { -$0 },
        bounds: bounds)
    }
  }

  // MARK: - Shadow runs

  /// Whether a shadow run has an image, or a test image its seat.
  private func has(_ shadow: Int, _ image: Int, isTest: Bool) -> Bool {
    var stream = RandomStream(
      seed: context.seed, .audit, round: shadow / 2 + 1, client: image, step: isTest ? 8 : 7)
    return (stream.uniform() < 0.5) == (shadow % 2 == 0)
  }

  private func without(_ image: Int, isTest: Bool) -> [Int] {
    (0..<shadows).filter { !has($0, image, isTest: isTest) }
  }

  /// The model of a shadow run at its end; nil when there is none.
  private func train(_ shadow: Int) throws(Failure) -> [Float]? {
    let clients = context.split.clients.map { images in
      let kept = images.filter { has(shadow, $0, isTest: false) }
      return kept.isEmpty ? Array(images.prefix(1)) : kept
    }
    let seed = RandomStream(seed: context.seed, .audit, round: shadow + 1, step: 9).key
    let simulation = try Experiment.simulation(
      of: choice, context.shadow(seed: seed, clients: clients))
    while simulation.round < context.scenario.federation.rounds {
      do throws(RoundFailure) { _ = try simulation.runRound() } catch { return nil }
    }
    return simulation.genericModel()
  }

  // MARK: - Scores

  /// Λ of each image, high for members.
  ///
  /// - Parameters:
  ///   - target: φ under the audited model.
  ///   - out: φ under each shadow that does not know the image, at least one.
  /// - Returns: (φ − μ)/σ; σ = 1 where no image has two shadows or they agree.
  static func lira(_ target: [Double], _ out: [[Double]]) -> [Double] {
    var (squares, freedom) = (0.0, 0)
    let means = out.map(Metrics.mean)
    for (values, mean) in zip(out, means) where values.count > 1 {
      squares += values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      freedom += values.count - 1
    }
    let spread = freedom > 0 ? (squares / Double(freedom)).squareRoot() : 1
    let sigma = spread > 0 && spread.isFinite ? spread : 1
    return zip(target, means).map { ($0 - $1) / sigma }
  }

  /// The share of the population that each image is likelier than by γ, high for members.
  ///
  /// - Parameters:
  ///   - target: φ under the audited model, of members and then of others.
  ///   - out: φ under each shadow that does not know the image.
  ///   - members: how many are members; the others are the population, in which none is twice as
  ///     likely as itself.
  /// - Returns: a number in [0, 1] for each image.
  static func rmia(_ target: [Double], _ out: [[Double]], _ members: Int) -> [Double] {
    func probability(_ phi: Double) -> Double { 1 / (1 + exp(-phi)) }
    let ratios = zip(target, out).map { phi, values in
      let outside = Metrics.mean(values.map(probability))
      return probability(phi) / (0.5 * ((1 + offset) * outside + 1 - offset))
    }
    let population = ratios[members...].sorted()
    return ratios.indices.map { place in
      let most = ratios[place] / ratio
      var (low, high) = (0, population.count)
      while low < high {
        let middle = (low + high) / 2
        if population[middle] <= most { low = middle + 1 } else { high = middle }
      }
      return population.isEmpty ? 0 : Double(low) / Double(population.count)
    }
  }
}
