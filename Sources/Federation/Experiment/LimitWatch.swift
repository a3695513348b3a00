import Base
import Scenario

/// Watches the scenario's limits while an experiment runs.
package final class LimitWatch {
  private let limits: LimitSettings
  private let folder: String
  private let pending: Double
  private let now: () -> Double
  private let memory: () -> Int
  private let start: Double
  private var lastRound: Double
  private var longest = 0.0
  private var lastLook = -Double.infinity
  private var folderBytes = 0.0
  /// What was reached, in words; nil while nothing was.
  package private(set) var reason: String?

  /// Watches from now on.
  ///
  /// `pending`: bytes that are written at the end of a run at most: its checkpoint and models.
  ///
  /// `now`, `memory`: seconds, and bytes of the process at its largest; others for tests.
  package init(
    _ limits: LimitSettings, folder: String, pending: Int,
    now: @escaping () -> Double = SystemClock.steady,
    memory: @escaping () -> Int = { ProcessMemory.peakBytes }
  ) {
    self.limits = limits
    self.folder = folder
    self.pending = Double(pending)
    self.now = now
    self.memory = memory
    start = now()
    lastRound = start
  }

  /// Called after every round: whether the next one would pass a limit.
  ///
  /// Time: what is spent and the longest round so far do not fit. The folder is measured every two
  /// seconds at most.
  package func isReached() -> Bool {
    let time = now()
    longest = max(longest, time - lastRound)
    lastRound = time
    if let most = limits.wallTime, time - start + longest > most {
      return reach(
        "limits.wallTime \(NumberText.duration(most)): \(NumberText.duration(time - start)) have "
          + "passed, and a round takes up to \(NumberText.duration(longest))")
    }
    if let most = limits.memory, case let size = Double(memory()), size > most {
      return reach(
        "limits.memory \(NumberText.storage(most)): the process took \(NumberText.storage(size))")
    }
    guard let most = limits.disk else { return false }
    if time - lastLook >= 2 {
      lastLook = time
      folderBytes = Double(FilePath.byteCount(of: folder))
    }
    guard folderBytes + pending > most else { return false }
    return reach(
      "limits.disk \(NumberText.storage(most)): \(folder) takes "
        + "\(NumberText.storage(folderBytes)), and up to \(NumberText.storage(pending)) come at "
        + "the end of a run")
  }

  private func reach(_ text: String) -> Bool {
    reason = text
    return true
  }
}
