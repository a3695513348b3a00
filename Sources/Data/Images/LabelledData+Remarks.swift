import Client

extension LabelledData {
  /// What is odd about data that can be used: one sentence each.
  package var remarks: [String] {
    var list: [String] = []
    if let remark = ChannelAxis.remark(train.shape) { list.append(remark) }
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
