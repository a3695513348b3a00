import Base
import Data
import Records

@testable import Report

/// Invented runs with the shape of real ones: five strategies, three seeds, a hundred rounds.
enum ReportSample {
  static let counts = [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]

  static let labels = ["fedavg", "fedprox-mu0.1", "scaffold", "fedper", "local-only"]

  static func input(
    seeds: [UInt64] = [1, 2, 3], rounds: Int = 100, counts: [Int] = counts, clients: Int = 20
  ) -> ReportInput {
    let names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship"]
    let classNames = counts.count == 10 ? names + ["truck"] : counts.indices.map { "class \($0)" }
    return ReportInput(
      title: "first-light <&\"> c10lt",
      conditions: [
        "CIFAR-10-LT factor 100, Dirichlet 0.5, \(clients) clients (40 %), 100 rounds, resnet8-32-gn",
        "local tests prior-weighted; SGD 0.05, momentum 0.9, batch 32, 1 epoch",
      ],
      warnings: [
        "client 7 holds fewer images than a batch",
        "no formal privacy guarantee: none was asked for",
      ],
      strategies: labels.enumerated().map { index, label in
        StrategyResult(
          label: label,
          runs: seeds.map { seed in
            StrategyRun(
              seed: seed,
              records: rounds == 0
                ? [] : (1...rounds).map { record(index, seed: seed, round: $0, counts: counts) })
          })
      }, classNames: classNames, classCounts: counts,
      clientClassCounts: (0..<clients).map { client in
        counts.indices.map { label in
          counts[label] * ((client * 7 + label * 3) % 11 - 3).clamped(to: 0...8) / 60
        }
      },
      scenario: .object([
        ("fedsim", 1), ("name", "first-light <script>"), ("seeds", [1, 2, 3]),
        ("data", .object([("dataset", .object([("kind", "cifar10")]))])),
      ]), command: "fedsim run scenario.json --out 'runs/first light' && echo <done>")
  }

  /// Two rounds, the second with `value` in place of every measure.
  static func diverged(_ value: Double) -> ReportInput {
    var input = input(seeds: [1], rounds: 2)
    for index in input.strategies.indices {
      var record = input.strategies[index].runs[0].records[0]
      record.train?.loss = value
      record.generic?.loss = value
      record.generic?.accuracy = value
      record.generic?.perClass = [Double](repeating: value, count: counts.count)
      record.personal?.accuracy = value
      input.strategies[index].runs[0].records[0] = record
      record.round = 2
      input.strategies[index].runs[0].records[1] = record
    }
    return input
  }

  static func record(_ strategy: Int, seed: UInt64, round: Int, counts: [Int]) -> RoundRecord {
    var stream = XXHash64(seed: seed)
    stream.update([UInt64(strategy), UInt64(round)])
    let noise = Double(stream.finish() % 1000) / 1000 - 0.5
    let progress = 1 - 1 / (1 + Double(round) * (0.05 + 0.01 * Double(strategy)))
    let evaluated = round == 1 || round % 5 == 0
    let local = labels[strategy] == "local-only"
    let perClass = counts.map { count in
      let frequency = Double(count) / Double(counts.max() ?? 1)
      let top = 0.15 + 0.7 * frequency.squareRoot().squareRoot() + 0.02 * Double(strategy)
      return max(0, min(1, progress * top - 0.1 + 0.04 * noise))
    }
    var generic: RoundRecord.Generic?
    if evaluated, !local {
      let mean = Metrics.mean(perClass)
      generic = RoundRecord.Generic(
        accuracy: mean, loss: 2.3 - 1.5 * progress, balancedAccuracy: mean, macroF1: mean * 0.95,
        perClass: perClass, shots: ShotGroups.cumulativeShare(counts)?.accuracies(perClass),
        shotsAbsolute: ShotGroups.absolute(counts).accuracies(perClass))
    }
    let personal = (0..<20).map { client in
      min(1, 0.2 + 0.5 * progress + 0.01 * Double(client) + 0.03 * Double(strategy) + 0.05 * noise)
    }
    return RoundRecord(
      round: round, sampled: [1, 4, 9],
      bytes: .init(up: local ? 0 : 1_281_040, down: local ? 0 : 1_921_560),
      train: .init(loss: 2.4 - 1.9 * progress + 0.2 * noise, examples: 4960, steps: 155),
      generic: generic,
      personal: evaluated
        ? Metrics.personal(
          personal, model: strategy >= 3 ? .own : .generic,
          alone: local ? nil : personal.map { _ in 0.66 }) : nil,
      time: .init(wall: 7.21, virtual: 31.5 * Double(round * (strategy + 1))),
      digest: "9d0f3c2a1b4e5f60")
  }
}

extension Int {
  fileprivate func clamped(to range: ClosedRange<Int>) -> Int {
    Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
  }
}
