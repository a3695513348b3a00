import Base
import Client
import Data
import Scenario
import Tensor

/// A network that was trained before the first round, and its parameters.
package struct PretrainedModel {
  /// The network; its classifier knows the classes that were learnt.
  package let network: Network
  package let parameters: [Float]

  /// Replaces the parameters of a network of the same kind, but for its classifier.
  package func place(into vector: inout [Float], of other: Network) {
    for entry in other.layout.entries where entry.layer != other.classifier {
      guard let source = network.layout[entry.name], source.shape == entry.shape else { continue }
      vector.replaceSubrange(entry.range, with: parameters[source.range])
    }
  }
}

extension Experiment {
  /// The network after `model.pretrain`, or nil when no strategy starts from one.
  ///
  /// `folder`: where finished weights are kept under a name that says what they depend on; nil
  /// keeps nothing.
  ///
  /// `stops`: asked before every batch whether to leave it.
  ///
  /// - Throws: E1033 when it was left, with the exit of an interruption.
  package func pretrained(in folder: String?, _ stops: () -> ExitCode? = { nil }) throws(Failure)
    -> PretrainedModel?
  {
    guard let settings = scenario.pretrain, let pretraining,
      scenario.usesPretraining
    else { return nil }
    let network = try pretrainingNetwork(pretraining)
    let key = settings.cacheKey(
      model: scenario.model, normalize: scenario.data.normalize, data: pretraining)
    let path = folder.map { FilePath.join($0, "pretrained/\(key).safetensors") }
    if let path, FileKind(of: path) == .file {
      // A file that cannot be read is made anew: it is a cache.
      if let file = try? Safetensors(decoding: try FileReader.bytes(of: path, growth: 3)),
        file.isIntact == true, let parameters = try? network.layout.parameters(from: file)
      {
        return PretrainedModel(network: network, parameters: parameters)
      }
    }
    let parameters = try train(network, settings, pretraining, stops)
    if let path {
      try FilePath.makeFolder(FilePath.split(path).folder)
      var file = network.layout.safetensors(parameters, metadata: ["format": "pt", "key": key])
      file.seal()
      try AtomicFile.write(file.encoded(), to: path)
    }
    return PretrainedModel(network: network, parameters: parameters)
  }

  /// Centralised training: one optimizer for all epochs, the rate by the schedule over epochs.
  private func train(
    _ network: Network, _ settings: PretrainSettings, _ data: PretrainingData,
    _ stops: () -> ExitCode?
  ) throws(Failure) -> [Float] {
    let local = LocalSettings(
      work: .epochs(1), batch: settings.batch, optimizer: settings.optimizer,
      schedule: settings.schedule, augmentation: AugmentationPlan(settings.augment))
    let transform =
      scenario.data.normalize == .dataset
      ? PixelTransform(statisticsOf: data.images, at: data.indices)
      : PixelTransform(channels: data.images.shape.channels)
    let workspace = Workspace(
      network,
      capacity: network.largestMicroBatch(upTo: min(settings.batch, max(1, data.indices.count))),
      training: true, moments: Optimizer.momentCount(settings.optimizer))
    workspace.load(
      network.initialParameters(
        scenario.model.initialisation, seed: settings.seed,
        file: initialFile.flatMap { $0.count == network.layout.count ? $0 : nil }))
    var optimizer = Optimizer(settings.optimizer, workspace)
    for epoch in 0..<settings.epochs {
      var device = Device(
        client: 0, round: epoch + 1, rounds: settings.epochs, seed: settings.seed,
        examples: data.indices, network: network, workspace: workspace,
        loader: BatchLoader(data.images, transform), settings: local)
      try pass(&device, steps: device.stepCount(local.work), &optimizer, workspace, stops)
    }
    return workspace.currentParameters
  }

  /// One epoch; the device's round is its number.
  private func pass(
    _ device: inout Device, steps: Int, _ optimizer: inout Optimizer, _ workspace: Workspace,
    _ stops: () -> ExitCode?
  ) throws(Failure) {
    var rule = PlainRule(SoftmaxCrossEntropy())
    for _ in 0..<steps {
      if let exit = stops() {
        throw Failure(
          exit, "E1033",
          "stopped in epoch \(device.round) of model.pretrain; nothing of it is kept",
          hint: "fedsim resume on the run folder begins it again")
      }
      _ = device.nextBatch()
      do { _ = try device.computeGradient(&rule) } catch {
        throw Failure(
          .diverged, "E5001", "$.model.pretrain: diverged in epoch \(device.round)",
          hint: "lower model.pretrain.optimizer.learningRate")
      }
      optimizer.step(
        workspace, learningRate: device.learningRate,
        ranges: [0..<device.network.layout.trainedCount])
    }
  }
}
