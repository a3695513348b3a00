import Base
import Codecs

/// One entry of a TensorBoard event file.
///
/// Field numbers are those of TensorFlow's `event.proto`, `summary.proto` and `histogram.proto`.
package struct BoardEvent: Sendable {
  /// The bytes of the `Event` message.
  package let message: [UInt8]

  /// What every file begins with.
  package static let version: BoardEvent = {
    var event = ProtobufWriter()
    event.double(1, 0)
    event.text(3, "brain.Event:2")
    return BoardEvent(message: event.bytes)
  }()

  private init(message: [UInt8]) { self.message = message }

  /// A round: every number of its line in `rounds.jsonl` as a scalar under its path, such as
  /// `generic.shots.tail`, with null as NaN; accuracies of clients and of classes as histograms.
  ///
  /// - Parameters:
  ///   - record: the round, which is the step.
  ///   - accuracies: of all measured clients, ascending by client; empty without an evaluation.
  ///   - seconds: the event's time.
  package init(_ record: RoundRecord, accuracies: [Double], seconds: Double) {
    var event = ProtobufWriter()
    event.double(1, seconds)
    event.integer(2, max(0, record.round))
    event.message(5) { summary in
      for scalar in Self.scalars(record) {
        summary.message(1) { value in
          value.text(1, scalar.tag)
          value.float(2, Float(scalar.value))
        }
      }
      for (tag, shares) in [
        ("clients.accuracy", accuracies), ("generic.perClass", record.generic?.perClass ?? []),
        ("personal.perClass", record.personal?.perClass ?? []),
      ] {
        guard let histogram = BoardHistogram(shares) else { continue }
        summary.message(1) { value in
          value.text(1, tag)
          value.message(5) { $0.add(histogram) }
        }
      }
    }
    message = event.bytes
  }

  /// The numbers of a record by their paths; not the round itself, nor elements of lists.
  ///
  /// An ε between evaluations is a bound by another accountant, and a curve of its own:
  /// `privacy.bound.max`.
  package static func scalars(_ record: RoundRecord) -> [(tag: String, value: Double)] {
    let epsilon = "privacy.epsilon."
    let isBound = record.privacy.map { $0.accountant != "pld" } ?? false
    return (record.json.members ?? []).flatMap { member in
      member.key == "round" ? [] : scalars(member.value, member.key)
    }.map { tag, value in
      isBound && tag.hasPrefix(epsilon)
        ? ("privacy.bound." + tag.dropFirst(epsilon.count), value) : (tag, value)
    }
  }

  private static func scalars(_ json: JSON, _ path: String) -> [(tag: String, value: Double)] {
    switch json.value {
    case .object(let members): members.flatMap { scalars($0.value, path + "." + $0.key) }
    case .number: [(path, json.double ?? .nan)]
    case .null: [(path, .nan)]
    default: []
    }
  }

  /// The entry as it is in the file: length, its masked CRC-32C, the message, its masked CRC-32C.
  ///
  /// - Source: TensorFlow, `core/lib/io/record_writer.h`.
  package var record: [UInt8] {
    var length = ByteWriter()
    length.number(UInt64(message.count))
    var whole = ByteWriter(capacity: message.count + 16)
    length.bytes.withUnsafeBytes { whole.raw($0) }
    whole.number(CRC32C.masked(length.bytes))
    message.withUnsafeBytes { whole.raw($0) }
    whole.number(CRC32C.masked(message))
    return whole.bytes
  }
}

extension ProtobufWriter {
  fileprivate mutating func add(_ histogram: BoardHistogram) {
    double(1, histogram.minimum)
    double(2, histogram.maximum)
    double(3, Double(histogram.count))
    double(4, histogram.sum)
    double(5, histogram.squares)
    doubles(6, histogram.limits)
    doubles(7, histogram.counts.map(Double.init))
  }
}
