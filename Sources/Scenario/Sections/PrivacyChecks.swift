import Accounting
import Aggregation
import Base
import Client
import Data
import Tensor

/// Checks of `privacy` against methods, models and sampling.
extension ScenarioChecks {
  /// Privacy that its section alone shows to be wrong.
  mutating func checkPrivacy(at path: String) {
    guard let unit = text("\(path).unit"), unit != "none" else { return }
    if lines["\(path).noiseMultiplier"] == nil, lines["\(path).target"] == nil {
      error(
        "E3330", path, "found neither a noise multiplier nor a target",
        hint: "give \"noiseMultiplier\": 1 or \"target\": { \"epsilon\": 8 }")
    }
    if let clip = number("\(path).clip"), let cap = number("\(path).errorCap"), cap < clip {
      error(
        "E3331", "\(path).errorCap",
        "found \(JSON.number(cap).compact), below the clip \(JSON.number(clip).compact)",
        hint: "give at least the clip, such as four times it")
    }
    if text("\(path).accounting") == "strict", number("\(path).errorCap") == nil {
      error(
        "E3331", "\(path).accounting",
        "strict accounting needs a bound on what one example leaves in the error",
        hint: "give errorCap, such as four times the clip, or take \"paper\"")
    }
    checkClipSchedule(at: path)
    checkDeltas(at: path)
    if unit == "client" { checkClientPrivacy(at: path) }
  }

  /// A clip that moves by a schedule moves by nothing else, and no bound on an error rests on it.
  private mutating func checkClipSchedule(at path: String) {
    guard lines["\(path).clipSchedule"] != nil else { return }
    let mechanism = text("\(path).mechanism") ?? ""
    if ["dice-sgd", "error-feedback"].contains(mechanism) {
      error(
        "E3332", "\(path).clipSchedule",
        "\"\(mechanism)\" gives back what the clip took away: its clip stays as it is",
        hint: "leave clipSchedule out")
    }
    if text("\(path).clipping") == "adaptive" {
      error(
        "E3332", "\(path).clipSchedule", "an adaptive clip moves by the norms alone",
        hint: "leave clipSchedule out, or take the clipping \"flat\"")
    }
  }

  /// One δ: an ε has no meaning with two.
  private mutating func checkDeltas(at path: String) {
    guard lines["\(path).target"] != nil, let outer = number("\(path).delta"),
      let inner = number("\(path).target.delta"), outer != inner,
      lines["\(path).delta", default: 0] != 0 || outer != 1e-5
    else { return }
    error(
      "E3372", "\(path).target.delta",
      "found \(JSON.number(inner).compact), and \(JSON.number(outer).compact) in \(path).delta; a "
        + "run has one delta", hint: "give one of them")
  }

  private mutating func checkClientPrivacy(at path: String) {
    let placement = text("\(path).placement") ?? "server"
    let isDice = text("\(path).mechanism") == "dice-sgd"
    if placement != "server", isDice {
      error(
        "E3332", "\(path).placement",
        "found \"\(placement)\"; the server's error feedback needs clipped updates at the server",
        suggestion: "\"server\"",
        hint: "the mechanism \"error-feedback\" keeps errors at the clients")
    }
    if text("\(path).clipping") == "adaptive", placement != "server" || isDice {
      error(
        "E3332", "\(path).clipping",
        "found \"adaptive\"; the server can follow the norms only where it clips and adds noise",
        suggestion: "\"flat\"")
    }
    checkCorrelation(at: path, placement: placement, isDice: isDice)
    if text("federation.weighting") == "samples", lines["federation.weighting"] != 0 {
      warn(
        "W3031", path,
        "updates count alike under client-level privacy, whatever federation.weighting says")
    }
  }

  /// Correlated noise against the rest of its section.
  private mutating func checkCorrelation(at path: String, placement: String, isDice: Bool) {
    guard text("\(path).correlation.kind") != nil else { return }
    func refuse(_ field: String, _ found: String, _ reason: String, _ suggestion: String) {
      error(
        "E3336", "\(path).\(field)", "found \"\(found)\" with correlated noise: \(reason)",
        suggestion: "\"\(suggestion)\"", hint: "leave correlation out, or take the suggestion")
    }
    if placement != "server" {
      refuse(
        "placement", placement,
        "what one round adds a later one takes back, and only the server is there in both", "server"
      )
    }
    if let noise = text("\(path).noise"), noise != "gaussian" {
      refuse(
        "noise", noise, "sums of rounds are weighted with fractions, which leave the grid",
        "gaussian")
    }
    if text("\(path).clipping") == "adaptive" {
      refuse(
        "clipping", "adaptive",
        "noise for one clip is taken back under another, and the sensitivity over rounds is in "
          + "units of one clip", "flat")
    }
    if isDice {
      refuse(
        "mechanism", "dice-sgd",
        "the server's error carries a client into rounds that it has no part in", "dp-fedavg")
    }
  }

