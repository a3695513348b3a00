import Records

/// A round's record with everything in it.
package enum SampleRecord {
  package static let full = RoundRecord(
    round: 110, sampled: [3, 7, 11], bytes: .init(up: 88_214, down: 3_843_120),
    train: .init(loss: 2.913, examples: 4960, steps: 155),
    generic: .init(
      accuracy: 0.1, loss: 0.1 + 0.2, balancedAccuracy: 1.0 / 3, macroF1: .leastNonzeroMagnitude,
      perClass: [0.5, 0.25],
      shots: .init(rule: "cumulative-share 75/95", head: 0.412, middle: nil, tail: 0.058),
      shotsAbsolute: .init(rule: "absolute >100 / 20..100 / <20", head: 1, middle: 0, tail: nil)),
    personal: .init(
      accuracy: 0.4177, model: .own,
      fairness: .init(std: 0.081, p10: 0.31, worst: 0.24, worstDecile: 0.25, helped: 0.85),
      global: 0.3, perClass: [0.5, 0.125],
      shots: .init(rule: "cumulative-share 75/95", head: 0.5, middle: nil, tail: 0.125)),
    time: .init(wall: 7.21, virtual: 188.4), digest: "9d0f")
}
