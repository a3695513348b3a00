import Base

/// Class sizes that fall from the first label to the last, and the images that are kept.
///
/// The exponential profile is the CIFAR-LT convention of Cao et al., NeurIPS 2019,
/// arXiv:1906.07413. Their code takes the inverse factor n_min/n_max; here a factor is n_max/n_min
/// ≥ 1.
package struct LongTail: Sendable, Equatable {
  /// Images kept of each class.
  package let counts: [Int]

  /// Sizes by a profile, for a training set with `available` images per class.
  ///
  /// n_max is the size of the smallest class in `available`, which is what public and pre-training
  /// images left, or `maxPerClass` if that is less. Sizes that are given one by one are cut to
  /// `maxPerClass`, too.
  package init(_ settings: DataSettings.LongTail, available: [Int]) throws(Failure) {
    let smallest = available.min() ?? 0
    let largest = min(settings.maxPerClass ?? smallest, smallest)
    switch settings.profile {
    case .exponential(let factor):
      counts = Self.exponential(largest: largest, factor: factor, classes: available.count)
    case .step(let factor):
      counts = Self.step(largest: largest, factor: factor, classes: available.count)
    case .pareto(let factor):
      counts = Self.pareto(largest: largest, factor: factor, classes: available.count)
    case .explicit(let list):
      counts = list.map { min($0, settings.maxPerClass ?? $0) }
      try Self.check(counts, available: available)
      return
    }
    if let empty = available.firstIndex(of: 0) {
      throw Failure(
        .scenarioInvalid, "E3401",
        "data.longTail: class \(empty) has no training image, so no profile can start from it",
        hint: "use the profile \"explicit\" with 0 for this class")
    }
    if let empty = counts.firstIndex(of: 0) {
      throw Failure(
        .scenarioInvalid, "E3402",
        "data.longTail: class \(empty) would keep 0 images, because the largest class has "
          + "\(largest) and the factor is larger than that",
        hint: "choose a factor of at most \(largest)")
    }
  }

  private static func check(_ list: [Int], available: [Int]) throws(Failure) {
    guard list.count == available.count else {
      throw Failure(
        .scenarioInvalid, "E3403",
        "data.longTail.counts has \(list.count) entries; "
          + "the data set has \(available.count) classes",
        hint: "give one count per class, in the order of the labels")
    }
    for (label, (wanted, full)) in zip(list, available).enumerated() {
      guard wanted >= 0, wanted <= full else {
        throw Failure(
          .scenarioInvalid, "E3404",
          "data.longTail.counts asks for \(wanted) images of class \(label), which has \(full)",
          hint: "ask for 0 to \(full)")
      }
    }
    guard list.contains(where: { $0 > 0 }) else {
      throw Failure(.scenarioInvalid, "E3405", "data.longTail.counts keeps no image at all")
    }
  }

  /// n_i = ⌊n_max · IF^(−i/(C−1))⌋; one class keeps n_max.
  package static func exponential(largest: Int, factor: Double, classes: Int) -> [Int] {
    (0..<classes).map { label in
      let position = classes > 1 ? Double(label) / Double(classes - 1) : 0
      return floorOfProduct(Double(largest) * pow(factor, -position))
    }
  }

  /// The first ⌊C/2⌋ classes keep n_max, the others ⌊n_max/IF⌋; one class keeps n_max.
  package static func step(largest: Int, factor: Double, classes: Int) -> [Int] {
    (0..<classes).map { label in
      label < max(1, classes / 2) ? largest : floorOfProduct(Double(largest) / factor)
    }
  }

  /// n_i = ⌊n_max · (i+1)^(−ln IF / ln C)⌋: a power law of the rank that ends at n_max/IF.
  package static func pareto(largest: Int, factor: Double, classes: Int) -> [Int] {
    let exponent = classes > 1 ? log(factor) / log(Double(classes)) : 0
    return (0..<classes).map { label in
      floorOfProduct(Double(largest) * pow(Double(label + 1), -exponent))
    }
  }

  /// ⌊x⌋, but a product that misses a whole number by rounding alone counts as that number:
  /// 500 · 10^(−99/99) is 50, also where `pow` gives 49.99999999999999.
  private static func floorOfProduct(_ product: Double) -> Int {
    let whole = product.rounded()
    let rounding = 16 * product.ulp
    return Int(clamping: abs(product - whole) <= rounding ? whole : product.rounded(.down))
  }

  /// The kept training indices in ascending order: of each class the first n_i of a shuffle by
  /// (seed, class).
  ///
  /// The shuffle does not know n_i, so what a steeper profile keeps is a subset of what a flatter
  /// one keeps.
  ///
  /// `candidates`: indices to choose from, ascending; every image when left out.
  package func keep(_ labels: [Int32], among candidates: [Int]? = nil, seed: UInt64) -> [Int] {
    var members = [[Int]](repeating: [], count: counts.count)
    for index in candidates ?? Array(labels.indices) { members[Int(labels[index])].append(index) }
    var kept: [Int] = []
    for label in members.indices {
      var stream = RandomStream(seed: seed, .longTail, step: label)
      stream.shuffle(&members[label])
      kept += members[label].prefix(counts[label])
    }
    return kept.sorted()
  }
}
