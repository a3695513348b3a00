import Client

@testable import Records
@testable import Report

/// What the report shows besides records.
extension ReportSample {
  /// The sample with every section: comparisons, clients, diagnostics, sources, two folders.
  static func whole(seeds: [UInt64] = [1, 2, 3], clients: Int = 20) -> ReportInput {
    var input = input(seeds: seeds, clients: min(clients, 200))
    let compared = input.strategies.map { strategy in
      ComparedStrategy(
        label: strategy.label,
        runs: Dictionary(
          uniqueKeysWithValues: strategy.runs.map {
            ($0.seed, RunFolder.Part(folder: "x", run: $0))
          }))
    }
    for metric in ["generic.accuracy", "personal.accuracy"] {
      var settings = Comparison.Settings()
      settings.metric = metric
      if let comparison = try? Comparison(compared, settings) {
        input.comparisons.append(comparison)
      }
    }
    for (index, label) in labels.enumerated() {
      input.clients.append(scores(index, label, seeds: seeds, clients: clients))
      if label == "local-only" || label == "fedper" { continue }
      input.diagnostics.append(
        ReportInput.StrategyDiagnostics(
          label: label,
          models: seeds.map { diagnostics(index, seed: $0, classes: input.classCounts.count) }))
    }
    input.references = [ReportInput.Reference(title: "FedAvg <&>", source: "McMahan et al.")]
    input.folders = ["runs/a", "runs/<b>"]
    input.differences = [
      SettingDifference(path: "seeds", values: ["[1,2]", "[3]"], isAllowed: true)
    ]
    return input
  }

  /// Client k has 20 % and two points for each client before it, up to 90 %.
  private static func scores(_ index: Int, _ label: String, seeds: [UInt64], clients: Int)
    -> ReportInput.ClientScores
  {
    ReportInput.ClientScores(
      label: label,
      scores: seeds.flatMap { seed in
        (0..<clients).map { client in
          ReportInput.ClientScores.Score(
            seed: seed, client: client,
            accuracy: min(0.9, 0.2 + 0.02 * Double(client)) + 0.01 * Double(index),
            alone: label == "local-only" ? nil : 0.5, images: client * 3)
        }
      })
  }

  private static func diagnostics(_ index: Int, seed: UInt64, classes: Int) -> ModelDiagnostics {
    var bins = CalibrationBins()
    for place in 0..<300 {
      let confidence = 0.1 + 0.9 * Double((place * 37 + index * 11 + Int(seed)) % 100) / 100
      bins.add(confidence: confidence, isCorrect: place % (2 + index) == 0)
    }
    var collapse = ModelDiagnostics.Collapse(classes: classes, width: 16)
    collapse.withinClassVariability = 0.8 + 0.1 * Double(seed)
    collapse.cosineGap = 0.2
    return ModelDiagnostics(
      round: 100, digest: "9d0f", images: 300, calibration: bins,
      weightNorms: (0..<classes).map { 2 - Double($0) / Double(classes) }, collapse: collapse)
  }
}
