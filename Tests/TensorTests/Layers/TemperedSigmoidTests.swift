import Base
import Tensor
import Testing

/// φ(x) = s·sigmoid(T·x) − o; its gradient is checked in every model by `GradientTests`.
@Suite("Tempered sigmoids")
struct TemperedSigmoidTests {
  /// φ and φ' at some places, by a network of one weight 1.
  static func curve(_ s: Double, _ t: Double, _ o: Double, at places: [Float]) -> (
    values: [Float], slopes: [Float]
  ) {
    var builder = NetworkBuilder(input: FeatureShape(features: 1))
    let sum = builder.dense("a", builder.input, 1, bias: true)
    let kind = ModelSpec.Activation.temperedSigmoid(scale: s, inverseTemperature: t, offset: o)
    let logits = builder.activation(kind, sum)
    let network = builder.build(logits: logits)
    let space = Workspace(network, capacity: 1, training: true)
    var (values, slopes): ([Float], [Float]) = ([], [])
    space.load([1, 0])
    for x in places {
      space.input[0] = x
      network.forward(space, batch: 1, training: true)
      values.append(space.logits[0])
      space.logitsGradient[0] = 1
      network.backward(space, batch: 1)
      slopes.append(space.gradient[1])  // of the bias: φ'(x)
    }
    return (values, slopes)
  }

  static let places: [Float] = (-400...400).map { Float($0) / 40 } + [-1e30, 1e30, 100, -100]

  @Test("(2, 2, 1) is tanh")
  func hyperbolicTangent() {
    let (values, slopes) = Self.curve(2, 2, 1, at: Self.places)
    for (x, (y, slope)) in zip(Self.places, zip(values, slopes)) {
      // An ulp of 2·sigmoid and one of the difference.
      #expect(abs(Double(y) - tanh(Double(x))) <= 2.5e-7)
      #expect(abs(Double(slope) - (1 - tanh(Double(x)) * tanh(Double(x)))) <= 1e-6)
    }
  }

  @Test("Values lie in [−o, s − o]; the steepest place is 0, with slope s·T/4")
  func range() {
    for (s, t, o) in [(1.58, 3.0, 0.71), (2.27, 2.61, 1.28), (1, 1, 0)] {
      let (values, slopes) = Self.curve(s, t, o, at: Self.places)
      #expect(values.allSatisfy { Double($0) >= -o - 1e-6 && Double($0) <= s - o + 1e-6 })
      #expect(slopes.allSatisfy { $0 >= 0 && Double($0) <= s * t / 4 + 1e-6 })
      #expect(abs(Double(slopes[400]) - s * t / 4) < 1e-6)
    }
  }
}
