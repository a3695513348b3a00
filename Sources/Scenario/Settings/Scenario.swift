import Aggregation
import Base
import Client
import Data
import Tensor

/// One experiment, completely described: every default is filled in and every value is in range.
package struct Scenario: Sendable {
  /// Names the run folder.
  package var name: String
  /// One run per strategy and seed.
  package var seeds: [UInt64]
  package var data: DataSettings
  package var federation: FederationSettings
  /// The network: the server's, and every client's where there are no groups.
  package var model: ModelSpec
  /// Clients with networks of their own, in the order of the clients; empty when all have `model`.
  package var clientModels: [ClientModelGroup] = []
  package var client: ClientSettings
  /// The methods compared, in the order given.
  package var strategies: [StrategyChoice] = []
  package var evaluation: EvaluationSettings
  package var output: OutputSettings
  /// Devices and links in virtual time; nil for no clock.
  package var system: SystemSettings?
  package var limits = LimitSettings()
  /// The files that it names; in the sections stands where they were found.
  package var paths = ScenarioPaths.none

  /// No method yet, one network for all, no clock and no limit.
  package init(
    name: String, seeds: [UInt64], data: DataSettings, federation: FederationSettings,
    model: ModelSpec, client: ClientSettings, evaluation: EvaluationSettings, output: OutputSettings
  ) {
    self.name = name
    self.seeds = seeds
    self.data = data
    self.federation = federation
    self.model = model
    self.client = client
    self.evaluation = evaluation
    self.output = output
  }

  /// One method with its settings.
  package struct StrategyChoice: Sendable {
    /// The kind, such as "fedprox".
    package var kind: String
    /// The name in tables and folders: the kind, or what `label` says; unique in a scenario.
    package var label: String
    /// The values of the fields on the strategy's info.
    package var settings: StrategySettings
    package var loss = LossSpec.crossEntropy
    /// Private tensors and the server's optimizer.
    package var composition = Composition()
    /// What is done to the generic model's classifier before it is measured.
    package var postHoc = PostHoc.none
    /// How examples or clients are protected; nil for not at all.
    package var privacy: PrivacySettings?
    /// How messages are encoded; nil for plain numbers.
    package var compression: CompressionSettings?
    /// What its clients do in a round; nil for what the scenario says.
    package var client: ClientSettings?
    /// Whether it starts from `model.pretrain`; nil for yes.
    package var isPretrained: Bool?
  }

  /// Whether one of the strategies starts from the network of `model.pretrain`.
  package func isPretrained(_ choice: StrategyChoice) -> Bool {
    pretrain != nil && choice.isPretrained != false
  }

  /// Whether any strategy starts from that network.
  package var usesPretraining: Bool { strategies.contains(where: isPretrained) }

  /// What clients do in a round of one of the strategies, but for its loss.
  package func client(of choice: StrategyChoice) -> ClientSettings { choice.client ?? client }
}

/// Who takes part, when, with what weight.
package struct FederationSettings: Sendable, Equatable {
  /// Number of clients K ≥ 1.
  package var clients: Int
  /// Number of rounds R ≥ 0.
  package var rounds: Int
  /// Share of clients in a round, in (0, 1].
  package var participation: Double
  package var sampling: Sampling
  package var weighting: Weighting
  /// Rounds that were the last ones before a run was extended, ascending.
  package var extended: [Int] = []

  package init(
    clients: Int, rounds: Int, participation: Double, sampling: Sampling, weighting: Weighting
  ) {
    self.clients = clients
    self.rounds = rounds
    self.participation = participation
    self.sampling = sampling
    self.weighting = weighting
  }

  /// Clients in a cohort of a fixed size: max(1, round(participation·K)).
  package var uniformCohort: Int {
    max(1, Int(clamping: (participation * Double(clients)).rounded()))
  }

  /// Clients in a cohort on average.
  package var expectedCohort: Double {
    switch sampling {
    case .uniform, .powerOfChoice, .oort, .separated: Double(uniformCohort)
    case .poisson, .cyclicPoisson: participation * Double(clients)
    }
  }

  /// How updates are weighted in the mean.
  package enum Weighting: String, Sendable, CaseIterable {
    /// By the number of training examples.
    case samples
    /// All alike.
    case uniform
  }
}

/// What a client does in a round: the Client module's own settings.
package typealias ClientSettings = LocalSettings

/// When and how models are measured.
package struct EvaluationSettings: Sendable, Equatable {
  /// Rounds between evaluations; the first and the last round are always evaluated.
  package var every: Int
  /// Accuracies whose cost is reported.
  package var targets: [AccuracyTarget] = []
  /// Whether finished models are measured once more, for `diagnostics.json`.
  package var diagnostics = true
  /// Share of each client's images for validation; nil for none.
  package var validation: Double?
  /// By what rounds are ranked; nil for the balanced accuracy of the generic model, or personal
  /// accuracy where there is none.
  package var selectBy: SelectionMetric?
  /// Whether results are those of the best round by validation, not of the last.
  package var best = false
  /// Evaluations without a better round after which a run ends; nil for never.
  package var patience: Int?
  /// Clients that never train for the server, and what they do before they are measured.
  package var unseen: UnseenClients?
  /// β in [0, 1) of the average over rounds that is measured for the generic model; nil for none.
  package var averageDecay: Double?

  package init(every: Int) { self.every = every }
}

/// A measure on validation images by which rounds are ranked.
package enum SelectionMetric: String, Sendable, CaseIterable {
  /// Mean of the generic model's recalls over classes.
  case genericBalanced = "generic.balancedAccuracy"
  /// The generic model's share of images that are right.
  case genericAccuracy = "generic.accuracy"
  /// The generic model's mean cross-entropy; less is better.
  case genericLoss = "generic.loss"
  /// Mean over clients of their own model's accuracy on their own images.
  case personalAccuracy = "personal.accuracy"
}

/// Clients beside those of the federation: in no cohort, with data that nobody else sees.
package struct UnseenClients: Sendable, Equatable {
  /// How many.
  package var clients = 0
  /// Rounds of the method's local training before one of them is measured; nothing of it reaches
  /// the server.
  package var rounds = 1
}

/// What is written besides the trace: nothing, unless something else is said.
package struct OutputSettings: Sendable, Equatable {
  /// Rounds between checkpoints; 0 writes one only when interrupted and at the end.
  package var checkpointEvery = 0
  /// Checkpoints that stay beside the last one.
  package var keepCheckpoints = 0
  /// Whether personal models are written to `final/personal`.
  package var personalModels = false
  /// Whether each run writes a file for TensorBoard.
  package var tensorboard = false

  package init() {}
}

/// What a run may take of this machine; nil for as much as there is.
package struct LimitSettings: Sendable, Equatable {
  /// Seconds of one call.
  package var wallTime: Double?
  /// Bytes of the process at its largest.
  package var memory: Double?
  /// Bytes of the run folder.
  package var disk: Double?

  /// No limit.
  package init() {}
}
