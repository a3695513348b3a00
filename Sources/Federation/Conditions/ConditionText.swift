import Accounting
import Aggregation
import Base
import Client
import Codecs
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
        + "(\(federation.sampling.words)), "
        + "\(work(scenario.client)), batch \(scenario.client.batch), "
        + "\(optimizer(scenario.client)), \(model) "
        + "(\(NumberText.fixed(Double(parameters) / 1e6, 3)) M parameters)",
      "local tests \(localTests); weighting \(federation.weighting.rawValue); shots by cumulative "
        + "share 75/95",
    ] + clientLines + setLines + systemLines + privacyLines + compressionLines
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

  private func work(_ client: ClientSettings) -> String {
    switch client.work {
    case .epochs(let epochs): "\(short(epochs)) local epoch\(epochs == 1 ? "" : "s")"
    case .steps(let steps): "\(steps) local steps"
    }
  }

  private func optimizer(_ client: ClientSettings) -> String {
    let spec = client.optimizer
    let momentum =
      spec.kind == .sgd && spec.momentum > 0
      ? " momentum \(short(spec.momentum))\(spec.nesterov ? " (Nesterov)" : "")" : ""
    return "\(spec.kind.rawValue) \(short(spec.learningRate))\(momentum)"
  }

  /// What a method's clients do otherwise than the scenario's, a line for each that has such.
  private var clientLines: [String] {
    let common = clientWords(scenario.client)
    return scenario.strategies.compactMap { choice in
      guard let own = choice.client else { return nil }
      let differing = zip(clientWords(own), common).filter { $0 != $1 }.map(\.0)
      return differing.isEmpty
        ? nil : "clients of \(choice.label): " + differing.joined(separator: ", ")
    }
  }

  /// All that a client does, a phrase for each setting, in one order.
  private func clientWords(_ client: ClientSettings) -> [String] {
    let spec = client.optimizer
    let moments =
      spec.kind == .sgd
      ? "" : ", moments \(short(spec.beta1)) \(short(spec.beta2)), epsilon \(short(spec.epsilon))"
    return [
      work(client), "batch \(client.batch)", optimizer(client) + moments,
      "weight decay \(short(spec.weightDecay))",
      text(of: client.schedule, of: "rate"), "\(client.order.rawValue) examples",
    ]
  }

  /// How a number moves from round to round.
  private func text(of schedule: LearningRateSchedule, of what: String) -> String {
    let words =
      switch schedule.shape {
      case .constant: "constant \(what)"
      case .step(let every, let factor): "\(what) times \(short(factor)) every \(every) rounds"
      case .cosine(let floor): "cosine \(what) down to \(NumberText.percent(floor)) %"
      }
    let warmup = schedule.warmupRounds
    return words + (warmup > 0 ? " after \(warmup) rounds of warm-up" : "")
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
    let weights = spec.standardisesWeights ? ", weight standardisation" : ""
    return switch spec.kind {
    case .logistic: "logistic"
    case .sequential:
      "sequential " + spec.layers.map(text).joined(separator: ", ") + norm + weights
    case .mlp: "mlp " + spec.hidden.map(String.init).joined(separator: "-")
    case .vgg: "vgg width \(spec.width), \(spec.blocks) blocks\(norm)\(weights)"
    default: "\(spec.kind.rawValue) width \(spec.width)\(norm)\(weights)"
    }
  }

  private func text(of layer: ModelSpec.Layer) -> String {
    func window(_ window: ModelSpec.Window) -> String {
      "\(window.kernel)x\(window.kernel)"
        + (window.stride == 1 ? "" : " stride \(window.stride)")
        + (window.padding == 0 ? "" : " padding \(window.padding)")
    }
    return switch layer {
    case .convolution(let channels, let size): "conv \(channels) \(window(size))"
    case .maximum(let size): "max \(window(size))"
    case .average(let size): "mean \(window(size))"
    case .globalAverage: "global mean"
    case .dense(let units): "dense \(units)"
    case .dropout(let rate): "dropout \(short(rate))"
    }
  }

  private var localTests: String {
    let test = scenario.data.localTest
    let images =
      switch test.policy {
      case .priorWeighted: "prior-weighted (\(test.perClass) images per class)"
      case .matchClientLabels: "match-client-labels (clients share images)"
      case .holdout: "held out (\(short(test.holdoutShare)) of a client's images)"
      }
    return images + (test.isMasked ? ", predictions among a client's own classes" : "")
  }

  func short(_ value: Double) -> String { JSON.number(value).compact }
}