  /// Privacy against the methods and the network; the scenario is valid otherwise.
  mutating func checkPrivateMethods(_ scenario: Scenario) {
    for method in scenario.methods {
      guard let settings = method.choice.privacy, !settings.isInert else { continue }
      if settings.exampleLevel != nil {
        checkExampleLevel(method)
        checkShares(settings, method)
      }
      if let mechanism = settings.clientLevel {
        checkClientLevel(mechanism, settings, method)
        checkScales(method)
      }
      let audit = ReleaseAudit(
        method.type, method.choice.settings, loss: method.choice.loss, settings: settings,
        normalization: scenario.data.normalize)
      if let sentence = audit.sentence {
        warn("W3032", method.path, "\(method.label): \(sentence)")
      }
      if settings.noiseMultiplier == 0 {
        warn("W3033", method.path, "\(method.label): no noise, so no epsilon")
      }
    }
  }

  private mutating func checkExampleLevel(_ method: CheckedMethod) {
    let scenario = method.scenario
    let models =
      [("model", scenario.model)]
      + scenario.clientModels.enumerated().map { ("clientModels[\($0)].model", $1.model) }
    for (place, model) in models where model.norm == .batch {
      error(
        "E3333", method.path,
        "example-level privacy cannot use batch normalisation (\(place).norm): statistics mix "
          + "examples, so no gradient is one example's",
        hint: "set \(place).norm to \"group\", or privacy.unit to \"client\"")
    }
  }

  private mutating func checkClientLevel(
    _ mechanism: PrivacySettings.ClientMechanism, _ settings: PrivacySettings,
    _ method: CheckedMethod
  ) {
    let (scenario, type) = (method.scenario, method.type)
    if type.population == .pooled {
      error(
        "E3332", method.path,
        "\(type.info.kind) has one site with everybody's examples: no client to protect",
        hint: "set privacy.unit to \"example\", or this strategy's privacy to \"none\"")
    }
    if !type.sumsUploads, mechanism.placement != .local {
      error(
        "E3332", method.path,
        "\(type.info.kind) looks at each client's upload; noise on their sum protects none of them",
        hint: "set privacy.placement to \"local\"")
    }
    if mechanism.adaptive != nil, let sigma = settings.noiseMultiplier {
      let size = scenario.federation.expectedCohort
      let deviation = CountNoise.deviation(cohort: size)
      if CountNoise.updateMultiplier(sigma, countDeviation: deviation) == nil {
        error(
          "E3332", method.path,
          "the noise multiplier \(JSON.number(sigma).compact) is too large for an adaptive clip: "
            + "counting \(JSON.number(size).compact) clients alone costs more privacy",
          hint: "take less than \(JSON.number(size / 10).compact), or the clipping \"flat\"")
      }
    }
    checkSchedule(mechanism, method)
    let population = mechanism.assumedPopulation ?? scenario.federation.clients
    if settings.delta >= 1 / Double(population) {
      warn(
        "W3034", method.path,
        "delta \(JSON.number(settings.delta).compact) is not below 1 / \(population) clients")
    }
  }
}

