import Base
import Client
import Tensor

/// LEAF: `train/*.json` and `test/*.json`, each with users and their examples.
///
/// The users of the training files, sorted by the bytes of their names, are the natural clients.
///
/// Examples of F numbers are square grey images when F is a square number (28×28 for FEMNIST),
/// otherwise vectors.
///
/// - Source: Caldas et al. 2018, arXiv:1812.01097.
package enum LEAF {
  package static func load(_ folder: String) throws(Failure) -> LabelledData {
    let hint = "give the folder that contains train/ and test/ with LEAF's .json files"
    try FileBytes.requireFolder(folder, what: "a LEAF data folder", hint: hint)
    let train = try part(FilePath.join(folder, "train"), hint: hint)
    let test = try part(FilePath.join(folder, "test"), hint: hint)
    guard train.features == test.features else {
      throw DataFailure.inconsistent(
        FilePath.join(folder, "test"),
        "examples of \(test.features) numbers; the training examples have \(train.features)")
    }
    let shape = shape(ofFeatures: train.features)
    let classes = Int(max(train.labels.max() ?? 0, test.labels.max() ?? 0)) + 1
    try DataFailure.requirePlausible(classes: classes, images: train.labels.count, folder)
    return LabelledData(
      title: "LEAF (\(FileBytes.lastPart(folder)))",
      train: ImageSet(
        shape: shape, pixels: .floats(train.values), labels: train.labels, classes: classes),
      test: ImageSet(
        shape: shape, pixels: .floats(test.values), labels: test.labels, classes: classes),
      naturalClients: train.users.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        .map { Array($0.examples) })
  }

  package static func shape(ofFeatures count: Int) -> FeatureShape {
    let side = Int(clamping: Double(count).squareRoot().rounded())
    return side * side == count
      ? FeatureShape(height: side, width: side, channels: 1) : FeatureShape(features: count)
  }

  private static func part(_ folder: String, hint: String) throws(Failure) -> LEAFExamples {
    try FileBytes.requireFolder(folder, what: "a folder with LEAF's .json files", hint: hint)
    let names = FilePath.names(in: folder).filter { $0.hasSuffix(".json") }
    guard !names.isEmpty else {
      throw DataFailure.missing(folder, "no .json file in this folder", hint: hint)
    }
    var examples = LEAFExamples()
    for name in names { try examples.add(FilePath.join(folder, name)) }
    guard !examples.labels.isEmpty else {
      throw DataFailure.wrongSize(folder, "its files have no example")
    }
    return examples
  }
}

/// The examples of all files of one part, in the order read.
package struct LEAFExamples {
  package struct User: Sendable {
    package let name: String
    package let examples: Range<Int>
  }

  private(set) var users: [User] = []
  package private(set) var values: [Float] = []
  package private(set) var labels: [Int32] = []
  /// Numbers per example; 0 before the first one.
  package private(set) var features = 0
  private var seen: Set<String> = []

  /// Adds a file; it is read in one pass, without a tree: a number costs four bytes.
  package mutating func add(_ path: String) throws(Failure) {
    let bytes = try FileBytes.read(path, what: "LEAF JSON", growth: 4)
    try TextFile.requireUTF8(bytes, path)
    var scanner = JSONScanner(path: path, bytes: bytes)
    var declared: (names: [String], counts: [Int]) = ([], [])
    let firstUser = users.count
    try scanner.object { (key, scanner) throws(Failure) in
      switch key {
      case "users":
        try scanner.array { (scanner) throws(Failure) in declared.names.append(try scanner.string())
        }
      case "num_samples":
        try scanner.array { (scanner) throws(Failure) in
          declared.counts.append(try scanner.integer())
        }
      case "user_data":
        try scanner.object { (name, scanner) throws(Failure) in try self.user(name, &scanner) }
      default: try scanner.skip()
      }
    }
    try scanner.end()
    try check(declared, against: users[firstUser...], path)
  }

  private mutating func user(_ name: String, _ scanner: inout JSONScanner) throws(Failure) {
    guard seen.insert(name).inserted else {
      throw DataFailure.inconsistent(
        scanner.path, "\(scanner.place): user \"\(name)\" was already given")
    }
    let first = labels.count
    let firstValue = values.count
    var examples = 0
    try scanner.object { (key, scanner) throws(Failure) in
      switch key {
      case "x":
        try scanner.array { (scanner) throws(Failure) in
          try self.example(&scanner)
          examples += 1
        }
      case "y":
        try scanner.array { (scanner) throws(Failure) in
          let label = try scanner.integer()
          guard label >= 0, label < DataFailure.maximumClasses else {
            throw DataFailure.label(
              scanner.path,
              "\(scanner.place): label \(label); expected 0 to "
                + "\(DataFailure.maximumClasses - 1)")
          }
          self.labels.append(Int32(label))
        }
      default: try scanner.skip()
      }
    }
    guard examples == labels.count - first else {
      throw DataFailure.inconsistent(
        scanner.path, "user \"\(name)\" has \(examples) examples and \(labels.count - first) labels"
      )
    }
    assert(values.count - firstValue == examples * features)
    users.append(User(name: name, examples: first..<labels.count))
  }

  private mutating func example(_ scanner: inout JSONScanner) throws(Failure) {
    let start = values.count
    if scanner.isNextString {
      throw DataFailure.unsupported(
        scanner.path, "\(scanner.place): an example is text or the name of a file",
        hint: "fedsim reads the LEAF sets whose examples are lists of numbers, such as FEMNIST")
    }
    try scanner.array { (scanner) throws(Failure) in self.values.append(try scanner.float()) }
    let size = values.count - start
    if features == 0 { features = size }
    guard size == features, size > 0 else {
      throw DataFailure.inconsistent(
        scanner.path,
        "\(scanner.place): an example of \(size) numbers; " + "the first one has \(features)")
    }
  }

  private func check(
    _ declared: (names: [String], counts: [Int]), against found: ArraySlice<User>, _ path: String
  ) throws(Failure) {
    guard declared.names.count == declared.counts.count else {
      throw DataFailure.inconsistent(
        path, "\(declared.names.count) users but \(declared.counts.count) entries in num_samples")
    }
    var counts: [String: Int] = [:]
    for user in found { counts[user.name] = user.examples.count }
    for (name, count) in zip(declared.names, declared.counts) {
      guard counts[name] == count else {
        let has = counts[name].map { "\($0) examples" } ?? "no entry"
        throw DataFailure.inconsistent(
          path, "num_samples says \(count) for user \"\(name)\"; user_data has \(has)")
      }
    }
    guard Set(declared.names).count == found.count else {
      throw DataFailure.inconsistent(
        path, "\(Set(declared.names).count) names in users; user_data has \(found.count)")
    }
  }
}
