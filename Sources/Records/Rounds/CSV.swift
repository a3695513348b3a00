import Data

/// Comma-separated values as in RFC 4180, with `\n` at the end of lines.
package enum CSV {
  /// One line without its newline; fields with commas, quotes or line breaks are quoted.
  package static func line(_ fields: [String]) -> String {
    fields.map(field).joined(separator: ",")
  }

  /// A number in its shortest form that reads back to the same bits; empty when nil or not finite.
  package static func number(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "" }
    if value == value.rounded(.towardZero), abs(value) < 1e15 { return String(Int(value)) }
    return value.description
  }

  /// The integer in the first field, such as the round of a row; nil for a header.
  package static func leadingInteger(_ line: String) -> Int? {
    Int(line.prefix { $0 != "," && $0 != " " })
  }

  private static func field(_ text: String) -> String {
    let special = text.utf8.contains { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }
    guard special else { return text }
    var quoted = "\""
    for character in text.unicodeScalars {
      if character == "\"" { quoted += "\"" }
      quoted.unicodeScalars.append(character)
    }
    return quoted + "\""
  }
}

/// A row of `clients.csv`: one client's local test after a round.
package struct ClientRow: Sendable, Equatable {
  /// The first line of the file.
  package static let header =
    "round,client,train_count,test_count,accuracy,loss,accuracy_alone,global_accuracy"

  /// The round, from 1.
  package var round: Int
  /// The client, from 0.
  package var client: Int
  /// The client's training examples.
  package var trainCount: Int
  /// Size of the local test; its total weight where images are weighted.
  package var testCount: Double
  /// Accuracy on the local test.
  package var accuracy: Double
  /// Mean cross-entropy on the local test; nil when not measured.
  package var loss: Double?
  /// Accuracy of the same client when it trains alone; nil without that reference.
  package var accuracyAlone: Double?
  /// Accuracy of the client's own model with all classes counting alike; nil when not measured.
  package var globalAccuracy: Double?

  package init(
    round: Int, client: Int, trainCount: Int, testCount: Double, accuracy: Double,
    loss: Double? = nil, accuracyAlone: Double? = nil, globalAccuracy: Double? = nil
  ) {
    self.round = round
    self.client = client
    self.trainCount = trainCount
    self.testCount = testCount
    self.accuracy = accuracy
    self.loss = loss
    self.accuracyAlone = accuracyAlone
    self.globalAccuracy = globalAccuracy
  }

  /// The row as a line without its newline.
  package var line: String {
    CSV.line([
      "\(round)", "\(client)", "\(trainCount)", CSV.number(testCount), CSV.number(accuracy),
      CSV.number(loss), CSV.number(accuracyAlone), CSV.number(globalAccuracy),
    ])
  }
}

/// A row of `classes.csv`: the accuracy of one class after a round.
package struct ClassRow: Sendable, Equatable {
  /// The first line of the file.
  package static let header = "round,model,class,group,n_train,accuracy"

  /// The round, from 1.
  package var round: Int
  /// "generic" or another model's name.
  package var model: String
  /// The class, from 0.
  package var label: Int
  /// Head, middle or tail by cumulative share; nil when all classes are equally frequent.
  package var group: ShotGroups.Group?
  /// Training images of the class over all clients.
  package var trainCount: Int
  /// Recall of the class; NaN without test images.
  package var accuracy: Double

  /// The row as a line without its newline.
  package var line: String {
    CSV.line([
      "\(round)", model, "\(label)", group?.rawValue ?? "", "\(trainCount)", CSV.number(accuracy),
    ])
  }

  /// The rows of one evaluation, a row per class.
  package static func rows(round: Int, model: String, perClass: [Double], trainCounts: [Int])
    -> [ClassRow]
  {
    let groups = ShotGroups.cumulativeShare(trainCounts)
    return zip(perClass, trainCounts).enumerated().map { label, pair in
      ClassRow(
        round: round, model: model, label: label, group: groups?.groups[label], trainCount: pair.1,
        accuracy: pair.0)
    }
  }
}

/// A row of `messages.csv`: one tensor sent between a client and the server.
package struct MessageRow: Sendable, Equatable {
  /// The first line of the file.
  package static let header =
    "round,client,direction,tensor,dtype,shape,dense_bytes,coded_bytes,entropy_bytes"

  /// Which way a message goes.
  package enum Direction: String, Sendable {
    /// From a client to the server.
    case up
    /// From the server to a client.
    case down
  }

  /// The round, from 1.
  package var round: Int
  /// The client, from 0.
  package var client: Int
  /// Which way it goes.
  package var direction: Direction
  package var tensor: String
  /// Such as "F32".
  package var dtype: String
  /// The tensor's shape.
  package var shape: [Int]
  /// Bytes of the tensor as plain numbers.
  package var denseBytes: Int
  /// Bytes of the encoded buffer that the receiver decodes.
  package var codedBytes: Int
  /// The fewest bytes that they could have; nil for plain numbers.
  package var entropyBytes: Double?

  /// The row as a line without its newline; the shape as "32x3x3x3".
  package var line: String {
    CSV.line([
      "\(round)", "\(client)", direction.rawValue, tensor, dtype,
      shape.map(String.init).joined(separator: "x"), "\(denseBytes)", "\(codedBytes)",
      CSV.number(entropyBytes.map { ($0 * 10).rounded() / 10 }),
    ])
  }
}

/// A line of `digest.txt`: the hash chain over the global state after a round.
package struct DigestRow: Sendable, Equatable {
  /// The round, from 1.
  package var round: Int
  /// The hash, hexadecimal.
  package var digest: String

  package init(round: Int, digest: String) {
    self.round = round
    self.digest = digest
  }

  /// "round digest".
  package var line: String { "\(round) \(digest)" }

  /// Reads a line; nil when it is none.
  package init?(_ line: String) {
    let parts = line.split(separator: " ")
    guard parts.count == 2, let round = Int(parts[0]) else { return nil }
    self.init(round: round, digest: String(parts[1]))
  }
}
