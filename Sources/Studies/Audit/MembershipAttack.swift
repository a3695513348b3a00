import Base
import Client
import Data
import Federation
import Records
import Tensor

/// Which images look as if the model had seen them.
struct MembershipAttack {
  let context: RunContext
  let model: [Float]

  /// One row for all classes, and one per group of classes where some are rarer than others.
  ///
  /// Members are clients' training images, others are test images. Every class has as many of
  /// both, up to `perClass`, drawn at random, so that a class that is hard for the model does not
  /// pass for one that it never saw.
  func rows(perClass: Int) -> [MembershipRow] {
    let classes = context.network.classes
    var drawn: [(members: [Int], others: [Int])] = []
    let training = byClass(context.train.images, context.split.clients.flatMap { $0 }.sorted())
    let test = byClass(context.test.images, Array(context.test.images.labels.indices))
    for label in 0..<classes {
      let size = min(perClass, training[label].count, test[label].count)
      func draw(_ list: [Int], _ step: Int) -> [Int] {
        var list = list
        var stream = RandomStream(seed: context.seed, .audit, client: label, step: step)
        stream.shuffle(&list)
        return list.prefix(size).sorted()
      }
      drawn.append((draw(training[label], 0), draw(test[label], 1)))
    }
    let members = drawn.map { losses(context.train, $0.members) }
    let others = drawn.map { losses(context.test, $0.others) }
    func row(_ group: String, _ labels: [Int]) -> MembershipRow? {
      MembershipScore(
        members: labels.flatMap { members[$0] }, others: labels.flatMap { others[$0] }
      ).map { MembershipRow(group: group, score: $0) }
    }
    var rows = [row("all", Array(0..<classes))]
    if let groups = ShotGroups.cumulativeShare(context.split.classCounts) {
      rows += ShotGroups.Group.allCases.map { row($0.rawValue, groups.classes(in: $0)) }
    }
    return rows.compactMap { $0 }
  }

  private func byClass(_ images: ImageSet, _ indices: [Int]) -> [[Int]] {
    var lists = [[Int]](repeating: [], count: images.classes)
    for index in indices { lists[Int(images.labels[index])].append(index) }
    return lists
  }

  /// Cross-entropy of each image, without augmentation or dropout, in the order given.
  private func losses(_ loader: BatchLoader, _ indices: [Int]) -> [Double] {
    let network = context.network
    let size = network.evaluationBatch
    let pieces = context.pool.map((indices.count + size - 1) / size) { worker, piece in
      let space = context.spaces[worker]
      space.load(model)
      let batch = indices[piece * size..<min((piece + 1) * size, indices.count)]
      loader.fill(space, batch)
      network.forward(space, batch: batch.count, training: false)
      guard let logits = space.logits.baseAddress, let labels = space.labels.baseAddress else {
        return [Double]()
      }
      return (0..<batch.count).map { example in
        SoftmaxCrossEntropy().evaluate(
          logits: logits + example * network.classes, labels: labels + example, batch: 1,
          classes: network.classes
        ).lossSum
      }
    }
    return pieces.flatMap { $0 }
  }
}
