/// All releases of a run, in their order.
///
/// Composition is a sum over events, so the order is for readers; equal neighbours are one entry
/// with their steps added, and a run of many rounds stays short.
public struct PrivacyLedger: Sendable, Equatable {
  /// The entries; no two neighbours differ only in their steps.
  public private(set) var events: [PrivacyEvent] = []

  /// A ledger of some events.
  public init(_ events: [PrivacyEvent] = []) { for event in events { record(event) } }

  /// Adds a release; O(1).
  public mutating func record(_ event: PrivacyEvent) {
    if let last = events.last, let merged = try? last.repeated(last.steps + event.steps),
      let same = try? event.repeated(merged.steps), same == merged
    {
      events[events.count - 1] = merged
    } else {
      events.append(event)
    }
  }

  /// Releases in all.
  public var steps: Int {
    events.reduce(0) { sum, event in
      let (total, overflow) = sum.addingReportingOverflow(event.steps)
      return overflow ? .max : total
    }
  }

  /// Why the events do not add up to one statement; nil when they do.
  ///
  /// A sum over different units or different neighbours protects neither.
  public var inconsistency: AccountingError? {
    guard let first = events.first else { return nil }
    for event in events where event.unit != first.unit || event.neighbours != first.neighbours {
      return .unsupported(
        "one ledger holds events for \(first.unit.rawValue), \(first.neighbours.rawValue) and for "
          + "\(event.unit.rawValue), \(event.neighbours.rawValue); keep a ledger for each")
    }
    return nil
  }

  /// What a reader must know to understand an epsilon of this ledger, a line each.
  ///
  /// Unit, neighbours and sampling of every event, without repetition.
  public var assumptions: [String] {
    var lines: [String] = []
    func add(_ line: String) { if !lines.contains(line) { lines.append(line) } }
    for event in events {
      add("unit of privacy: one \(event.unit.rawValue)")
      switch event.neighbours {
      case .addRemove: add("neighbours: one \(event.unit.rawValue) added or removed")
      case .replaceOne: add("neighbours: one \(event.unit.rawValue) replaced by another")
      }
      switch event.sampling {
      case .none: add("sampling: none, every \(event.unit.rawValue) is in every step")
      case .poisson:
        add("sampling: Poisson, each \(event.unit.rawValue) joins each step independently")
      case .withoutReplacement:
        add("sampling: a fixed number without replacement, drawn anew for each step")
      }
      if event.mechanism == .discreteGaussian {
        add("mechanism: discrete Gaussian noise, counted as Gaussian noise of the same deviation")
      }
    }
    return lines
  }
}