/// Codecs and memories in words.
extension ConditionText {
  /// One line when all strategies have the same compression, else one for each that has some.
  var compressionLines: [String] {
    let choices = scenario.strategies
    guard choices.contains(where: { $0.compression?.isInert == false }) else { return [] }
    if let common = choices.first?.compression, choices.allSatisfy({ $0.compression == common }) {
      return [text(of: common)]
    }
    return choices.compactMap { choice in
      guard let settings = choice.compression, !settings.isInert else { return nil }
      return "\(choice.label): \(text(of: settings))"
    }
  }

  private func text(of settings: CompressionSettings) -> String {
    let links = [("uplink", settings.uplink), ("downlink", settings.downlink)]
    return links.compactMap { name, link in link.map { "\(name): \(text(of: $0))" } }.joined(
      separator: "; ")
  }

  private func text(of link: LinkCompression) -> String {
    var words = text(of: link.codec)
    switch link.memory {
    case .none: break
    case .errorFeedback: words += " + error feedback"
    case .estimates: words += " + EF21"
    case .deepGradient(let deep):
      words = "deep gradient compression, \(words), momentum \(amount(Double(deep.rule.momentum)))"
    case .factors: words += ", the mean's factors"
    case .shadow: words += ", changes of a shared model"
    }
    if let layerwise = link.layerwise { words += ", by layer every \(layerwise.every) rounds" }
    return words
  }

  private func text(of codec: CodecSpec) -> String {
    switch codec {
    case .dense(let format): "dense \(format)"
    case .sparse(let sparse):
      switch sparse.selection {
      case .top(.density(let share)), .sampled(let share):
        "top-k \(amount(100 * share)) % \(sparse.values)"
      case .topBlocks(.density(let share), let length):
        "top blocks of \(length), \(amount(100 * share)) % \(sparse.values)"
      case .top(.count(let k)), .topBlocks(.count(let k), _): "top-\(k) \(sparse.values)"
      case .threshold(let tau): "from \(amount(Double(tau))) on, \(sparse.values)"
      }
    case .randomK(let random):
      if case .density(let share) = random.amount {
        "random-k \(amount(100 * share)) %"
      } else {
        "random-k"
      }
    case .integer(let integer): "\(integer.bits)-bit integers"
    case .qsgd(let qsgd): "QSGD with \(qsgd.levels) levels"
    case .natural: "powers of two"
    case .sign: "signs"
    case .ternary: "ternary"
    case .lowRank(let lowRank): "rank \(lowRank.rank)"
    case .empty: "nothing"
    }
  }

  private func amount(_ value: Double) -> String { NumberText.fixed(value, value < 1 ? 2 : 0) }
}

/// Privacy in words: what is protected, how, under which assumptions.
extension ConditionText {
  /// One line when all strategies have the same privacy, else one for each that has some.
  var privacyLines: [String] {
    let choices = scenario.strategies
    guard choices.contains(where: { $0.privacy != nil }) else { return [] }
    if let common = choices.first?.privacy, choices.allSatisfy({ $0.privacy == common }) {
      return ["privacy: \(text(of: common))"]
    }
    return choices.compactMap { choice in
      choice.privacy.map { "privacy of \(choice.label): \(text(of: $0))" }
    }
  }

