import Aggregation
import Client
import Data
import Scenario
import Tensor

extension Experiment {
  /// How pixels become numbers under one of the seeds: by the statistics of the clients' images as
  /// they see them.
  func pixelTransform(_ index: Int) -> PixelTransform {
    pixelTransform(index, of: images(index).train)
  }

  private func pixelTransform(_ index: Int, of images: ImageSet) -> PixelTransform {
    switch scenario.data.normalize {
    case .dataset: PixelTransform(statisticsOf: images, at: splits[index].trainIndices)
    case .none: PixelTransform(channels: images.shape.channels)
    }
  }

  /// Training and test images as the clients of one of the seeds see them.
  private func images(_ index: Int) -> (train: ImageSet, test: ImageSet) {
    guard let styles = scenario.data.styles else { return (data.train, data.test) }
    let styled = StyledData(
      data, split: splits[index], settings: styles, seed: scenario.seeds[index])
    return (styled.train, styled.test)
  }

  /// Everything that strategies share under one of the seeds.
  ///
  /// `pretrained`: parameters of `network` to start from in place of random ones, but for its
  /// classifier, which is new.
  ///
  /// `looksAtPixels`: false for checks that compute nothing: no image gets its style, and none is
  /// measured for the normalisation.
  package func arena(
    _ index: Int, threads: Int, pretrained: PretrainedModel? = nil, looksAtPixels: Bool = true
  ) -> Arena {
    let seed = scenario.seeds[index]
    let split = splits[index]
    let images = looksAtPixels ? images(index) : (train: data.train, test: data.test)
    let transform =
      looksAtPixels
      ? pixelTransform(index, of: images.train)
      : PixelTransform(channels: data.train.shape.channels)
    var initial = network.initialParameters(
      scenario.model.initialisation, seed: seed, file: initialFile)
    pretrained?.place(into: &initial, of: network)
    let groups = zip(scenario.clientModels, groupNetworks).map { group, network in
      LearningProblem.ClientGroup(
        clients: group.clients, network: network,
        initial: network.initialParameters(group.model.initialisation, seed: seed, file: nil))
    }
    func spaces(_ network: Network) -> WorkerSpaces {
      WorkerSpaces(network, scenario.client, images: data.train.count, workers: threads)
    }
    var arena = Arena(
      scenario: scenario, seed: seed, split: split,
      localTests: LocalTests(scenario.data.localTest, split: split, test: images.test, seed: seed),
      problem: LearningProblem(
        network: network, clients: scenario.federation.clients, settings: scenario.client,
        initial: initial, seed: seed, rounds: scenario.federation.rounds, groups: groups,
        pooledCounts: split.classCounts, publicCount: split.publicIndices.count,
        imageBytes: data.train.shape.count * (data.train.isBytes ? 1 : 4)),
      train: BatchLoader(images.train, transform), test: BatchLoader(images.test, transform),
      sampler: CohortSampler(settings: scenario.federation, seed: seed),
      pool: WorkerPool(workers: threads), spaces: spaces(network),
      groupSpaces: groupNetworks.map(spaces))
    arena.clock = scenario.system.map {
      VirtualClock($0, files: systemFiles, seed: seed, clients: scenario.federation.clients)
    }
    return arena
  }
}
