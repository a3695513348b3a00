import Base
import Client
import Tensor

/// What `fedsim data check` says of a data set whose files are whole.
package struct DataFacts: Sendable {
  private let data: LabelledData

  /// Reads every file of a data set.
  ///
  /// - Throws: exit 4 with the name of the first file that is missing or corrupt.
  package init(_ dataset: DataSettings.Dataset) throws(Failure) {
    data = try DatasetReader.load(dataset)
  }

  /// For people.
  package var text: String {
    var lines = [
      "\(data.title): OK",
      "images    \(data.train.count) training, \(data.test.count) test, \(data.train.shape)",
      "classes   \(data.train.classes)", "training  \(Self.counts(data.train))",
      "test      \(Self.counts(data.test))",
    ]
    if let clients = data.naturalClients { lines.append("users     \(clients.count)") }
    if case let names = data.classNames, !names.isEmpty {
      let rest = names.count > 100 ? ", ..." : ""
      lines.append("names     " + names.prefix(100).joined(separator: ", ") + rest)
    }
    for remark in data.remarks { lines.append("warning   \(remark)") }
    return lines.joined(separator: "\n")
  }

  /// Images per class; of very many classes the first.
  private static func counts(_ images: ImageSet) -> String {
    let counts = images.classCounts()
    let shown = counts.prefix(1000).map(String.init).joined(separator: " ")
    return counts.count > 1000 ? shown + " ..." : shown
  }

  /// For programs.
  package var json: JSON {
    func counts(_ images: ImageSet) -> JSON {
      [
        "images": .int(images.count), "perClass": .array(images.classCounts().map { .int($0) }),
        "xxh64": .string(images.hash),
      ]
    }
    var json: JSON = [
      "title": .string(data.title), "shape": .string(data.train.shape.description),
      "classes": .int(data.train.classes), "train": counts(data.train), "test": counts(data.test),
    ]
    if let clients = data.naturalClients { json["users"] = .int(clients.count) }
    if case let names = data.classNames, !names.isEmpty {
      json["classNames"] = .array(names.map(JSON.string))
    }
    json["warnings"] = .array(data.remarks.map(JSON.string))
    return json
  }
}

extension ImageSet {
  /// XXH64 of the pixels as stored in memory and of the labels: the same data give the same hash.
  package var hash: String {
    var hash = XXHash64()
    switch pixels {
    case .bytes(let bytes): hash.update(bytes)
    case .floats(let floats): hash.update(floats)
    case .halves(let halves): hash.update(halves)
    }
    hash.update(labels)
    return hash.hex
  }
}