  /// A section of the scenario in words.
  private func text(of privacy: PrivacySettings) -> String {
    if privacy.isInert { return "none (nothing is clipped, no noise)" }
    var words: [String]
    switch privacy.unit {
    case .example(let mechanism): words = text(of: mechanism, privacy)
    case .client(let mechanism): words = text(of: mechanism, privacy)
    }
    if let sigma = privacy.noiseMultiplier { words.append("noise multiplier \(short(sigma))") }
    if let target = privacy.target {
      let of = target.isPerClient ? " for each client" : ""
      let kind = privacy.noiseMultiplier == nil ? "target" : "budget"
      words.append("\(kind) epsilon \(short(target.epsilon))\(of)")
    }
    if let schedule = privacy.clipSchedule { words.append(text(of: schedule, of: "clip")) }
    words.append("delta \(short(privacy.delta))")
    return words.joined(separator: ", ")
  }

  private func text(of mechanism: PrivacySettings.ExampleMechanism, _ privacy: PrivacySettings)
    -> [String]
  {
    var words = ["examples, add/remove neighbours, Poisson batches of client.batch expected"]
    if let feedback = mechanism.errorFeedback {
      let cap = feedback.cap.map { ", cap \(short($0))" } ?? ""
      words.append(
        "DiceSGD with clip \(short(privacy.clip)), rho \(short(feedback.ratio))\(cap), accounting "
          + (mechanism.accounting == .paper ? "as published, not independently verified" : "strict")
      )
    } else {
      words.append("DP-SGD with \(mechanism.clipping.rawValue) clip \(short(privacy.clip))")
    }
    if mechanism.copies > 1 { words.append("\(mechanism.copies) augmented copies") }
    return words
  }

  private func text(of mechanism: PrivacySettings.ClientMechanism, _ privacy: PrivacySettings)
    -> [String]
  {
    var words = ["clients"]
    switch mechanism.kind {
    case .plain: words.append("clipped updates")
    case .clientErrorFeedback: words.append("clipped updates with error feedback at clients")
    case .serverErrorFeedback(let ratio, _):
      words.append(
        "DiceSGD on updates, rho \(short(ratio)), accounting as published, not independently "
          + "verified")
    }
    let clip = mechanism.adaptive == nil ? "clip" : "adaptive clip, first"
    words.append("\(clip) \(short(privacy.clip))")
    words.append("\(mechanism.noise.rawValue) noise: \(mechanism.placement.rawValue)")
    if let correlation = mechanism.correlation {
      let bands = correlation.bands.map { ", \($0) bands" } ?? ""
      words.append("correlated over rounds (\(correlation.kind.rawValue)\(bands))")
    }
    if mechanism.placement == .local { words.append("replace-one neighbours") }
    if let population = mechanism.assumedPopulation {
      words.append("assumed population \(population)")
    }
    return words
  }
}

/// What a scenario does with images and clients beyond splitting them; nothing where it does not.
extension ConditionText {
  /// Images' size, held-out images, pre-training, styles and groups of clients, a line each.
  var setLines: [String] {
    [resize, features, heldOut, validation, average, unseen, pretraining, styles, groups].compactMap
    { $0 }
  }

  private var resize: String? {
    scenario.data.resize.map { "images resized to \($0.height)×\($0.width) (bilinear, antialias)" }
  }

  private var validation: String? {
    let evaluation = scenario.evaluation
    guard let share = evaluation.validation else { return nil }
    var text = "validation: \(NumberText.percent(share)) % of each client's images"
    if evaluation.best { text += "; results are those of the best round by them" }
    if let patience = evaluation.patience {
      text += "; a run ends after \(patience) evaluations without a better one"
    }
    guard evaluation.best || evaluation.patience != nil else { return text }
    return text + " (\(evaluation.selectBy?.rawValue ?? "balanced accuracy, else personal"))"
  }

  private var average: String? {
    scenario.evaluation.averageDecay.map {
      "measured as generic models: their exponential moving averages over rounds, decay "
        + "\(short($0)), min(t/(9 + t), decay) in round t"
    }
  }

  private var unseen: String? {
    scenario.evaluation.unseen.map { unseen in
      "unseen: \(unseen.clients) further clients, in no cohort; with personal models "
        + "measured after \(unseen.rounds) local round\(unseen.rounds == 1 ? "" : "s")"
    }
  }

