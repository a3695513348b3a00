import Aggregation
import Base
import Client
import Records
import Scenario
import Tensor

/// A message stage that protects examples or clients, and knows what that cost.
protocol PrivacyStage: MessageStage {
  /// Whether a client's budget pays for another round.
  func canTrain(_ client: Int) -> Bool
  /// The record of a round and its line for `privacy.jsonl`.
  ///
  /// `exact`: whether privacy loss distributions are asked for every client's ε; else Rényi
  /// divergences alone, which are quick and never below the truth.
  func trace(exact: Bool) -> (record: RoundRecord.Privacy, line: JSON)
  /// ε of each client, or that of the sums, at the end of a run that goes as planned, ascending;
  /// empty without a guarantee.
  ///
  /// For dry runs that stop before the end.
  func plannedEpsilons() -> [Double]
  /// Clients of the round's cohort whose budget is used up.
  var stopped: [Int] { get }
  /// Blocks that left clients so far and that the method does not declare.
  var leaks: LeakWatch { get set }
}

extension PrivacyStage {
  var progress: StateTensors {
    get { leaks.tensors }
    set { leaks = LeakWatch(newValue) }
  }

  func describe(_ parts: inout RoundParts) {
    let trace = trace(exact: parts.isEvaluated)
    parts.record.privacy = trace.record
    parts.privacy = trace.line
  }
}

/// What left clients without being declared.
///
/// What a client once released stays released: blocks are kept through rounds and checkpoints.
struct LeakWatch {
  private(set) var undeclared: Set<String> = []
  private static let prefix = "undeclared/"

  init() {}

  /// Goes back to what `tensors` was.
  init(_ tensors: StateTensors) {
    undeclared = Set(
      tensors.names.filter { $0.hasPrefix(Self.prefix) }.map {
        String($0.dropFirst(Self.prefix.count))
      })
  }

  /// Notes a block by its name.
  mutating func note(_ block: String) { undeclared.insert(block) }

  /// Notes what an update is made of.
  mutating func note(_ update: Payload, _ privacy: RunPrivacy) {
    for block in update.blocks where !privacy.declares(block) { undeclared.insert(block.name) }
  }

  var tensors: StateTensors {
    var tensors = StateTensors()
    for name in undeclared { tensors[Self.prefix + name] = [1] }
    return tensors
  }
}

/// A line of `privacy.jsonl`: what privacy cost up to a round, and each client's part of it.
struct PrivacyLine {
  let round: Int
  /// "example" or "client".
  let unit: String
  let record: RoundRecord.Privacy
  let label: String?
  let audit: ReleaseAudit
  var invalid: Int?
  var histogram: [Bin]?
  var noiseMultiplier: Double?
  var releases: Int?
  var rdp: Double?
  var clients: [Client]?

  init(
    _ record: RoundRecord.Privacy, round: Int, unit: String, label: String?, _ audit: ReleaseAudit
  ) {
    (self.record, self.round, self.unit, self.label, self.audit) = (
      record, round, unit, label, audit
    )
  }

  /// What one client has spent; nil where it is not counted.
  struct Client {
    let client: Int
    var batches: Int?
    var rate: Double?
    var noiseMultiplier: Double?
    var releases: Int?
    var rdp: Double
    var pld: Double?
  }

  /// Clients with an ε in a range.
  struct Bin {
    let from: Double
    let to: Double
    let clients: Int
  }

  var json: JSON { Self.keys.json(self) }

  static let keys = Keys<Self>(
    [
      Key("round", .integer, "The round, from 1.") { $0.round },
      Key("unit", .text, "example or client: whose data are protected.") { $0.unit },
    ] + RoundRecord.Privacy.keys.within(\.record) + [
      Key("label", .text, "What qualifies ε.", absent: "nothing does") { $0.label },
      Key("leaks", .list(.object(leakKeys)), "What leaves without protection.") { $0.audit.leaks },
      Key("assumptions", .list(.text), "What a reader must grant.") { $0.audit.assumptions },
      Key(
        "invalid", .integer, "Examples of the round whose gradients were not finite.",
        absent: "unit is client"
      ) { $0.invalid },
      Key(
        "histogram", .list(.object(binKeys)), "How ε is spread over clients, in ten bins.",
        absent: "unit is client, or something leaks"
      ) { $0.histogram },
      Key(
        "noiseMultiplier", .number, "Deviation of the noise over the clip.",
        absent: "unit is example: clients say it"
      ) { $0.noiseMultiplier },
      Key(
        "releases", .integer, "The most rounds in which a client sent.", absent: "unit is example"
      ) { $0.releases },
      Key(
        "rdp", .number, "ε by Rényi divergences; null: no limit.", absent: "unit is example"
      ) { $0.rdp },
      Key(
        "clients", .list(.object(clientKeys)), "What each client has spent.",
        absent: "all clients have the same ε"
      ) { $0.clients },
    ])

  private static let leakKeys = Keys<ReleaseAudit.Leak>([
    Key("name", .text, "The block of a message, or the step.") { $0.name },
    Key("what", .text, "What it reveals.") { $0.what },
  ])

  private static let binKeys = Keys<Bin>([
    Key("from", .number, "The least ε of the bin.") { $0.from },
    Key("to", .number, "The largest.") { $0.to },
    Key("clients", .integer, "Clients in it.") { $0.clients },
  ])

  private static let clientKeys = Keys<Client>([
    Key("client", .integer, "The client.") { $0.client },
    Key("batches", .integer, "Private batches so far.", absent: "unit is client") { $0.batches },
    Key("rate", .number, "Sampling rate of its batches.", absent: "unit is client") { $0.rate },
    Key(
      "noiseMultiplier", .number, "Deviation of its noise over the clip.", absent: "unit is client"
    ) { $0.noiseMultiplier },
    Key("releases", .integer, "Rounds in which it sent.", absent: "unit is example") {
      $0.releases
    }, Key("rdp", .number, "Its ε by Rényi divergences; null: no limit.") { $0.rdp },
    Key(
      "pld", .number, "Its ε by privacy loss distributions; null: no limit.",
      absent: "the round was not evaluated"
    ) { $0.pld },
  ])

  /// How many clients have an ε in each of ten bins of equal width.
  static func histogram(_ epsilons: [Double]) -> [Bin] {
    let finite = epsilons.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else { return [] }
    let width = (high - low) / 10
    var counts = [Int](repeating: 0, count: width > 0 ? 10 : 1)
    for epsilon in finite {
      let bin = width > 0 ? Int(clamping: (epsilon - low) / width) : 0
      counts[min(counts.count - 1, bin)] += 1
    }
    return counts.enumerated().map { index, count in
      Bin(
        from: low + Double(index) * width,
        to: index + 1 == counts.count ? high : low + Double(index + 1) * width, clients: count)
    }
  }
}
