import Tensor
import TestSupport
import Testing

/// Float layers against a naive interpreter in double precision and its central differences.
@Suite("Gradients against finite differences")
struct GradientTests {
  @Test("Every layer of the golden recipes", arguments: GoldenFile.names("layer"))
  func goldenRecipes(name: String) throws {
    let check = GradientCheck(try GoldenFile(name).network(), batch: 3)
    check.checkForward()
    check.checkCoordinates(perTensor: 40)
    check.checkDirections()
  }

  @Test(
    "Dropout before and behind every activation",
    arguments: ["relu", "gelu", "tempered 1.58 3 0.71", "tempered 2 2 1"])
  func dropout(
    activation: String
  ) throws {
    let recipe =
      "dense fc1 16 1; \(activation); dropout 0.25; dense fc2 12 1; dropout 0.5; \(activation);"
      + "dense fc3 4 1"
    let network = try NetworkRecipe.build(recipe, input: FeatureShape(features: 9))
    let check = GradientCheck(network, batch: 4)
    check.checkForward()
    check.checkCoordinates(perTensor: 40)
    check.checkDirections()
  }

  @Test("A map read by three layers collects three gradients")
  func sharedMap() throws {
    var builder = NetworkBuilder(input: FeatureShape(height: 4, width: 3, channels: 2))
    let x = builder.convolution("conv1", builder.input, 6, kernel: 3, padding: 1)
    let a = builder.globalAveragePool(x)
    let b = builder.dense("fc1", x, 6)
    let c = builder.globalAveragePool(builder.pool(.max, x, kernel: 2))
    let d = builder.globalAveragePool(builder.activation(.gelu, x))
    let e = builder.globalAveragePool(builder.groupNorm("n1", x, groups: 2))
    let f = builder.globalAveragePool(builder.layerNorm("n2", x))
    let g = builder.globalAveragePool(builder.pool(.average, x, kernel: 2, stride: 1))
    let h = builder.globalAveragePool(builder.convolution("conv2", x, 6, kernel: 1))
    let i = builder.globalAveragePool(builder.batchNorm("n3", x))
    var sum = b
    for branch in [a, c, d, e, f, g, h, i] { sum = builder.residual(sum, shortcut: branch) }
    let logits = builder.dense("fc", sum, 4)
    let check = GradientCheck(builder.build(logits: logits), batch: 3)
    check.checkForward()
    check.checkCoordinates(perTensor: 40)
    check.checkDirections()
  }

  /// A model of the table: kind, width, hidden sizes, norm, input.
  struct Model: CustomTestStringConvertible {
    var spec: ModelSpec
    var input: FeatureShape
    var testDescription: String { "\(spec.kind) \(spec.norm) \(spec.activation) \(spec.dropout)" }

    init(
      _ kind: ModelSpec.Kind, _ width: Int, _ norm: ModelSpec.Norm = .none, _ height: Int,
      _ columns: Int, activation: ModelSpec.Activation = .relu, dropout: [Double] = []
    ) {
      spec = ModelSpec(
        kind: kind, width: width, hidden: [11, 7], norm: norm, activation: activation,
        dropout: dropout, patch: 2, depth: 2, heads: 3)
      input = FeatureShape(height: height, width: columns, channels: 3)
    }

    init(
      standardised kind: ModelSpec.Kind, _ width: Int, _ norm: ModelSpec.Norm, _ height: Int,
      _ columns: Int
    ) {
      self.init(kind, width, norm, height, columns)
      spec.standardisesWeights = true
    }

    /// Every kind of layer that a `sequential` network has.
    init(
      listed norm: ModelSpec.Norm, _ height: Int, _ columns: Int,
      activation: ModelSpec.Activation = .relu
    ) {
      self.init(.sequential, 1, norm, height, columns, activation: activation)
      spec.layers = [
        .average(.init(kernel: 2, stride: 1, padding: 1)),
        .convolution(channels: 5, window: .init(kernel: 3, stride: 2, padding: 1)),
        .maximum(.init(kernel: 2, stride: 1, padding: 0)), .dropout(rate: 0.25),
        .convolution(channels: 4, window: .init(kernel: 2, stride: 1, padding: 0)),
        .globalAverage, .dense(units: 6),
      ]
    }
  }

  static let tanh = ModelSpec.Activation.temperedSigmoid(scale: 2, inverseTemperature: 2, offset: 1)
  static let models: [Model] = [
    Model(standardised: .cnn, 4, .group(groups: 2), 9, 10),
    Model(standardised: .resnet8, 4, .group(groups: 2), 8, 8),
    Model(listed: .none, 9, 11, activation: tanh), Model(listed: .batch, 12, 10),
    Model(.logistic, 1, .none, 5, 4), Model(.mlp, 1, .none, 4, 3),
    Model(.mlp, 1, .none, 4, 3, activation: .gelu, dropout: [0.2]),
    Model(.mlp, 1, .none, 4, 3, activation: tanh, dropout: [0.2]), Model(.cnn, 4, .none, 9, 10),
    Model(.cnn, 4, .group(groups: 2), 10, 9), Model(.cnn, 4, .batch, 10, 10),
    Model(.cnn, 4, .none, 10, 9, dropout: [0.25, 0.5]),
    Model(.cnn, 4, .group(groups: 4), 9, 9, activation: tanh, dropout: [0.25, 0.5]),
    Model(.lenet5, 3, .none, 16, 17), Model(.lenet5, 3, .group(groups: 1), 16, 16),
    Model(.lenet5, 3, .batch, 20, 16), Model(.lenet5, 3, .none, 28, 28),
    Model(.vgg, 2, .none, 9, 8), Model(.vgg, 2, .batch, 8, 8), Model(.resnet8, 4, .none, 8, 8),
    Model(.resnet8, 4, .group(groups: 2), 9, 7), Model(.resnet8, 4, .batch, 8, 9),
    Model(.resnet8, 4, .group(groups: 2), 8, 8, activation: .gelu),
    Model(.resnet8, 4, .batch, 8, 8, activation: tanh), Model(.resnet20, 4, .none, 6, 6),
    Model(.resnet20, 4, .group(groups: 2), 6, 6), Model(.resnet20, 4, .batch, 6, 6),
    Model(.resnet18, 2, .none, 9, 8), Model(.resnet18, 4, .group(groups: 2), 9, 8),
    Model(.resnet18, 4, .batch, 16, 16), Model(.vit, 12, .none, 6, 4), Model(.vit, 18, .none, 8, 8),
  ]

  @Test("The input's gradient where it is asked for; others keep their bits", arguments: models)
  func input(model: Model) throws {
    let plain = GradientCheck(try Network(model.spec, input: model.input, classes: 10), batch: 3)
    #expect(plain.inputGradient.isEmpty)
    let network = try Network(model.spec, input: model.input, classes: 10, inputGradient: true)
    let check = GradientCheck(network, batch: 3)
    #expect(check.gradient == plain.gradient)
    #expect(check.inputGradient.count == 3 * model.input.count)
    check.checkInput(coordinates: 25)
  }

  @Test("Every model kind with every norm", arguments: models)
  func everyModel(model: Model) throws {
    let network = try Network(model.spec, input: model.input, classes: 10)
    let check = GradientCheck(network, batch: 3)
    check.checkForward()
    check.checkCoordinates(perTensor: network.layout.entries.count > 30 ? 5 : 20)
    check.checkDirections()
  }
}
