import Base
import Fixtures
import Records
import Testing

@Suite("Models that did not learn")
struct ChanceLevelTests {
  private let chance = ChanceLevel(images: 500, classes: 5)

  /// Bounds from `scipy.stats.binomtest(k, 500).proportion_ci(0.95)`: the lower end is 0.19944 for
  /// 118 right images, and 0.20132 for 119.
  @Test("the exact interval decides, one image more or less")
  func interval() {
    #expect(chance.isReached(by: 118.0 / 500))
    #expect(!chance.isReached(by: 119.0 / 500))
    // Below chance nothing was learned either; what is not finite says nothing.
    #expect(chance.isReached(by: 0))
    #expect(!chance.isReached(by: .nan))
    #expect(!ChanceLevel(images: 0, classes: 5).isReached(by: 0.2))
  }

  @Test("a sentence for each strategy, with its seeds and accuracies")
  func sentences() {
    func strategy(_ label: String, _ accuracies: [Double?]) -> ComparedStrategy {
      let runs = accuracies.enumerated().map { index, accuracy in
        var record = RoundRecord(
          round: 1, sampled: [], bytes: RoundRecord.Bytes(up: 0, down: 0),
          time: RoundRecord.Time(wall: 0), digest: "")
        record.generic = accuracy.map {
          RoundRecord.Generic(
            accuracy: $0, loss: 1, balancedAccuracy: $0, macroF1: $0, perClass: [])
        }
        return RunFolder.Part(
          folder: "", run: StrategyRun(seed: UInt64(index + 1), records: [record]))
      }
      return ComparedStrategy(
        label: label, runs: Dictionary(uniqueKeysWithValues: runs.map { ($0.run.seed, $0) }))
    }
    #expect(
      chance.sentences([
        strategy("a", [0.2, 0.9, 0.21]), strategy("b", [0.9]), strategy("local-only", [nil]),
      ]) == [
        "a (seeds 1, 3) did not learn: its generic accuracy 20.0, 21.0 % on 500 test images "
          + "is not above chance, 20.0 % (exact 95 % interval)"
      ])
  }

  @Test("what environment.json says of the data, or nothing")
  func data() throws {
    let facts = try JSON(parsing: Array(#"{"classes":5,"test":{"images":500}}"#.utf8))
    #expect(ChanceLevel(facts)?.images == 500)
    #expect(ChanceLevel(facts)?.classes == 5)
    for text in ["{}", #"{"classes":5}"#, #"{"classes":0,"test":{"images":500}}"#] {
      #expect(ChanceLevel(try JSON(parsing: Array(text.utf8))) == nil)
    }
    #expect(ChanceLevel(nil) == nil)
  }

  @Test("one ε: the largest of all clients and seeds, a bound where one is")
  func epsilon() {
    func run(_ epsilon: Double?, accountant: String = "pld", guarantee: Bool = true) -> StrategyRun
    {
      var record = RoundRecord(
        round: 1, sampled: [], bytes: RoundRecord.Bytes(up: 0, down: 0),
        time: RoundRecord.Time(wall: 0), digest: "")
      record.privacy = epsilon.map {
        RoundRecord.Privacy(
          epsilonMax: $0, epsilonMedian: $0, delta: 1e-5, accountant: accountant,
          hasGuarantee: guarantee, clipped: nil, norm: nil, noiseToSignal: nil, clip: 1, error: nil,
          stopped: [])
      }
      return StrategyRun(seed: 1, records: [record])
    }
    #expect(SpentPrivacy([run(nil)]) == nil)
    #expect(SpentPrivacy([run(2), run(3)])?.epsilon == 3)
    #expect(SpentPrivacy([run(2), run(3)])?.isBound == false)
    #expect(SpentPrivacy([run(2), run(3, accountant: "rdp")])?.isBound == true)
    #expect(SpentPrivacy([run(2), run(3, guarantee: false)])?.epsilon == .infinity)
    #expect(SpentPrivacy([run(2), run(nil)])?.epsilon == .infinity)
  }
}
