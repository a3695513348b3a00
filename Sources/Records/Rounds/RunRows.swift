import Base
import Data

/// A row of `clients.csv`: one client's local test after a round.
package struct ClientRow: Sendable, Equatable {
  package var round: Int
  package var client: Int
  package var trainCount: Int
  package var testCount: Double
  package var accuracy: Double
  package var loss: Double?
  package var accuracyAlone: Double?
  package var globalAccuracy: Double?
  package var strategy = ""
  package var seed: UInt64 = 0
  package var epsilon: Double?

  /// New columns come last: a run that an earlier version began goes on without them.
  package static let table = CSVTable<ClientRow>([
    CSVColumn("round", "The round, from 1; 0 for a run without rounds.") { $0.round },
    CSVColumn("client", "The client, from 0.") { $0.client },
    CSVColumn("train_count", "Its training images.") { $0.trainCount },
    CSVColumn("test_count", "Size of its local test; the total weight where images are weighted.") {
      $0.testCount
    },
    CSVColumn("accuracy", unit: "share", "Accuracy on its local test.") { $0.accuracy },
    CSVColumn("loss", "Mean cross-entropy on its local test.", absent: "not measured") { $0.loss },
    CSVColumn(
      "accuracy_alone", unit: "share", "Its accuracy when it trains alone.",
      absent: "the scenario has no local-only strategy before this one"
    ) { $0.accuracyAlone },
    CSVColumn(
      "global_accuracy", unit: "share",
      "Accuracy of its own model with all classes counting alike, held or not.",
      absent: "it has no model of its own"
    ) { $0.globalAccuracy },
    CSVColumn("strategy", "The strategy's label.") { $0.strategy },
    CSVColumn("seed", "The seed of the run.") { $0.seed },
    CSVColumn(
      "epsilon", "The client's ε so far; 0 where it has released nothing.",
      absent: "the run has no guarantee"
    ) { $0.epsilon },
  ])

  package init(
    round: Int, client: Int, trainCount: Int, testCount: Double, accuracy: Double,
    loss: Double? = nil, accuracyAlone: Double? = nil, globalAccuracy: Double? = nil
  ) {
    (self.round, self.client, self.trainCount) = (round, client, trainCount)
    (self.testCount, self.accuracy, self.loss) = (testCount, accuracy, loss)
    (self.accuracyAlone, self.globalAccuracy) = (accuracyAlone, globalAccuracy)
  }

  /// The row as a line without its newline.
  package var line: String { Self.table.line(self) }

  /// How many of the columns the beginning of a file has; all of them for a new file, and for one
  /// whose first line no version wrote.
  package static func width(of start: [UInt8]) -> Int {
    let header = String(decoding: start.prefix { $0 != 10 }, as: UTF8.self)
    let width = header.count { $0 == "," } + 1
    let names = table.columns.prefix(width).map(\.field.path)
    return CSV.line(names) == header ? width : table.columns.count
  }
}

/// A row of `classes.csv`: the accuracy of one class after a round.
package struct ClassRow: Sendable, Equatable {
  package var round: Int
  package var model: String
  package var label: Int
  package var group: ShotGroups.Group?
  package var trainCount: Int
  package var accuracy: Double

  package static let table = CSVTable<ClassRow>([
    CSVColumn("round", "The round, from 1; 0 for a run without rounds.") { $0.round },
    CSVColumn("model", "generic: on the test set; personal: mean over the clients that hold it.") {
      $0.model
    }, CSVColumn("class", "The class, from 0.") { $0.label },
    CSVColumn(
      "group", "head, middle or tail by cumulative share of training images.",
      absent: "all classes are equally frequent"
    ) { $0.group?.rawValue },
    CSVColumn("n_train", "Training images of the class over all clients.") { $0.trainCount },
    CSVColumn(
      "accuracy", unit: "share", "Recall of the class.",
      absent: "it has no test images, or no client holds it"
    ) { $0.accuracy },
  ])

  /// The row as a line without its newline.
  package var line: String { Self.table.line(self) }

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
  /// Which way a message goes.
  package enum Direction: String, Sendable {
    /// From a client to the server.
    case up
    /// From the server to a client.
    case down
  }

  package var round: Int
  package var client: Int
  package var direction: Direction
  package var tensor: String
  package var dtype: String
  package var shape: [Int]
  package var denseBytes: Int
  package var codedBytes: Int
  package var entropyBytes: Double?

  package static let table = CSVTable<MessageRow>([
    CSVColumn("round", "The round, from 1; 0 for what is sent before the first.") { $0.round },
    CSVColumn("client", "The client, from 0.") { $0.client },
    CSVColumn("direction", "up: from the client to the server; down: from the server.") {
      $0.direction.rawValue
    }, CSVColumn("tensor", "Block and name of the tensor.") { $0.tensor },
    CSVColumn("dtype", "Type of its numbers as plain tensor, such as F32.") { $0.dtype },
    CSVColumn("shape", "Such as 32x3x3x3.") { $0.shape.map(String.init).joined(separator: "x") },
    CSVColumn("dense_bytes", unit: "bytes", "The tensor as plain numbers.") { $0.denseBytes },
    CSVColumn("coded_bytes", unit: "bytes", "The encoded buffer that the receiver decodes.") {
      $0.codedBytes
    },
    CSVColumn(
      "entropy_bytes", unit: "bytes",
      "The fewest bytes that a code knowing all frequencies could take.",
      absent: "the numbers are sent plain"
    ) { $0.entropyBytes.map { ($0 * 10).rounded() / 10 } },
  ])

  /// The row as a line without its newline.
  package var line: String { Self.table.line(self) }
}

/// A line of `digest.txt`: the hash chain over the global state after a round.
package struct DigestRow: Sendable, Equatable {
  package var round: Int
  /// Hexadecimal.
  package var digest: String

  package static let fields = [
    FileField("round", "integer", "The round; 0 is the state before training."),
    FileField("digest", "text", "As in rounds.jsonl, after a space."),
  ]

  package init(round: Int, digest: String) { (self.round, self.digest) = (round, digest) }

  /// "round digest".
  package var line: String { "\(round) \(digest)" }

  /// Reads a line; nil when it is none.
  package init?(_ line: String) {
    let parts = line.split(separator: " ")
    guard parts.count == 2, let round = Int(parts[0]) else { return nil }
    self.init(round: round, digest: String(parts[1]))
  }
}
