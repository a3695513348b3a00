import Base
import Data
import Federation
import Records
import Report
import Scenario
import Studies

extension MessageCatalogue {
  /// All codes of the program, sorted.
  static let entries = [
    files, data, validation, checks, records, runs, report, sweeps, audits, benchmarks, commands,
  ].joined().sorted { $0.code < $1.code }

  /// The entry of a code; nil when there is none.
  static func entry(_ code: String) -> Entry? { entries.first { $0.code == code.uppercased() } }
}