  private var features: String? {
    scenario.data.features.map { features in
      let words =
        switch features.source {
        case .scattering(let orders):
          "scattering transform of \(orders) order\(orders == 1 ? "" : "s")"
        case .npy: "arrays of another program"
        }
      let norm = features.groups.map { ", normalised in \($0) groups of channels" } ?? ""
      let release = features.standardisation.map {
        ", standardised by sums that clients clip to \(short($0.clipMeans)) and "
          + "\(short($0.clipSquares)) and release with noise of \(short($0.noiseMultiplier)) clips"
      }
      return "features in place of images: \(words)\(norm)\(release ?? "")"
    }
  }

  private var heldOut: String? {
    var parts: [String] = []
    if !split.publicIndices.isEmpty { parts.append("\(split.publicIndices.count) public images") }
    if !split.pretrainIndices.isEmpty {
      parts.append("\(split.pretrainIndices.count) for pre-training")
    }
    guard !parts.isEmpty else { return nil }
    let text = "held out first, class-balanced: " + parts.joined(separator: ", ")
    guard let largest = split.longTailCounts?.max() else { return text }
    return text + "; the long tail starts at \(largest) images of the rest"
  }

  private var pretraining: String? {
    guard let settings = scenario.pretrain else { return nil }
    let source =
      switch settings.source {
      case .images(let count): "\(count) images"
      case .classes(let list):
        "classes " + list.map(String.init).joined(separator: ", ")
          + " of the data set, which clients do not know"
      }
    let rate = "\(settings.optimizer.kind.rawValue) \(short(settings.optimizer.learningRate))"
    let others = scenario.strategies.filter { !scenario.isPretrained($0) }.map(\.label)
    return "pre-trained on \(source): \(settings.epochs) epochs, batch \(settings.batch), \(rate), "
      + "seed \(settings.seed)"
      + (others.isEmpty ? "" : "; from model.init start " + others.joined(separator: ", "))
  }

  private var styles: String? {
    guard let styles = scenario.data.styles else { return nil }
    let names = styles.kinds.map(\.rawValue).joined(separator: ", ")
    return "image styles \(names): \(styles.perClient) per client, all of them in the test images"
  }

  private var groups: String? {
    guard !scenario.clientModels.isEmpty else { return nil }
    let parts = scenario.clientModels.map { group in
      let last = group.clients.upperBound - 1
      return "\(group.clients.lowerBound)-\(last) \(text(of: group.model))"
    }
    return "models of clients " + parts.joined(separator: "; ")
  }
}

/// Devices and links in words.
extension ConditionText {
  /// One line with a section `system`; nothing without it.
  var systemLines: [String] {
    guard let system = scenario.system else { return [] }
    let network = system.network
    var parts = [
      "virtual time: \(compute(system.compute))",
      "\(short(network.up)) bit/s up and \(short(network.down)) down"
        + (network.sigma > 0 ? " (log-normal, σ \(short(network.sigma)))" : "")
        + ", latency \(short(network.latency)) s",
    ]
    switch system.availability {
    case .always: break
    case .rate(let rate): parts.append("\(NumberText.percent(rate)) % of clients there")
    case .trace: parts.append("availability from a file")
    }
    if system.dropout > 0 { parts.append("dropout \(NumberText.percent(system.dropout)) %") }
    if system.loss > 0 { parts.append("loss \(NumberText.percent(system.loss)) %") }
    if let deadline = system.deadline {
      let stragglers = system.stragglers == .partial ? " (partial work)" : ""
      parts.append("deadline \(short(deadline)) s\(stragglers)")
    }
    if system.overSelection > 1 { parts.append("over-selection \(short(system.overSelection))") }
    return [parts.joined(separator: "; ")]
  }

  private func compute(_ law: SystemSettings.Compute) -> String {
    switch law {
    case .constant(let speed): "devices of \(short(speed)) FLOP/s"
    case .logNormal(let median, let sigma):
      "devices of \(short(median)) FLOP/s (log-normal, σ \(short(sigma)))"
    case .zipf(let median, let exponent):
      "devices of \(short(median)) FLOP/s (Zipf, exponent \(short(exponent)))"
    case .table: "devices from a file"
    case .values: "devices from a table"
    }
  }
}
