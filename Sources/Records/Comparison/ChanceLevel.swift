import Base

/// What a generic model reaches that has learned nothing: the share 1/C of C classes.
///
/// A finished run did not learn when the exact 95 % interval of its accuracy (Clopper and Pearson,
/// over the images of the global test set) contains 1/C or lies below it.
package struct ChanceLevel: Sendable {
  /// Images of the global test set.
  package let images: Int
  package let classes: Int

  package init(images: Int, classes: Int) {
    self.images = images
    self.classes = classes
  }

  /// From what `environment.json` says of the data; nil where it does not tell.
  package init?(_ data: JSON?) {
    guard let images = data?["test"]?["images"]?.int, let classes = data?["classes"]?.int,
      images > 0, classes > 0
    else { return nil }
    self.init(images: images, classes: classes)
  }

  /// Whether an accuracy, a share of the test images, is no better than chance.
  package func isReached(by accuracy: Double) -> Bool {
    guard accuracy.isFinite, images > 0, classes > 0 else { return false }
    let right = Int(clamping: (min(max(accuracy, 0), 1) * Double(images)).rounded())
    return ClopperPearson.interval(right, of: images).lowerBound <= 1 / Double(classes)
  }

  /// A sentence for each strategy of folders of the same data that did not learn.
  package static func sentences(_ folders: [RunFolder], _ strategies: [ComparedStrategy])
    -> [String]
  {
    folders.lazy.compactMap { ChanceLevel($0.data) }.first?.sentences(strategies) ?? []
  }

  /// A sentence for each strategy with finished runs that did not learn.
  package func sentences(_ strategies: [ComparedStrategy]) -> [String] {
    strategies.compactMap { strategy in
      let runs = strategy.seeds.compactMap { seed -> (seed: UInt64, accuracy: Double)? in
        let accuracy = strategy.runs[seed]?.run.lastGeneric?.accuracy
        return accuracy.flatMap { isReached(by: $0) ? (seed, $0) : nil }
      }
      if runs.isEmpty { return nil }
      let seeds = runs.map { "\($0.seed)" }.joined(separator: ", ")
      let accuracies = runs.map { NumberText.percent($0.accuracy) }.joined(separator: ", ")
      return "\(strategy.label) (seed\(runs.count == 1 ? "" : "s") \(seeds)) did not learn: its "
        + "generic accuracy \(accuracies) % on \(images) test images is not above chance, "
        + "\(NumberText.percent(1 / Double(classes))) % (exact 95 % interval)"
    }
  }
}
