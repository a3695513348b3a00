import Base
import Scenario

/// The number by which runs are compared.
package struct ComparisonMetric: Sendable {
  /// How values are shown.
  package enum Unit: String, Sendable {
    /// In [0, 1], shown in per cent; differences in points.
    case share
    /// Shown in megabytes of 10⁶.
    case bytes
    /// Shown in units of 10¹².
    case operations
    /// Shown as seconds.
    case seconds
    /// Shown as it is.
    case plain
  }

  /// The path as in `summary.json`, such as "generic.shots.tail".
  package let name: String
  /// How values are shown.
  package let unit: Unit
  /// Whether a smaller value is the better one.
  package let lowerIsBetter: Bool
  /// Reads it from the records of a run; nil when it has no meaning there.
  package let read: @Sendable (StrategyRun) -> Double?

  /// Finds a metric by its path; nil when there is none.
  ///
  /// Those of `summary.json`; `bytes.total`, `train.flops`, `train.steps` and `train.examples`,
  /// which are totals over the rounds; `time.virtual`; and `target.MODEL.ACCURACY.QUANTITY`, what a
  /// run had spent when it first reached an accuracy, such as `target.generic.0.4.bytes.up`, or
  /// `reached`, which is 1 or 0.
  package init?(_ name: String) {
    self.name = name
    if name.hasPrefix("target.") {
      guard let target = Self.target(name.dropFirst("target.".count)) else { return nil }
      read = target.read
      unit = Self.unit(target.quantity)
      lowerIsBetter = target.quantity != "reached"
      return
    }
    if let metric = HeadlineMetric.all.first(where: { $0.name == name }) {
      read = metric.read
    } else if let total = Self.totals.first(where: { $0.name == name }) {
      read = total.read
    } else {
      return nil
    }
    unit = Self.unit(name)
    let worse = [
      "generic.loss", "generic.ece", "validation.generic.loss", "train.loss",
      "personal.fairness.std", "privacy.epsilon.max",
      "privacy.epsilon.median", "privacy.noiseToSignal", "privacy.clipped",
    ]
    lowerIsBetter = worse.contains(name) || unit != .share && unit != .plain
  }

  /// All names but those of targets, in the order of the documents.
  package static var names: [String] { HeadlineMetric.all.map(\.name) + totals.map(\.name) }

  /// Totals over a run that are no headline.
  private static let totals: [(name: String, read: @Sendable (StrategyRun) -> Double?)] = [
    ("bytes.total", { $0.records.isEmpty ? nil : RunBudget.bytes.spent($0.records).last ?? nil }),
    ("train.flops", { RunBudget.flops.spent($0.records).last ?? nil }),
    ("train.steps", { RunBudget.steps.spent($0.records).last ?? nil }),
    (
      "train.examples",
      { run in
        let trained = run.records.compactMap(\.train)
        return trained.isEmpty ? nil : trained.reduce(0) { $0 + Double($1.examples) }
      }
    ),
  ]

  private static func target(_ text: Substring) -> (
    quantity: String, read: @Sendable (StrategyRun) -> Double?
  )? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let model = AccuracyTarget.Model(rawValue: String(parts[0])) else {
      return nil
    }
    if parts[1].hasSuffix(".reached"), let accuracy = share(parts[1].dropLast(8)) {
      let target = AccuracyTarget(model, accuracy)
      return (
        "reached",
        { run in
          guard run.records.contains(where: { target.measured($0) != nil }) else { return nil }
          return TargetCost(run, reaching: target) == nil ? 0 : 1
        }
      )
    }
    // "0.4.bytes.up": the longest quantity that ends it, for names have points, too.
    for quantity in TargetCost.quantities where parts[1].hasSuffix("." + quantity.name) {
      guard let accuracy = share(parts[1].dropLast(quantity.name.count + 1)) else { return nil }
      let target = AccuracyTarget(model, accuracy)
      return (quantity.name, { run in TargetCost(run, reaching: target).flatMap(quantity.read) })
    }
    return nil
  }

  /// A number in (0, 1].
  private static func share(_ text: Substring) -> Double? {
    Double(text).flatMap { $0 > 0 && $0 <= 1 ? $0 : nil }
  }

  private static func unit(_ name: String) -> Unit {
    if name.hasPrefix("bytes.") { return .bytes }
    if name == "train.flops" { return .operations }
    if name.hasPrefix("time.") { return .seconds }
    let plain = [
      "generic.loss", "validation.generic.loss", "validation.best", "train.", "privacy.epsilon",
      "privacy.noise", "round", "reached",
    ]
    if plain.contains(where: { name.hasPrefix($0) }) { return .plain }
    return .share
  }
}

extension ComparisonMetric {
  /// A value is shown divided by this.
  package var scale: Double {
    switch unit {
    case .share: 0.01
    case .bytes: 1e6
    case .operations: 1e12
    case .seconds, .plain: 1
    }
  }

  /// The unit of a value in words.
  package var unitText: String {
    switch unit {
    case .share: "%"
    case .bytes: "MB"
    case .operations: "TFLOP"
    case .seconds: "s"
    case .plain: ""
    }
  }

  /// The unit of a difference in words, with a space before it.
  package var differenceUnit: String {
    unit == .share ? " points" : unitText.isEmpty ? "" : " " + unitText
  }

  /// Digits after the point that show four of the largest value.
  package func decimals(_ values: [Double]) -> Int {
    if unit == .share { return 2 }
    var largest = values.filter(\.isFinite).map { abs($0 / scale) }.max() ?? 0
    if largest == 0 { return 1 }
    var decimals = 3
    while largest >= 10, decimals > 0 {
      largest /= 10
      decimals -= 1
    }
    while largest < 1, decimals < 8 {
      largest *= 10
      decimals += 1
    }
    return decimals
  }

  /// A value with so many digits after the point.
  package func text(_ value: Double?, _ decimals: Int, plus: Bool = false) -> String {
    // An ε has the digits that it has everywhere.
    if !plus, name.hasPrefix("privacy.epsilon") { return NumberText.epsilon(value) }
    return NumberText.fixed(value.map { $0 / scale }, decimals, plus: plus)
  }
}
