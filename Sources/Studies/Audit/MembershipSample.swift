import Base
import Client
import Data
import Federation
import Records
import Tensor

/// Images that are asked whether a model was trained on them, and what models say of them.
struct MembershipSample {
  let context: RunContext
  /// Of each class: clients' training images, and as many test images, ascending.
  let classes: [(members: [Int], others: [Int])]

  /// As many members as others of every class, up to `perClass`, drawn at random, so that a class
  /// that is hard for the model does not pass for one that it never saw.
  init(_ context: RunContext, perClass: Int) {
    self.context = context
    let training = Self.byClass(
      context.train.images, context.split.clients.flatMap { $0 }.sorted())
    let test = Self.byClass(context.test.images, Array(context.test.images.labels.indices))
    classes = (0..<context.network.classes).map { label in
      let size = min(perClass, training[label].count, test[label].count)
      func draw(_ list: [Int], _ step: Int) -> [Int] {
        var list = list
        var stream = RandomStream(seed: context.seed, .audit, client: label, step: step)
        stream.shuffle(&list)
        return list.prefix(size).sorted()
      }
      return (draw(training[label], 0), draw(test[label], 1))
    }
  }

  var members: [Int] { classes.flatMap(\.members) }
  var others: [Int] { classes.flatMap(\.others) }

  private static func byClass(_ images: ImageSet, _ indices: [Int]) -> [[Int]] {
    var lists = [[Int]](repeating: [], count: images.classes)
    for index in indices { lists[Int(images.labels[index])].append(index) }
    return lists
  }

  /// Numbers of all members and all others, in the order of `members` and `others`, by class.
  func byClass<Value>(_ members: [Value], _ others: [Value]) -> [(
    members: [Value], others: [Value]
  )] {
    var (first, second) = (0, 0)
    return classes.map { one in
      defer {
        first += one.members.count
        second += one.others.count
      }
      return (
        Array(members[first..<first + one.members.count]),
        Array(others[second..<second + one.others.count])
      )
    }
  }

  /// One row for all classes, and one per group of classes where some are rarer than others; low
  /// scores are those of members.
  func rows(_ attack: String, members: [Double], others: [Double], bounds: [Double?])
    -> [MembershipRow]
  {
    let scores = byClass(members, others)
    func row(_ group: String, _ labels: [Int]) -> MembershipRow? {
      MembershipScore(
        members: labels.flatMap { scores[$0].members }, others: labels.flatMap { scores[$0].others }
      ).map { MembershipRow(attack: attack, group: group, score: $0, bounds: bounds) }
    }
    var rows = [row("all", Array(scores.indices))]
    if let groups = ShotGroups.cumulativeShare(context.split.classCounts) {
      rows += ShotGroups.Group.allCases.map { row($0.rawValue, groups.classes(in: $0)) }
    }
    return rows.compactMap { $0 }
  }

  /// φ = z_y − ln Σ_{c≠y} e^{z_c} of images, the logit of the label's probability, without
  /// augmentation or dropout, in the order given.
  ///
  /// ln(1 + e^{−φ}) is the cross-entropy; φ itself keeps its digits where that is nearly 0.
  func confidences(_ model: [Float], _ loader: BatchLoader, _ indices: [Int]) -> [Double] {
    let network = context.network
    let size = network.evaluationBatch
    let context = context
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
        let row = UnsafeBufferPointer(
          start: logits + example * network.classes, count: network.classes)
        return Self.confidence(row.map(Double.init), label: Int(labels[example]))
      }
    }
    return pieces.flatMap { $0 }
  }

  /// φ of one image's logits.
  static func confidence(_ logits: [Double], label: Int) -> Double {
    let rest = logits.indices.filter { $0 != label }.map { logits[$0] }
    guard let most = rest.max(), most.isFinite else { return .nan }
    return logits[label] - most - log(rest.reduce(0) { $0 + exp($1 - most) })
  }
}
