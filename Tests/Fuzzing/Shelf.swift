import Foundation
import Synchronization

/// Run folders that tries start from.
package enum PreparedFolder: String, CaseIterable, Sendable {
  /// Three methods, all tables, finished.
  case finished
  /// The same scenario, stopped after a few rounds by its limit.
  case stopped
  /// One small method, finished; for commands that only look.
  case small
  /// A sweep of two trials with halving, finished.
  case sweep
  /// Grey images in NumPy arrays.
  case arrays

  /// What it is when nothing is left to do.
  var completed: PreparedFolder { self == .stopped ? .finished : self }

  /// The calls that make `made`, after which it is copied.
  var steps: [Step] {
    let quiet = ["--threads", "1", "--quiet"]
    let limit = ["--set", "limits.wallTime=1 us"]
    switch self {
    case .finished: return [Step(["run", "all.json", "--out", "made"] + quiet)]
    case .stopped:
      // Each call makes one round and stops at its limit: the same place on every machine.
      return [Step(["run", "all.json", "--out", "made"] + quiet + limit)]
        + Array(repeating: Step(["resume", "made"] + quiet + limit), count: 8)
    case .small: return [Step(["run", "small.json", "--out", "made"] + quiet)]
    case .sweep: return [Step(["sweep", "sweep.json", "--out", "made"] + quiet)]
    case .arrays: return []
    }
  }
}

/// Makes each prepared folder once.
package final class Shelf: Sendable {
  private let target: Target
  private let folder = TryFolder()
  private let made = Mutex<[PreparedFolder: RunTables]>([:])

  package init(target: Target) {
    var patient = target
    patient.seconds = 300
    self.target = patient
  }

  /// Copies a prepared folder.
  func copy(_ sample: PreparedFolder, to path: String) {
    make(sample)
    try? FileManager.default.copyItem(atPath: place(sample) + "/made", toPath: path)
  }

  /// What its tables say.
  func tables(of sample: PreparedFolder) -> RunTables? {
    make(sample)
    return made.withLock { $0[sample] }
  }

  /// Its files, sorted; without what is made of times.
  package func files(of sample: PreparedFolder) -> [String] {
    make(sample)
    let paths = try? FileManager.default.subpathsOfDirectory(atPath: place(sample) + "/made")
    return (paths ?? []).filter { path in
      var isFolder: ObjCBool = false
      let file = place(sample) + "/made/" + path
      return FileManager.default.fileExists(atPath: file, isDirectory: &isFolder)
        && !isFolder.boolValue
    }.sorted()
  }

  private func place(_ sample: PreparedFolder) -> String { folder.path + "/" + sample.rawValue }

  private func make(_ sample: PreparedFolder) {
    made.withLock { made in
      if made[sample] != nil { return }
      let place = place(sample)
      for file in Samples.scenarios {
        folder.write(InputFile(sample.rawValue + "/" + file.path, file.bytes))
      }
      if sample == .arrays {
        for file in DataFiles.arrays("made") {
          folder.write(InputFile(sample.rawValue + "/" + file.path, file.bytes))
        }
      }
      for step in sample.steps { _ = target.call(step, in: place, spool: place) }
      made[sample] = RunTables.read(place + "/made")
    }
  }
}

/// Texts of the scenarios after prepared folders.
enum Samples {
  static let scenarios = [
    InputFile("all.json", all), InputFile("small.json", small), InputFile("sweep.json", sweep),
  ]

  private static let data = """
    "data": { "dataset": { "kind": "synthetic", "classes": 4, "trainPerClass": 12,
      "testPerClass": 4 } },
    """

  static let all = """
    { "fedsim": 1, "seeds": [1], \(data)
      "federation": { "clients": 4, "rounds": 6, "participation": 0.5 },
      "model": { "kind": "mlp", "hidden": [4] },
      "client": { "batch": 8, "work": { "steps": 1 }, "optimizer": { "momentum": 0 } },
      "output": { "checkpointEvery": 2, "keepCheckpoints": 1 }, "evaluation": { "every": 2 },
      "strategies": [
        { "kind": "fedavg", "label": "private",
          "privacy": { "unit": "client", "noiseMultiplier": 1 } },
        { "kind": "fedper", "label": "coded",
          "compression": { "uplink": { "kind": "topk", "ratio": 0.1 } } },
        { "kind": "fedbuff" } ],
      "system": { "dropout": 0.1 } }
    """

  static let small = """
    { "fedsim": 1, "seeds": [1, 2], \(data)
      "federation": { "clients": 3, "rounds": 2 },
      "model": { "kind": "mlp", "hidden": [4] },
      "client": { "batch": 8, "work": { "steps": 1 } },
      "strategies": [ { "kind": "fedavg" } ] }
    """

  static let sweep = """
    { "fedsim": 1, "kind": "sweep", "base": "small.json", "seeds": [1],
      "grid": { "client.optimizer.learningRate": [0.01, 0.1] },
      "prune": { "kind": "halving", "rungs": [1], "factor": 2 } }
    """
}
