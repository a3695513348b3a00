import Base
import Testing

@testable import Client

/// Records of an audit: clipped like examples, read without a look at who was there.
@Suite("Planted canaries")
struct PlantedCanaryTests {
  private func planted(
    _ places: [[Int]] = [[0], [3]], norm: Double = 4, _ isIn: [Bool] = [true, false]
  )
    -> PlantedCanaries
  { PlantedCanaries(places: places, norm: norm, included: isIn) }

  @Test("factors are those of an example with such a gradient")
  func factors() {
    var privacy = ExamplePrivacy(clip: 1, noiseMultiplier: 1, batch: 4)
    #expect(privacy.factors(planted(), parts: 3) == (0.25, 0))
    #expect(privacy.factors(planted(norm: 0.5), parts: 3) == (1, 0))
    privacy.clipping = .automatic
    #expect(privacy.factors(planted(), parts: 3).kept == 1 / 4.01)
    // Two parameters in two of four layers: 4/√2 each, and C/√4.
    privacy.clipping = .perLayer
    let layered = privacy.factors(planted([[0, 9]], [true]), parts: 4)
    #expect(abs(layered.kept * 4 / 2.0.squareRoot() - 0.5) < 1e-12 && layered.rest == 0)
    // DiceSGD: first to the cap, then to the clip; what is between goes into the error.
    privacy.clipping = .flat
    privacy.errorFeedback = .init()
    #expect(privacy.factors(planted(), parts: 3) == (0.25, 0.75))
    privacy.errorFeedback = .init(cap: 3)
    let (kept, rest) = privacy.factors(planted(), parts: 3)
    #expect(abs(4 * kept - 1) < 1e-12 && abs(4 * (kept + rest) - 3) < 1e-12)
  }

  @Test("only who is there joins; scores are read of everybody")
  func scores() {
    var canaries = planted([[0], [3], [1, 2]], [true, false, true])
    var stream = RandomStream(seed: 1, .dpSampling)
    canaries.draw(from: &stream, rate: 1)
    #expect(canaries.joined == [0, 2])
    canaries.draw(from: &stream, rate: 0)
    #expect(canaries.joined.isEmpty)
    canaries.read([1, 2, 4, -0.5], batch: 8)
    canaries.read([0.5, 0, 0, 0], batch: 8)
    #expect(canaries.scores[0] == 12 && canaries.scores[1] == -4)
    #expect(abs(canaries.scores[2] - 48 / 2.0.squareRoot()) < 1e-12)
    // Each joins by itself: 400 coins of 0.3, five deviations.
    var many = planted((0..<400).map { [$0] }, [Bool](repeating: true, count: 400))
    many.draw(from: &stream, rate: 0.3)
    #expect(abs(many.joined.count - 120) < 46)
  }
}
