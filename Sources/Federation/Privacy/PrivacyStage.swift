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

/// The part of `privacy.jsonl`'s lines that all units share.
enum PrivacyLine {
  /// What every line begins with.
  static func head(
    _ record: RoundRecord.Privacy, round: Int, unit: String, label: String?, _ audit: ReleaseAudit
  ) -> [(String, JSON)] {
    var line: [(String, JSON)] = [("round", .int(round)), ("unit", .string(unit))]
    line += (record.json.members ?? []).map { ($0.key, $0.value) }
    if let label { line.append(("label", .string(label))) }
    line.append(
      (
        "leaks",
        .array(
          audit.leaks.map { .object([("name", .string($0.name)), ("what", .string($0.what))]) })
      ))
    line.append(("assumptions", .array(audit.assumptions.map(JSON.string))))
    return line
  }

  /// How many clients have an ε in each of ten bins of equal width.
  static func histogram(_ epsilons: [Double]) -> JSON {
    let finite = epsilons.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else { return .array([]) }
    let width = (high - low) / 10
    var counts = [Int](repeating: 0, count: width > 0 ? 10 : 1)
    for epsilon in finite {
      let bin = width > 0 ? Int(clamping: (epsilon - low) / width) : 0
      counts[min(counts.count - 1, bin)] += 1
    }
    return .array(
      counts.enumerated().map { index, count in
        .object([
          ("from", .number(low + Double(index) * width)),
          ("to", .number(index + 1 == counts.count ? high : low + Double(index + 1) * width)),
          ("clients", .int(count)),
        ])
      })
  }
}
