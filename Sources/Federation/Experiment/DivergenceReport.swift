import Aggregation
import Base
import Client
import Records
import Scenario
import Tensor

/// Where a run went wrong, what was found there, and what most likely caused it.
package struct DivergenceReport: Equatable {
  let divergence: Divergence
  package let label: String
  package let seed: UInt64
  /// The round of the checkpoint that resume would go on from; nil for none.
  let lastCheckpoint: Int?
  /// The two most likely causes, the likelier first, each with what to do.
  let causes: [String]

  /// `losses`: mean training losses of the rounds before.
  package init(
    _ divergence: Divergence, label: String, _ context: RunContext, losses: [Double],
    lastCheckpoint: Int
  ) {
    self.divergence = divergence
    self.label = label
    seed = context.seed
    self.lastCheckpoint = lastCheckpoint > 0 ? lastCheckpoint : nil
    causes = Self.causes(divergence, label, context, losses)
  }

  /// Removes what an earlier attempt of the run left.
  package static func remove(from folder: String) {
    AtomicFile.remove(FilePath.join(folder, RunFiles.divergence))
  }

  /// Writes `divergence.json`.
  package func write(to folder: String) throws(Failure) {
    try AtomicFile.write(json.pretty, to: FilePath.join(folder, RunFiles.divergence))
  }

  // MARK: - Words

  /// One sentence for people.
  package var sentence: String {
    var text = "\(label) seed \(seed): diverged in round \(divergence.round), \(who): \(what)"
    if let batch { text += "; \(batch)" }
    text +=
      lastCheckpoint.map { "; the checkpoint of round \($0) and all rounds before are kept" }
      ?? "; the rounds before are kept"
    return text + ". Most likely: " + causes.joined(separator: "; or: ")
  }

  private var who: String {
    divergence.client.map { client in
      "client \(client)" + (divergence.step.map { ", local step \($0)" } ?? "")
    } ?? "the server"
  }

  private var what: String {
    switch divergence.trace?.place {
    case nil: "a number is not finite"
    case .loss: "the loss is not finite, though all logits are"
    case .pass(.input): "an image has a pixel that is not finite"
    case .pass(.parameter(let name)): "\(name) is not finite since the step before"
    case .pass(.output(let layer, _)): "the first number that is not finite comes from \(layer)"
    case .upload(let name): "\(name) is not finite after its last step"
    case .server(let name): "\(name) is not finite after the server's step"
    }
  }

  /// The images of the batch, a few by number, the culprit first.
  private var batch: String? {
    guard let trace = divergence.trace, !trace.examples.isEmpty else { return nil }
    let first = culprit.map { "first at image \($0), " } ?? ""
    let shown = trace.examples.prefix(8).map(String.init).joined(separator: ", ")
    return first + "batch of \(trace.examples.count) images: \(shown)"
      + (trace.examples.count > 8 ? ", …" : "")
  }

  /// The image of the first number.
  private var culprit: Int? {
    guard let trace = divergence.trace else { return nil }
    switch trace.place {
    case .pass(.input(let place)), .pass(.output(_, let place)):
      return trace.examples.indices.contains(place) ? trace.examples[place] : nil
    default: return nil
    }
  }

  // MARK: - Causes

  private static func causes(
    _ divergence: Divergence, _ label: String, _ context: RunContext, _ rounds: [Double]
  ) -> [String] {
    let place = context.scenario.strategies.firstIndex { $0.label == label && $0.client != nil }
    let section = place.map { "strategies[\($0)].client" } ?? "client"
    var found = [rateCause(divergence.trace?.losses ?? [], section, context, rounds)]
    found += settingCauses(section, context)
    if let cause = placeCause(divergence, context) { found.append(cause) }
    if let choice = context.scenario.strategies.first(where: { $0.label == label }) {
      found += methodCauses(choice, context)
    }
    // Of equal weight the one found first.
    return found.enumerated().sorted {
      ($1.element.weight, $0.offset) < ($0.element.weight, $1.offset)
    }.prefix(2).map(\.element.text)
  }

  /// A cause in words, and how likely it is beside others.
  private typealias Cause = (weight: Int, text: String)

  /// The learning rate, the likelier when losses rose: those of the last steps, or of rounds.
  private static func rateCause(
    _ steps: [Double], _ section: String, _ context: RunContext, _ rounds: [Double]
  ) -> Cause {
    func rise(_ losses: [Double]) -> (from: Double, to: Double)? {
      guard let least = losses.min(), let last = losses.last, last > 2 * least else { return nil }
      return (least, last)
    }
    let rising = (rise(steps.filter(\.isFinite)) ?? rise(rounds)).map {
      " (the loss rose from \(NumberText.fixed($0.from, 2)) to \(NumberText.short($0.to)))"
    }
    let rate = NumberText.plain(context.problem.settings.optimizer.learningRate)
    return (
      rising == nil ? 5 : 8,
      "\(section).optimizer.learningRate \(rate) is too high\(rising ?? ""): lower it, or begin "
        + "with \(section).schedule.warmup"
    )
  }

  private static func settingCauses(_ section: String, _ context: RunContext) -> [Cause] {
    let optimizer = context.problem.settings.optimizer
    var found: [Cause] = []
    if optimizer.kind == .sgd, optimizer.momentum >= 0.5 {
      let factor = NumberText.fixed(1 / (1 - optimizer.momentum), 0)
      found.append(
        (
          4,
          "\(section).optimizer.momentum \(NumberText.plain(optimizer.momentum)) makes steps up to "
            + "\(factor) times as long: lower it or the learning rate"
        ))
    }
    if context.scenario.model.norm == .none, context.network.layout.entries.count > 4 {
      found.append((3, "the network has no normalisation: set model.norm to \"group\""))
    }
    return found
  }

  /// What follows from where the first such number was.
  private static func placeCause(_ divergence: Divergence, _ context: RunContext) -> Cause? {
    switch divergence.trace?.place {
    case .pass(.input):
      return (20, "the data hold numbers that are not finite: check the data set's files")
    case .pass(.parameter) where divergence.round == 1 && divergence.step == 1:
      return (20, "the initial weights hold it: check model.init")
    case .server:
      let server = context.problem.composition.serverOptimizer
      return (
        9,
        "the server's step is too long: lower serverOptimizer.learningRate "
          + "\(NumberText.plain(server.learningRate)), or the method's own server rate"
      )
    case .loss: return (7, "a term that the method adds to the loss: lower its weight")
    default: return nil
    }
  }

  private static func methodCauses(_ choice: Scenario.StrategyChoice, _ context: RunContext)
    -> [Cause]
  {
    let rate = context.problem.settings.optimizer.learningRate
    var found: [Cause] = []
    let name = "proximalWeight"
    if case .number(let value) = choice.settings[name], value * rate >= 1 {
      found.append(
        (
          10,
          "\(name) \(NumberText.plain(value)) times the learning rate is "
            + "\(NumberText.short(value * rate)), 1 or more: each step "
            + "overshoots the model it is pulled to; lower \(name)"
        ))
    }
    if choice.privacy != nil {
      found.append((6, "privacy's noise is large beside the gradients: lower the learning rate"))
    }
    return found
  }

  // MARK: - File

  package var json: JSON { Self.keys.json(self) }

  static let keys = Keys<Self>([
    Key("schema", .integer, "Version of this file: 1.") { _ in 1 },
    Key("strategy", .text, "The strategy's label.") { $0.label },
    Key("seed", .seed, "The seed.") { $0.seed },
    Key("round", .integer, "The round that was run.") { $0.divergence.round },
    Key("client", .orNull(.integer), "The client; null: the server.") {
      .some($0.divergence.client)
    },
    Key("step", .orNull(.integer), "Its optimizer step in this round.") {
      .some($0.divergence.step)
    }, Key("what", .text, "What was found, in words.") { $0.what },
    Key("place", .orNull(.object(placeKeys)), "Where the first number that is not finite was.") {
      .some($0.divergence.trace?.place)
    }, Key("image", .orNull(.integer), "The image of it.") { .some($0.culprit) },
    Key("batch", .list(.integer), "The images of the batch.") {
      $0.divergence.trace?.examples ?? []
    },
    Key("losses", .list(.number), "Losses of the client's steps in this round.") {
      $0.divergence.trace?.losses ?? []
    },
    Key("lastCheckpoint", .orNull(.integer), "The round that resume would go on from.") {
      .some($0.lastCheckpoint)
    }, Key("causes", .list(.text), "The two most likely causes, with what to do.") { $0.causes },
  ])

  private static let placeKeys = Keys<Divergence.Trace.Place>([
    Key("kind", .text, "loss, input, parameter, output, upload or server.") { $0.words.kind },
    Key("tensor", .text, "The tensor.", absent: "loss, input and output") { $0.words.tensor },
    Key("layer", .text, "The layer.", absent: "all but output") { $0.words.layer },
  ])
}

extension Divergence.Trace.Place {
  /// The words of `divergence.json`.
  fileprivate var words: (kind: String, tensor: String?, layer: String?) {
    switch self {
    case .loss: ("loss", nil, nil)
    case .pass(.input): ("input", nil, nil)
    case .pass(.parameter(let name)): ("parameter", name, nil)
    case .pass(.output(let layer, _)): ("output", nil, layer)
    case .upload(let name): ("upload", name, nil)
    case .server(let name): ("server", name, nil)
    }
  }
}
