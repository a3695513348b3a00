import Aggregation
import Base
import Client
import Data
import Records
import Scenario
import Tensor

/// What a method sends, tensor by tensor: found by a dry run of its first rounds with two clients.
///
/// Nothing is declared for it, so that it cannot be wrong for a new method.
package struct MessageSketch {
  /// One kind of tensor.
  package struct Sent {
    package let block: String
    let tensor: NamedShape
  }

  /// What clients send, and what they are sent after the first broadcast.
  package var up: [Sent] = []
  package var down: [Sent] = []
  /// Whether the dry run covered all rounds.
  package var isWhole = false
  /// The network and what is known of it, as the method has it.
  package let problem: LearningProblem

  /// Rounds of the dry run at most: methods whose messages begin later stay unjudged.
  static let mostRounds = 64
}

extension Experiment {
  /// What a strategy sends, as far as a codec might look at it; nil where this machine cannot hold
  /// its network.
  ///
  /// - Parameters:
  ///   - choice: the strategy.
  ///   - isEnough: ends the dry run before the last round.
  /// - Returns: what these rounds sent.
  package func messages(of choice: Scenario.StrategyChoice, until isEnough: (MessageSketch) -> Bool)
    -> MessageSketch?
  {
    guard let type = StrategyRegistry[choice.kind], scenario.federation.rounds > 0,
      BLAS.facts.failure == nil, (try? requireMemory(threads: 1)) != nil
    else { return nil }
    var plain = choice
    plain.settings = type.info.lightest(choice.settings)
    plain.compression = nil
    plain.privacy = nil
    return try? dryRun(plain, until: isEnough)
  }

  private func dryRun(_ choice: Scenario.StrategyChoice, until isEnough: (MessageSketch) -> Bool)
    throws(Failure) -> MessageSketch
  {
    var context = try adapted(context(0, threads: 1, looksAtPixels: false), to: choice)
    context.problem.settings.work = .steps(1)
    var sketch = MessageSketch(problem: context.problem)
    context.mostJobs = 2
    context.dryRun(true)
    let simulation = try Self.simulation(of: choice, context)
    sketch.isWhole = simulation.method.population == .pooled
    if sketch.isWhole { return sketch }
    let rounds = scenario.federation.rounds
    while simulation.round < min(rounds, MessageSketch.mostRounds), !isEnough(sketch) {
      guard (try? simulation.runRound()) != nil else { return sketch }
      let sent = simulation.ledger.messages
      for (block, tensor) in sent.tensors(.up) { sketch.add(block, tensor, \.up) }
      for (block, tensor) in sent.tensors(.down) { sketch.add(block, tensor, \.down) }
    }
    sketch.isWhole = simulation.round == rounds
    return sketch
  }
}

extension MessageSketch {
  fileprivate mutating func add(
    _ block: String, _ tensor: NamedShape, _ direction: WritableKeyPath<MessageSketch, [Sent]>
  ) {
    let known = self[keyPath: direction].contains { $0.block == block && $0.tensor == tensor }
    if !known { self[keyPath: direction].append(Sent(block: block, tensor: tensor)) }
  }
}

extension MethodInfo {
  /// The same settings with as few passes of the method's own as it may make: who asks only what is
  /// sent need not wait for them.
  fileprivate func lightest(_ settings: StrategySettings) -> StrategySettings {
    var values: [String: AnyHyperparameter.Value] = [:]
    for field in fields {
      values[field.name] = settings[field.name]
      let isWork = field.name.hasSuffix("pochs") || field.name.hasSuffix("teps")
      switch (field.domain, settings[field.name]) {
      case (.integer(let range), .integer(let value)) where isWork:
        values[field.name] = .integer(min(value, max(1, range.lowerBound)))
      case (.number(let range, _), .number(let value)) where isWork:
        values[field.name] = .number(min(value, max(1, range.lowerBound)))
      default: break
      }
    }
    return StrategySettings(self, values)
  }
}

extension Scenario {
  /// The experiment's networks and methods with a few blank images in place of its data; nil where
  /// the scenario alone does not say how large images are.
  func onBlankImages() -> Experiment? {
    guard let (shape, classes) = data.knownImages, classes >= 2 else { return nil }
    let clients = max(2, clientModels.count)
    let spare = min(data.publicSet?.size ?? 0, 2 * classes)
    let perClass = clients + (spare + classes - 1) / classes
    guard shape.count.multipliedClamped(by: classes).multipliedClamped(by: perClass) < 1 << 28
    else { return nil }
    func blanks(_ perClass: Int) -> ImageSet {
      let labels = (0..<classes * perClass).map { Int32($0 % classes) }
      let pixels = [UInt8](repeating: 0, count: labels.count * shape.count)
      return ImageSet(shape: shape, pixels: .bytes(pixels), labels: labels, classes: classes)
    }
    var small = self
    small.seeds = [1]
    small.data.longTail = nil
    small.data.partition = .iid
    small.data.styles = nil
    small.data.pretrain = nil
    // The blank images are as large as the features are.
    small.data.features = nil
    small.data.localTest.policy = .priorWeighted
    small.data.publicSet = data.publicSet.map { _ in .init(size: spare) }
    small.federation.clients = clients
    small.federation.participation = 1
    small.federation.sampling = .uniform
    for index in clientModels.indices { small.clientModels[index].clients = index..<index + 1 }
    small.client.batch = min(client.batch, classes)
    for (index, own) in strategies.map(\.client).enumerated() {
      small.strategies[index].client?.batch = min(own?.batch ?? 1, classes)
    }
    small.model.initialisation = .pytorch
    small.system = nil
    small.limits = LimitSettings()
    return try? Experiment(
      small, data: LabelledData(title: "", train: blanks(perClass), test: blanks(1)), isBlank: true)
  }
}
