import Base

/// One value that a trial gives to a path.
struct SweepSetting: Equatable {
  /// The path in its one spelling, such as "strategies[0].mu".
  let path: String
  /// The value; null takes the field away.
  let value: JSON
  let line: Int
}

/// What a trial sets, in the order of the file.
struct SweepPoint: Equatable {
  var settings: [SweepSetting]

  /// As `--set` takes it; fields that are taken away come last, so that they win over values
  /// inside them.
  ///
  /// A null `privacy.target.epsilon` means no privacy: the section goes, or, for a strategy with
  /// privacy of its own, becomes "none".
  var overrides: [String] {
    let given = settings.filter { !$0.value.isNull }.map { "\($0.path)=\($0.value.compact)" }
    let removed = settings.filter(\.value.isNull).map { setting -> String in
      let ending = "privacy.target.epsilon"
      guard setting.path == ending || setting.path.hasSuffix("." + ending) else {
        return setting.path + "=null"
      }
      let section = setting.path.dropLast(".target.epsilon".count)
      return section == "privacy" ? "privacy=null" : "\(section)=none"
    }
    return given + removed
  }
}

enum SweepPoints {
  /// All combinations of the axes, the last one varying fastest; none without axes.
  static func grid(_ axes: [[SweepSetting]]) -> [SweepPoint] {
    guard !axes.isEmpty else { return [] }
    return axes.reduce([SweepPoint(settings: [])]) { points, axis in
      points.flatMap { point in axis.map { SweepPoint(settings: point.settings + [$0]) } }
    }
  }

  /// One path of a random search.
  struct Draw {
    let path: String
    let line: Int
    let distribution: Distribution
  }

  /// Where a value is drawn from.
  enum Distribution {
    case logarithmic(Double, Double)
    case uniform(Double, Double)
    case integers(Int, Int)
    case choice([JSON])

    /// A value by one uniform number, or one whole number.
    func value(_ stream: inout RandomStream) -> JSON {
      switch self {
      case .logarithmic(let low, let high):
        let drawn = low * exp(stream.uniform() * (log(high) - log(low)))
        return .number(min(high, max(low, SweepPoints.rounded(drawn))))
      case .uniform(let low, let high):
        // (high - low) could be infinite.
        let share = stream.uniform()
        let drawn = low * (1 - share) + high * share
        return .number(min(high, max(low, SweepPoints.rounded(drawn))))
      case .integers(let low, let high): return .int(low + stream.below(high - low + 1))
      case .choice(let values): return values[stream.below(values.count)]
      }
    }
  }

  /// Drawn points: the value of a path in a trial is a function of seed, trial and path, so that
  /// neither more trials nor another path change it.
  static func random(_ draws: [Draw], trials: Int, seed: UInt64) -> [SweepPoint] {
    (0..<trials).map { trial in
      SweepPoint(
        settings: draws.map { draw in
          var hash = XXHash64()
          hash.update(draw.path)
          var stream = RandomStream(
            seed: seed, .sweep, round: trial, client: Int(hash.finish() >> 1))
          return SweepSetting(
            path: draw.path, value: draw.distribution.value(&stream), line: draw.line)
        })
    }
  }

  /// A drawn number with six significant digits, half away from zero.
  ///
  /// People can read it, and the last bit of a system's exponential cannot change a trial. Below
  /// 1e-290 it stays as it is.
  static func rounded(_ number: Double) -> Double {
    guard number.isFinite, abs(number) >= 1e-290 else { return number }
    func scaled(_ power: Int) -> Double {
      // Powers of ten are read, not computed.
      let ten = Double("1e\(abs(power))") ?? 1
      return power >= 0 ? abs(number) * ten : abs(number) / ten
    }
    var power = 5 - Int(clamping: log10(abs(number)).rounded(.down))
    while scaled(power) >= 1e6 { power -= 1 }
    while scaled(power) < 1e5 { power += 1 }
    let digits = Int(clamping: scaled(power).rounded())
    return Double("\(number < 0 ? "-" : "")\(digits)e\(-power)") ?? number
  }
}
