import Aggregation
import Base
import Data
import Tensor

/// A field that changes nothing where another one, or the method, has a certain value.
///
/// The table below is all that knows of such fields: whoever finds one more adds a row.
struct InertField {
  /// What a row looks at.
  struct Context {
    let checks: ScenarioChecks
    let method: CheckedMethod
    /// The network that the scenario alone gives; nil where its data decide.
    let network: Network?
    /// Where the row's section stands: a link of a compression, or a strategy; empty for the root.
    let place: String

    var scenario: Scenario { method.scenario }
    var choice: Scenario.StrategyChoice { method.choice }
    var type: any Strategy.Type { method.type }

    func number(_ name: String) -> Double? { checks.number(place + name) }
    func text(_ name: String) -> String? { checks.text(place + name) }
    func truth(_ name: String) -> Bool? { checks.values[place + name]?.truth }
  }

  /// Where the field may stand.
  enum Place {
    /// At this path, for all strategies.
    case root
    /// In each strategy.
    case strategy
    /// In each link of each compression.
    case link
  }

  let place: Place
  /// The path below its place.
  let path: String
  /// The value that asks for nothing: it is never complained about.
  var neutral: JSON?
  /// Why the field changes nothing there; nil where it does.
  let reason: @Sendable (Context) -> String?

  static let table = methods + rounds + links

  /// What a method has no use for.
  private static let methods = [
    InertField(place: .root, path: "federation.weighting", neutral: "samples") { context in
      if context.type.population == .pooled { return "there is one site, and no mean of updates" }
      if context.choice.privacy?.clientLevel != nil {
        return "client-level privacy counts all clients alike"
      }
      if context.type.weighting == .uniform
        || context.choice.settings["weighting"] == .choice("uniform")
      {
        return "uploads count alike, as in the paper"
      }
      return nil
    },
    InertField(place: .root, path: "federation.sampling", neutral: "uniform") { context in
      let sampling = context.scenario.federation.sampling
      if context.type.population == .pooled, sampling.readsLosses {
        return "there is one site: it draws no cohort by losses"
      }
      if context.type.needs.contains(.clock), sampling == .poisson || sampling.isScheduled {
        return "an asynchronous method draws who starts next among idle clients"
      }
      return nil
    },
    InertField(place: .root, path: "system") { context in
      context.type.population == .pooled ? "there is one site, without devices and links" : nil
    },
    InertField(place: .root, path: "system.network") { context in
      context.type.population == .cohort && context.type.disclosures.isEmpty
        ? "nothing is sent" : nil
    },
    population(.root), population(.strategy), correlation(.root), correlation(.strategy),
    InertField(place: .strategy, path: "pretrained") { context in
      context.scenario.pretrain == nil ? "there is no model.pretrain" : nil
    },
    InertField(place: .root, path: "model.pretrain") { context in
      context.scenario.pretrain == nil || context.scenario.usesPretraining
        ? nil : "pretrained is false"
    },
    listed("model.weightStandardisation", neutral: false) { !$0.hasConvolutions },
    listed("model.norm", neutral: "none") { $0.norm != .none && !$0.hasConvolutions },
    listed("model.activation", neutral: "relu") {
      $0.activation != .relu && !$0.hasWeightedLayers
    },
    InertField(place: .strategy, path: "private") { context in
      guard let network = context.network else { return nil }
      let empty = context.choice.composition.privateGroups.filter { group in
        !network.layout.entries.contains { group.contains($0, of: network) }
      }
      guard !empty.isEmpty else { return nil }
      let words = empty.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
      return "the network has no parameters of the group \(words)"
    },
    InertField(place: .strategy, path: "buffer") { context in
      guard case .integer(let size) = context.choice.settings["buffer"],
        context.type.needs.contains(.clock)
      else { return nil }
      let arrivals = context.scenario.federation.uniformCohort.multipliedClamped(
        by: context.scenario.federation.rounds)
      return arrivals < size
        ? "all rounds together have \(arrivals) arrivals: the server never makes a step" : nil
    },
  ]

