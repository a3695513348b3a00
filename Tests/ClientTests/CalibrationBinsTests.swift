import Client
import Testing

@Suite("Calibration bins")
struct CalibrationTests {
  @Test("two bins by hand")
  func byHand() throws {
    var bins = CalibrationBins()
    // Bin 15 holds (14/15, 1]: two predictions, one right; |1 - (0.95 + 0.99)| = 0.94.
    bins.add(confidence: 0.95, isCorrect: true)
    bins.add(confidence: 0.99, isCorrect: false)
    // Bin 8 holds (7/15, 8/15]: one prediction, right; |1 - 0.5| = 0.5.
    bins.add(confidence: 0.5, isCorrect: true)
    #expect(bins.counts.enumerated().filter { $0.element > 0 }.map(\.offset) == [7, 14])
    let error = try #require(bins.error)
    // (0.94 + 0.5) / 3, in a few roundings.
    #expect(abs(error - 0.48) < 1e-15)
  }

  @Test("a bin ends with its upper edge, and no prediction has no error")
  func edges() {
    var bins = CalibrationBins()
    #expect(bins.error == nil)
    // 1/15 and 2/15 in floating point are the edges as they are computed.
    bins.add(confidence: 1.0 / 15, isCorrect: false)
    bins.add(confidence: 1, isCorrect: true)
    #expect(bins.counts[0] == 1)
    #expect(bins.counts[14] == 1)
  }

  @Test("perfect confidence of right answers is no error; of wrong ones, all of it")
  func extremes() {
    for isCorrect in [true, false] {
      var bins = CalibrationBins()
      for _ in 0..<5 { bins.add(confidence: 1, isCorrect: isCorrect) }
      #expect(bins.error == (isCorrect ? 0 : 1))
    }
  }

  @Test("parts add up, and what is not finite shows")
  func parts() throws {
    var first = CalibrationBins()
    first.add(confidence: 0.3, isCorrect: true)
    var second = CalibrationBins()
    second.add(confidence: 0.8, isCorrect: false)
    var sum = first
    sum.add(second)
    #expect(sum.total == 2)
    let error = try #require(sum.error)
    #expect(abs(error - 0.75) < 1e-15)
    second.add(confidence: .nan, isCorrect: false)
    let broken = try #require(second.error)
    #expect(broken.isNaN)
  }

  @Test("the confidence is the largest probability: e²/(e² + e + 1) of logits 0, 1, 2")
  func confidence() {
    let logits: [Float] = [0, 1, 2]
    let p = CalibrationBins.confidence(logits, classes: 3, winner: 2)
    #expect(abs(p - 0.665_240_955_774_821_8) < 1e-15)
  }

  @Test("bins are read back only whole")
  func reading() {
    #expect(CalibrationBins(counts: [1], correct: [1], confidence: [1]) == nil)
  }
}
