import Tensor
import TestSupport
import Testing

/// Joined operations and fast dense layers against the interpreter, which knows neither.
@Suite("Joined operations")
struct FusionTests {
  static let recipes: [(recipe: String, height: Int, width: Int)] = [
    // Convolution, ReLU and pooling: first layer, minimal filtering, both paddings.
    ("conv c1 16 3 1 1 1; relu; max 2 2 0; dense fc 5 1", 6, 8),
    ("conv c1 16 3 1 1 1; relu; conv c2 32 3 1 0 1; relu; max 2 2 0; dense fc 5 1", 8, 6),
    (
      "conv c1 16 5 1 2 1; relu; max 2 2 0; conv c2 16 3 1 1 1; relu; max 2 2 0; dense fc 5 1", 4, 8
    ),
    // What looks like it and is not: odd maps, other windows, no ReLU, no bias, few channels.
    ("conv c1 16 3 1 1 1; relu; max 2 2 0; dense fc 5 1", 7, 6),
    ("conv c1 16 3 1 1 1; relu; max 3 2 1; dense fc 5 1", 6, 6),
    ("conv c1 16 3 1 1 1; relu; max 2 1 0; dense fc 5 1", 6, 6),
    ("conv c1 16 3 1 1 1; max 2 2 0; dense fc 5 1", 6, 6),
    ("conv c1 16 3 1 1 0; relu; max 2 2 0; dense fc 5 1", 6, 6),
    ("conv c1 12 3 1 1 1; relu; max 2 2 0; dense fc 5 1", 6, 6),
    ("conv c1 16 3 1 1 1; relu; avg 2 2 0; dense fc 5 1", 6, 6),
    // The convolution's map is read a second time.
    ("conv c1 16 3 1 1 1; relu; mark; max 2 2 0; swap; avg 2 2 0; residual; dense fc 5 1", 6, 6),
    // Residual blocks: plain, with a projection, sums without a ReLU, a sum with itself.
    (
      "conv c1 16 3 1 1 0; group n1 4; relu; mark; conv c2 16 3 1 1 0; group n2 4; relu;"
        + "conv c3 16 3 1 1 0; group n3 4; residual; relu; global; dense fc 5 1", 5, 6
    ),
    (
      "conv c1 16 3 1 1 0; group n1 4; relu; mark; conv c2 32 3 2 1 0; group n2 8; swap;"
        + "conv s 32 1 2 0 0; group n3 8; residual; relu; global; dense fc 5 1", 6, 4
    ), ("conv c1 16 3 1 1 0; mark; group n1 4; residual; relu; global; dense fc 5 1", 4, 4),
    (
      "conv c1 17 3 1 1 0; group n1 1; relu; mark; conv c2 17 3 1 1 0; group n2 17; residual;"
        + "global; dense fc 5 1", 5, 4
    ),
  ]

  @Test("values and gradients are those of the layers one by one", arguments: recipes.indices)
  func joined(_ index: Int) throws {
    let (recipe, height, width) = Self.recipes[index]
    let network = try NetworkRecipe.build(
      recipe, input: FeatureShape(height: height, width: width, channels: 3))
    let check = GradientCheck(network, batch: 3)
    check.checkForward()
    check.checkCoordinates(perTensor: 30)
    check.checkDirections()
  }

  @Test(
    "dense layers of odd sizes, with few and many rows", arguments: [1, 2, 11, 12, 13, 24, 25, 40],
    [(1, 1), (15, 3), (16, 16), (17, 33), (530, 18), (1100, 10)])
  func dense(
    _ batch: Int, _ size: (inputs: Int, hidden: Int)
  ) throws {
    let recipe = "dense a \(size.inputs) 1; relu; dense b \(size.hidden) 0; dense fc 3 1"
    let network = try NetworkRecipe.build(recipe, input: FeatureShape(features: 7))
    let check = GradientCheck(network, batch: batch)
    check.checkForward()
    check.checkDirections()
  }

  @Test("windows without a positive value pass no gradient, ties go to the first")
  func ties()
    throws
  {
    // A 1×1 convolution with weight 1 for channel 0 makes the pooled map known.
    let recipe = "conv c1 16 1 1 0 1; relu; max 2 2 0; dense fc 2 1"
    let network = try NetworkRecipe.build(
      recipe, input: FeatureShape(height: 2, width: 4, channels: 1))
    let workspace = Workspace(network, capacity: 1, training: true)
    var parameters = [Float](repeating: 0, count: network.layout.count)
    let weight = try #require(network.layout["c1.weight"])
    let bias = try #require(network.layout["c1.bias"])
    let fc = try #require(network.layout["fc.weight"])
    parameters[weight.range.lowerBound] = 1
    for i in fc.range { parameters[i] = 1 }
    workspace.load(parameters)
    // The first window has two equal largest values, the second none above zero.
    workspace.fill([-1, 2, -3, -1, 2, 1, 0, -4])
    network.forward(workspace, batch: 1, training: true)
    #expect(Array(workspace.logits.prefix(2)) == [2, 2])
    workspace.logitsGradient[0] = 1
    workspace.logitsGradient[1] = 0
    network.backward(workspace, batch: 1)
    // dw = x at the winner (2, the first of the two), db = 1: one window with a gradient.
    #expect(workspace.gradient[weight.range.lowerBound] == 2)
    #expect(workspace.gradient[bias.range.lowerBound] == 1)
  }
}