  /// Without sampling nobody hides in a population.
  private static func population(_ place: Place) -> InertField {
    InertField(place: place, path: "privacy.assumedPopulation") { context in
      guard case .separated = context.scenario.federation.sampling else { return nil }
      return "federation.sampling \"separated\" amplifies nothing, whatever the population"
    }
  }

  private static func correlation(_ place: Place) -> InertField {
    InertField(place: place, path: "privacy.correlation") { context in
      context.choice.privacy?.noiseMultiplier == 0 ? "there is no noise to correlate" : nil
    }
  }

  /// What the layers of a `sequential` network leave without a place.
  private static func listed(
    _ path: String, neutral: JSON, _ isIdle: @escaping @Sendable (ModelSpec) -> Bool
  ) -> InertField {
    InertField(place: .root, path: path, neutral: neutral) { context in
      let model = context.scenario.model
      return model.kind == .sequential && isIdle(model)
        ? "none of model.layers has a place for it" : nil
    }
  }

  /// What begins after the last round.
  private static let rounds = [
    InertField(place: .root, path: "evaluation.every") { context in
      let rounds = context.scenario.federation.rounds
      return context.scenario.evaluation.every > rounds && rounds > 0
        ? "there are \(rounds) rounds: the first and the last are evaluated" : nil
    },
    InertField(place: .root, path: "evaluation.ema") { context in
      context.scenario.evaluation.averageDecay == 0
        ? "with 0 the average is the model of the last round" : nil
    },
    schedule(.root), schedule(.strategy), clipSchedule(.root), clipSchedule(.strategy),
    copies(.root), copies(.strategy),
    InertField(place: .root, path: "output.keepCheckpoints", neutral: 0) { context in
      context.scenario.output.checkpointEvery == 0
        ? "checkpointEvery is 0: no checkpoint is written on the way" : nil
    },
    InertField(place: .strategy, path: "loss.beta") { context in
      context.number("loss.reweightFrom").map { $0 >= 1 } ?? false
        ? "reweightFrom is 1: classes are never weighted" : nil
    },
  ]

  private static func schedule(_ place: Place) -> InertField {
    InertField(place: place, path: "client.schedule.every") { context in
      let rounds = context.scenario.federation.rounds
      guard let every = context.number("client.schedule.every"), rounds > 0 else { return nil }
      return every >= Double(rounds) ? "there are \(rounds) rounds: the rate never steps" : nil
    }
  }

  private static func copies(_ place: Place) -> InertField {
    InertField(place: place, path: "privacy.augmentationMultiplicity", neutral: 1) { context in
      let scenario = context.scenario
      let models = [scenario.model] + scenario.clientModels.map(\.model)
      let isRandom = !scenario.data.augment.isEmpty || models.contains(where: \.dropsUnits)
      return isRandom ? nil : "data.augment is empty: all copies of an example are the same"
    }
  }

  private static func clipSchedule(_ place: Place) -> InertField {
    InertField(place: place, path: "privacy.clipSchedule") { context in
      guard let schedule = context.choice.privacy?.clipSchedule else { return nil }
      let rounds = context.scenario.federation.rounds
      let moves = (1...max(1, rounds)).contains {
        schedule.factor(round: $0, rounds: rounds) != 1
      }
      return moves ? nil : "the clip is the same in all \(rounds) rounds"
    }
  }

