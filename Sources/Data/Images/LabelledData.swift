import Base
import Client
import Tensor

/// A data set as read: training and test images, and its natural clients where it has them.
package struct LabelledData: Sendable {
  /// Such as "CIFAR-10".
  package let title: String
  package let train: ImageSet
  /// Test images; never used in training.
  package let test: ImageSet
  /// Training indices of each natural client; nil when the data set knows none.
  package let naturalClients: [[Int]]?
  /// Names of the classes, [C]; empty when the data set gives none.
  package var classNames: [String]
  /// What may not have been read as it was meant, a sentence each.
  package var doubts: [String] = []

  /// A data set with every part.
  package init(
    title: String, train: ImageSet, test: ImageSet, naturalClients: [[Int]]? = nil,
    classNames: [String] = []
  ) {
    self.classNames = classNames
    self.title = title
    self.train = train
    self.test = test
    self.naturalClients = naturalClients
  }
}

extension LabelledData {
  /// The data without some classes: training and test images of the others, relabelled 0 ..< C′ in
  /// the order of their labels.
  ///
  /// Training indices count the images that stay, those of natural clients too.
  ///
  /// Throws exit 3 when a class does not exist, or when fewer than two classes or no test image
  /// would be left.
  package func withoutClasses(_ classes: [Int]) throws(Failure) -> LabelledData {
    let isNamed = try named(classes)
    let rest = isNamed.count { !$0 }
    guard rest >= 2 else {
      throw unfit("takes \(train.classes - rest) of \(train.classes) classes, which leaves \(rest)")
    }
    let list = classes.sorted().map(String.init).joined(separator: ", ")
    let data = selecting(isNamed.map { !$0 }, title: "\(title) without classes \(list)")
    guard data.test.count > 0 else { throw unfit("leaves no test image") }
    return data
  }

  /// The data of some classes alone, relabelled 0 ..< C′ in the order of their labels.
  ///
  /// Throws exit 3 when a class does not exist, or when fewer than two are named or they have no
  /// training image.
  package func onlyClasses(_ classes: [Int]) throws(Failure) -> LabelledData {
    let isNamed = try named(classes)
    guard isNamed.count(where: { $0 }) >= 2 else { throw unfit("names fewer than two classes") }
    let list = classes.sorted().map(String.init).joined(separator: ", ")
    let data = selecting(isNamed, title: "\(title), classes \(list)")
    guard data.train.count > 0 else { throw unfit("names classes without a training image") }
    return data
  }

  private func named(_ classes: [Int]) throws(Failure) -> [Bool] {
    var isNamed = [Bool](repeating: false, count: train.classes)
    for label in classes {
      guard isNamed.indices.contains(label) else {
        throw unfit("names class \(label); \(title) has classes 0 to \(train.classes - 1)")
      }
      isNamed[label] = true
    }
    return isNamed
  }

  private func unfit(_ what: String) -> Failure {
    Failure(
      .scenarioInvalid, "E3254", "$.model.pretrain.classes: \(what)",
      hint: "at least two classes to learn beforehand and two for the clients")
  }

  private func selecting(_ keeps: [Bool], title: String) -> LabelledData {
    var place = [Int?](repeating: nil, count: train.count)
    var count = 0
    for (index, label) in train.labels.enumerated() where keeps[Int(label)] {
      place[index] = count
      count += 1
    }
    var data = LabelledData(
      title: title, train: train.selecting(keeps), test: test.selecting(keeps),
      naturalClients: naturalClients?.map { $0.compactMap { place[$0] } },
      classNames: zip(classNames, keeps).filter(\.1).map(\.0))
    data.doubts = doubts
    return data
  }
}

extension ImageSet {
  /// The images of the classes kept, in their order, relabelled.
  fileprivate func selecting(_ keeps: [Bool]) -> ImageSet {
    var newLabel: [Int32] = []
    var classes = 0
    for keep in keeps {
      newLabel.append(Int32(classes))
      if keep { classes += 1 }
    }
    let kept = labels.indices.filter { keeps[Int(labels[$0])] }
    let size = shape.count
    func copied<Pixel>(_ pixels: [Pixel]) -> [Pixel] {
      var copy: [Pixel] = []
      copy.reserveCapacity(kept.count * size)
      for index in kept { copy += pixels[index * size..<(index + 1) * size] }
      return copy
    }
    let copy: Pixels =
      switch pixels {
      case .bytes(let bytes): .bytes(copied(bytes))
      case .floats(let floats): .floats(copied(floats))
      case .halves(let halves): .halves(copied(halves))
      }
    return ImageSet(
      shape: shape, pixels: copy, labels: kept.map { newLabel[Int(labels[$0])] }, classes: classes)
  }
}

extension LabelledData {
  /// What is odd about data that can be used: one sentence each.
  package var remarks: [String] {
    var list = doubts
    for (images, name) in [(train, "training"), (test, "test")] {
      guard let absent = images.absentClasses else { continue }
      list.append("no \(name) image is of \(absent)")
    }
    return list
  }
}

extension ImageSet {
  /// The classes without an image, in words; nil when there are none.
  var absentClasses: String? { Self.words(classCounts(), whose: { $0 == 0 }) }

  /// The classes whose count passes a test, in words; nil for none.
  ///
  /// Such as "class 3" or "class 3, 7 (2 of 10)"; at most ten are named.
  package static func words(_ counts: [Int], whose test: (Int) -> Bool) -> String? {
    let found = counts.indices.filter { test(counts[$0]) }
    guard !found.isEmpty else { return nil }
    let named = found.prefix(10).map(String.init).joined(separator: ", ")
    let rest = found.count > 10 ? " and \(found.count - 10) more" : ""
    return "class \(named)\(rest)" + (found.count > 1 ? " (\(found.count) of \(counts.count))" : "")
  }
}