/// How often a client takes part, against noise that counts on it.
extension ScenarioChecks {
  /// Correlated noise, and any noise under a schedule, against sampling and rounds.
  private mutating func checkSchedule(
    _ mechanism: PrivacySettings.ClientMechanism, _ method: CheckedMethod
  ) {
    let federation = method.scenario.federation
    if case .serverErrorFeedback = mechanism.kind, federation.sampling.isScheduled {
      error(
        "E3336", method.path,
        "\(method.label): federation.sampling \"\(federation.sampling.word)\" counts a client's "
          + "own rounds, and the server's error of dice-sgd carries it into all others",
        hint: "take another mechanism, or federation.sampling \"poisson\"")
    }
    guard let correlation = mechanism.correlation else { return }
    func refuse(_ reason: String, _ hint: String) {
      error("E3336", method.path, "\(method.label): correlated noise \(reason)", hint: hint)
    }
    switch federation.sampling {
    case .uniform where federation.uniformCohort >= federation.clients: break
    case .uniform, .poisson:
      refuse(
        "has no accountant under federation.sampling \"\(federation.sampling.word)\", where a "
          + "client may come back at once",
        "take \"separated\" with a separation, or \"cyclic-poisson\" with groups")
    case .powerOfChoice, .oort: break  // refused for any privacy
    case .separated: break
    case .cyclicPoisson(let groups):
      if correlation.kind == .bandedInverse, correlation.bands != 1 {
        refuse(
          "\"banded-inverse\" has a full strategy matrix, and no amplification by cyclic Poisson "
            + "sampling is known for it", "take \"banded\", or federation.sampling \"separated\"")
      } else if let bands = correlation.bands, bands > groups {
        refuse(
          "of \(bands) bands needs at least as many groups; federation.sampling has \(groups)",
          "take at most \(groups) bands")
      } else if correlation.bands == nil {
        refuse(
          "needs its number of bands under \"cyclic-poisson\", where the best depends on epsilon",
          "fedsim privacy noise --mechanism banded --sampling cyclic … finds it")
      }
    }
    let rounds = federation.rounds
    if rounds > ToeplitzStrategy.mostRounds {
      refuse(
        "is a sum over all rounds before; \(rounds) are too many",
        "take at most \(ToeplitzStrategy.mostRounds) rounds")
    } else if let bands = correlation.bands, bands > max(1, rounds) {
      refuse("has \(bands) bands in \(rounds) rounds", "take at most as many bands as rounds")
    }
  }
}

extension ScenarioChecks {
  /// Clients' sizes against δ and the batch, where the mean size is known: somebody has at least
  /// as many images, and somebody at most as many.
  private mutating func checkShares(_ settings: PrivacySettings, _ method: CheckedMethod) {
    let scenario = method.scenario
    guard let images = trainingImages else { return }
    let units = method.type.population == .pooled ? 1 : scenario.federation.clients
    let share = Double(images) / Double(units)
    if settings.delta * share >= 1 {
      warn(
        "W3034", method.path,
        "\(method.label): delta \(JSON.number(settings.delta).compact) is not below 1 / n of a "
          + "client with the mean of n = \(NumberText.fixed(share, 0)) images")
    }
    if Double(method.client.batch) > share {
      warn(
        "W3038", method.path,
        "\(method.label): sums are divided by the batch of \(method.client.batch) that is "
          + "expected of everybody; clients with fewer images, such as the mean of "
          + "\(NumberText.fixed(share, 0)), take smaller steps",
        hint: "lower client.batch, or raise the learning rate")
    }
  }

  /// What is clipped together has one scale, and what counts is no part of it.
  private mutating func checkScales(_ method: CheckedMethod) {
    let (choice, type) = (method.choice, method.type)
    if !type.sendsUploads, type.population == .cohort {
      warn(
        "W3037", method.path,
        "\(choice.label): its clients send nothing, so there is nothing to clip, no noise, and no "
          + "epsilon is spent")
    }
    let releases = type.disclosures(choice.settings).filter { $0.scale != .none }
    if let count = releases.first(where: { $0.scale == .count }) {
      error(
        "E3370", method.path,
        "\(choice.kind) sends the count \"\(count.block)\" beside its update: clipped and noised "
          + "as one vector, noise would decide how far the server moves",
        hint: "take fedavg or scaffold, or privacy.unit \"example\"")
      return
    }
    let mixed = releases.first { $0.scale == .mixed }
    let foreign = releases.last { release in
      if case .examples = release.origin { return releases.count > 1 }
      return false
    }
    if let block = mixed ?? foreign {
      var what = block.block
      if case .examples(let words) = block.origin {
        what += "\" (" + words + ")"
      } else {
        what += "\""
      }
      error(
        "E3370", method.path,
        "\(choice.kind) sends \"\(what): no one clip fits all that is sent, and the noise for the "
          + "largest would drown the rest",
        hint: "take another method, or privacy.unit \"example\", which covers training steps alone")
      return
    }
    if Set(releases.map(\.scale)).count > 1 {
      let names = releases.map { "\"\($0.block)\" (\($0.scale.rawValue))" }
      warn(
        "W3036", method.path,
        "\(choice.label): \(names.joined(separator: " and ")) are clipped and noised as one "
          + "vector; the one with the larger numbers takes most of the clip")
    }
  }
}

extension Strategy {
  /// Whether uploads reach the method as a sum alone.
  static var sumsUploads: Bool { Combination.self == WeightedMean.self }
}
