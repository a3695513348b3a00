import Aggregation
import Base
import Client
import Tensor
import TestSupport

/// A client with 14 images of 5 classes and a small network, for methods with heads of their own.
struct HeadFixture {
  static let shape = FeatureShape(height: 6, width: 6, channels: 2)
  static let classes = 5

  let network: Network
  let problem: LearningProblem
  let images: ImageSet

  /// `recipe`: as in `NetworkRecipe`; five logits.
  init(
    _ recipe: String = "conv c 8 3 1 1 0; group n 2; relu; global; dense fc 5 1",
    loss: LossSpec = .crossEntropy
  ) throws {
    network = try NetworkRecipe.build(recipe, input: Self.shape)
    var stream = RandomStream(seed: 3, .test)
    images = ImageSet(
      shape: Self.shape,
      pixels: .floats((0..<14 * Self.shape.count).map { _ in Float(stream.gaussian()) }),
      // Class 4 is rare, class 3 absent.
      labels: (0..<14).map { $0 == 7 ? 4 : Int32($0 % 3) }, classes: Self.classes)
    problem = LearningProblem(
      network: network, clients: 2,
      settings: LocalSettings(
        work: .epochs(2), batch: 5, order: .shuffled,
        optimizer: OptimizerSpec(learningRate: 0.1, momentum: 0.9, weightDecay: 0.01), loss: loss),
      initial: network.layout.initialParameters(.pytorch, seed: 5), seed: 11,
      pooledCounts: [20, 12, 9, 6, 3])
  }

  /// The client in a workspace of its own.
  func device(client: Int = 0) -> Device {
    Device(
      client: client, round: 1, rounds: 3, seed: problem.seed, examples: Array(0..<14),
      network: network, workspace: Workspace(network, capacity: 16, training: true, moments: 1),
      loader: BatchLoader(images, PixelTransform(channels: Self.shape.channels)),
      settings: problem.settings,
      surroundings: Device.Surroundings(pooledCounts: problem.pooledCounts))
  }
}

/// The bit patterns.
func bits(_ values: some Sequence<Float>) -> [UInt32] { values.map(\.bitPattern) }
