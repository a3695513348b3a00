import Base
import Client
import Data
import Scenario
import Tensor

/// A scenario with its data read and every check done: nothing is written before this exists.
package struct Experiment: Sendable {
  package let scenario: Scenario
  /// What clients learn from: the data as read, without classes that pre-training takes away.
  package let data: LabelledData
  package let network: Network
  /// The networks of client groups, in the order of `scenario.clientModels`.
  let groupNetworks: [Network]
  /// What the network learns from before the first round; nil for nothing.
  package let pretraining: PretrainingData?
  /// One split per seed, in the order of the seeds.
  package let splits: [Split]
  let initialFile: [Float]?
  /// What the files of `system` say.
  let systemFiles: SystemFiles
  /// What the user should know before believing a number.
  package private(set) var warnings: [String]
  /// Codecs that encode nothing of a method, in words.
  private var unusedCodecs: [String] = []

  /// Reads the data and makes every split.
  ///
  /// - Throws: exit 3 when the scenario does not fit the data, 4 when data are missing or corrupt.
  package init(_ scenario: Scenario) throws(Failure) {
    guard BLAS.facts.failure == nil else {
      throw Failure(
        .dataMissingOrCorrupt, "E1020", BLAS.facts.failure ?? "",
        hint: "install OpenBLAS (Debian: apt-get install libopenblas-dev)")
    }
    try self.init(scenario, data: try DatasetReader.load(scenario.data.dataset))
  }

  /// An experiment on images that are in memory already.
  ///
  /// `isBlank`: whether the images are only as large as those of the scenario.
  package init(_ scenario: Scenario, data everything: LabelledData, isBlank: Bool = false)
    throws(Failure)
  {
    self.scenario = scenario
    data = try scenario.pretrain?.clientData(everything) ?? everything
    guard data.train.classes >= 2 else {
      throw Failure(
        .scenarioInvalid, "E3304",
        "$.data.dataset: the data have \(data.train.classes) class; expected 2 or more",
        hint: "labels count from 0 and name the class; check the label files")
    }
    typealias Augmentation = DataSettings.Augmentation
    try Augmentation.requireFit(scenario.data.augment, data.train.shape, at: "data.augment")
    try Augmentation.requireFit(
      scenario.pretrain?.augment ?? [], data.train.shape, at: "model.pretrain.augment")
    network = try Self.network(scenario.model, data, at: "$.model")
    var groups: [Network] = []
    for (index, group) in scenario.clientModels.enumerated() {
      groups.append(try Self.network(group.model, data, at: "$.clientModels[\(index)].model"))
    }
    groupNetworks = groups
    try Self.requireSplitMemory(scenario, data)
    var splits: [Split] = []
    for seed in scenario.seeds {
      splits.append(
        try SplitBuilder.split(
          data, settings: scenario.data, clients: scenario.federation.clients, seed: seed))
    }
    self.splits = splits
    if let settings = scenario.pretrain {
      pretraining = try PretrainingData(settings, data: everything, split: splits[0])
    } else {
      pretraining = nil
    }
    let kept = splits.map(\.trainIndices.count).min() ?? 0
    guard scenario.federation.clients <= kept else {
      throw Failure(
        .scenarioInvalid, "E3303",
        "$.federation.clients: found \(scenario.federation.clients); the data have only \(kept) "
          + "training images, so most clients would hold none",
        hint: kept > 0
          ? "use at most \(kept) clients"
          : "no training image is left: look at data.longTail, data.partition and data.public")
    }
    initialFile = try Self.initialParameters(scenario.model.initialisation, network)
    systemFiles =
      try scenario.system.map { settings throws(Failure) in
        try SystemFiles(settings, clients: scenario.federation.clients)
      } ?? SystemFiles()
    warnings = []
    warnings = dataWarnings + methodWarnings + privacyWarnings
    try requireHosts()
    if !isBlank { noteCodecs() }
  }

  /// The conditions in words, by the first seed's split.
  package var conditions: [String] {
    ConditionText(
      scenario: scenario, dataTitle: data.title, split: splits[0],
      parameters: network.layout.trainedCount
    ).lines + unusedCodecs
  }

  /// Notes codecs that reach nothing of a method on these data; those that validation told of are
  /// no new warnings.
  private mutating func noteCodecs() {
    let found = scenario.strategies.map { CodecReach.findings($0, self, sizesCount: true) }
    for (choice, all) in zip(scenario.strategies, found) where !all.isEmpty {
      unusedCodecs += all.filter { $0.code == "W3044" }.map(\.text)
      let told =
        scenario.data.knownImages == nil ? [] : CodecReach.findings(choice, self, sizesCount: false)
      warnings += all.filter { !told.contains($0) }.map(\.text)
    }
  }

  private static func network(_ spec: ModelSpec, _ data: LabelledData, at path: String)
    throws(Failure) -> Network
  {
    do { return try Network(spec, input: data.train.shape, classes: data.train.classes) } catch {
      throw Failure(.scenarioInvalid, "E3301", "\(path).kind: \(error.message)")
    }
  }

  private static func initialParameters(_ rule: ModelSpec.Initialisation, _ network: Network)
    throws(Failure) -> [Float]?
  {
    guard case .file(let path, let head) = rule else { return nil }
    // Double precision, a classifier of other classes, step counters and the header.
    let most = 16 * network.layout.count + 1 << 30
    let bytes = try FileReader.bytes(of: path, what: "weights", limit: most, growth: 3)
    do {
      return try network.layout.parameters(
        from: try Safetensors(decoding: bytes),
        leavingOut: head == .fresh ? network.classifier : nil)
    } catch {
      throw Failure(
        .dataMissingOrCorrupt, "E4080", "\(path): \(error.message)",
        hint: "the file needs the tensors of this model with PyTorch's names and shapes")
    }
  }

  private var dataWarnings: [String] {
    var list = data.remarks
    for (seed, split) in zip(scenario.seeds, splits) {
      let empty = split.emptyClients.count
      if empty > 0 {
        list.append("seed \(seed): \(empty) of \(split.clients.count) clients hold no image")
      }
      if let names = ImageSet.words(split.classCounts, whose: { $0 == 0 }) {
        list.append("seed \(seed): no client holds an image of \(names)")
      }
      let small = split.clients.count { !$0.isEmpty && $0.count < scenario.client.batch }
      if small > 0 {
        list.append(
          "seed \(seed): \(small) clients hold fewer images than a batch "
            + "(\(scenario.client.batch))")
      }
      let tests = LocalTests(scenario.data.localTest, split: split, test: data.test, seed: seed)
      if tests.sharedImages > 0 {
        list.append(
          "seed \(seed): \(tests.sharedImages) test images serve two or more clients, so that "
            + "their scores depend on each other")
      }
    }
    if scenario.model.norm == .batch {
      list.append("batch norm's running statistics travel and are averaged like weights")
    }
    return list
  }
}