  /// What needs a companion in a link of `compression`.
  private static let links = [
    InertField(place: .link, path: "fading", neutral: 1) { context in
      if context.text("kind") == "dgc" { return nil }
      if context.text("sums") == "factors" { return "errors of factors never fade" }
      if context.truth("errorFeedback") != true { return "errorFeedback is false" }
      return context.text("feedback") == "ef21" ? "ef21's estimates never fade" : nil
    },
    InertField(place: .link, path: "feedback", neutral: "ef-sgd") { context in
      if context.text("sums") == "factors" { return "sums of factors have an error of their own" }
      return context.truth("errorFeedback") == false ? "errorFeedback is false" : nil
    },
    InertField(place: .link, path: "errorFeedback", neutral: true) { context in
      context.text("sums") == "factors" ? "sums of factors always keep their errors" : nil
    },
    InertField(place: .link, path: "smoothing", neutral: 1) { context in
      let isEstimate =
        context.text("feedback") == "ef21" && context.truth("errorFeedback") == true
        && context.text("sums") != "factors"
      return isEstimate ? nil : "it belongs to \"feedback\": \"ef21\""
    },
    InertField(place: .link, path: "errorUnits", neutral: "update") { context in
      let isSGD =
        context.text("feedback") == "ef-sgd" && context.truth("errorFeedback") == true
        && context.text("sums") != "factors"
      return isSGD ? nil : "it belongs to \"feedback\": \"ef-sgd\" with errorFeedback"
    },
    InertField(place: .link, path: "errorReference", neutral: "aggregated") { context in
      context.text("sums") == "factors" ? nil : "it belongs to \"sums\": \"factors\""
    },
    InertField(place: .link, path: "warmupStages") { context in
      context.text("warmup") == "geometric" ? nil : "it belongs to \"warmup\": \"geometric\""
    },
    InertField(place: .link, path: "warmupRounds", neutral: 1) { context in
      context.text("warmup") == "none" ? "there is no warmup" : nil
    },
    InertField(place: .link, path: "nesterov", neutral: false) { context in
      context.number("momentum") == 0 ? "momentum is 0" : nil
    },
  ]
}

extension ScenarioChecks {
  /// Fields that are given and change nothing, each reason once with the strategies that it is of;
  /// the scenario is valid.
  mutating func checkInert(_ scenario: Scenario, _ network: Network?) {
    var found: [(path: String, reason: String, labels: [String])] = []
    for method in scenario.methods {
      for row in InertField.table {
        for place in places(row, method) where isGiven(place + row.path, not: row.neutral) {
          let context = InertField.Context(
            checks: self, method: method, network: network, place: place)
          guard let reason = row.reason(context) else { continue }
          note(place + row.path, reason, method.label, &found)
        }
      }
      for ignored in method.type.ignores {
        let isOfClient = ignored.field.hasPrefix("client.")
        let section = isOfClient ? clientSection(of: method.path) : ""
        let path = section + ignored.field.dropFirst(isOfClient ? "client".count : 0)
        if isGiven(path, not: nil) { note(path, ignored.reason, method.label, &found) }
      }
    }
    for (path, reason, labels) in found {
      let whom =
        labels.count == scenario.strategies.count ? "" : " for \(labels.joined(separator: ", "))"
      warn("W3021", path, "no effect\(whom): \(reason)")
    }
  }

  private func note(
    _ path: String, _ reason: String, _ label: String,
    _ found: inout [(path: String, reason: String, labels: [String])]
  ) {
    if let known = found.firstIndex(where: { $0.path == path && $0.reason == reason }) {
      found[known].labels.append(label)
    } else {
      found.append((path, reason, [label]))
    }
  }

  /// Where a row's field may stand for a strategy.
  private func places(_ row: InertField, _ method: CheckedMethod) -> [String] {
    let own = "\(method.path)."
    switch row.place {
    case .root: return [""]
    case .strategy: return [own]
    case .link:
      let section = lines["\(own)compression"] != nil ? "\(own)compression." : "compression."
      return ["uplink.", "downlink."].map { section + $0 }
    }
  }

  /// Whether the scenario, or an override, says something at a path that asks for something.
  private func isGiven(_ path: String, not neutral: JSON?) -> Bool {
    guard let line = lines[path], line != 0, says(path) else { return false }
    guard let neutral, let value = values[path] else { return true }
    if let a = value.double, let b = neutral.double { return a != b }
    return value != neutral
  }
}
