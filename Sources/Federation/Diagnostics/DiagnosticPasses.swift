import Client
import Records
import Tensor

/// What one stretch of the test set gave.
private struct DiagnosticPiece: Sendable {
  var calibration = CalibrationBins()
  /// [count × d]; empty where features mean nothing.
  var features: [Float] = []
}

extension Simulation {
  /// Features that are kept between the two passes over them; more are computed twice.
  private static var mostKept: Int { 1 << 27 }

  /// Measures the generic model once more, for what a round's evaluation does not show; nil when
  /// the method has none.
  ///
  /// One pass of the network over the test set, in pieces whose sizes are the network's alone and
  /// whose results are added in order: the same numbers for any number of threads. Features are
  /// kept for a second look at them, up to 512 MiB; beyond that the network passes twice.
  package func diagnostics() -> ModelDiagnostics? {
    guard let model = genericModel() else { return nil }
    let network = context.network
    let labels = context.test.images.labels
    let ending = ClassifierEnding(network)
    let width = ending == .other ? 0 : network.featureWidth
    let size = 4 * network.evaluationBatch
    let pieces = (labels.count + size - 1) / size
    let range: @Sendable (Int) -> Range<Int> = { piece in
      piece * size..<min((piece + 1) * size, labels.count)
    }
    let look: @Sendable (Int, Int) -> DiagnosticPiece = { [context] worker, piece in
      let space = context.spaces[worker]
      space.load(model)
      return network.look(space, context.test, range(piece), width: width)
    }

    let isKept = labels.count * width <= Self.mostKept
    var kept: [[Float]] = []
    var calibration = CalibrationBins()
    var sums = [Double](repeating: 0, count: network.classes * width)
    var counts = [Int](repeating: 0, count: network.classes)
    context.pool.run(pieces, work: look) { (piece: Int, result: DiagnosticPiece) in
      calibration.add(result.calibration)
      for (place, index) in range(piece).enumerated() {
        let label = Int(labels[index])
        counts[label] += 1
        Self.add(result.features, place * width, to: &sums, label * width, width)
      }
      if isKept { kept.append(result.features) }
    }
    var diagnostics = ModelDiagnostics(
      round: round, digest: Digest.hex(digest), images: labels.count, calibration: calibration)
    let weight = ending.weight(in: model, network)
    diagnostics.weightNorms = weight.map { Self.rowNorms($0, network.featureWidth) }
    guard width > 0, let geometry = ClassGeometry(sums: sums, counts: counts, width: width) else {
      return diagnostics
    }
    var rows = [Int](repeating: 0, count: network.classes)
    for (row, label) in geometry.classes.enumerated() { rows[label] = row }
    var spreads = [Double](repeating: 0, count: geometry.classes.count)
    context.pool.run(pieces) { [kept, rows] worker, piece -> [Double] in
      let features = isKept ? kept[piece] : look(worker, piece).features
      return Self.spreads(geometry, features, range(piece).map { rows[Int(labels[$0])] })
    } fold: { piece, values in
      for (index, value) in zip(range(piece), values) { spreads[rows[Int(labels[index])]] += value }
    }
    diagnostics.collapse = Self.collapse(geometry, spreads, counts, weight)
    return diagnostics
  }

  /// Adds `count` features from one place to the sums at another.
  private static func add(
    _ features: [Float], _ first: Int, to sums: inout [Double], _ start: Int, _ count: Int
  ) {
    features.withUnsafeBufferPointer { features in
      sums.withUnsafeMutableBufferPointer { sums in
        guard count > 0, let x = features.baseAddress, let y = sums.baseAddress else { return }
        for j in 0..<count { y[start + j] += Double(x[first + j]) }
      }
    }
  }

  /// ‖P·(h_i − μ)‖² of each image of a piece.
  private static func spreads(_ geometry: ClassGeometry, _ features: [Float], _ rows: [Int])
    -> [Double]
  {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, geometry.rank)) { scratch in
      features.withUnsafeBufferPointer { features in
        guard let features = features.baseAddress, let scratch = scratch.baseAddress else {
          return []
        }
        return rows.enumerated().map { place, row in
          geometry.spread(features + place * geometry.width, row: row, scratch: scratch)
        }
      }
    }
  }

  private static func collapse(
    _ geometry: ClassGeometry, _ spreads: [Double], _ counts: [Int], _ weight: [Double]?
  ) -> ModelDiagnostics.Collapse {
    var collapse = ModelDiagnostics.Collapse(classes: geometry.classes.count, width: geometry.width)
    collapse.withinClassVariability = geometry.withinClassVariability(
      spreads, geometry.classes.map { counts[$0] })
    collapse.cosineDeviation = geometry.cosines?.deviation
    collapse.cosineGap = geometry.cosines?.gap
    collapse.normVariation = geometry.normVariation
    let alignment = weight.flatMap { geometry.alignment($0) }
    collapse.alignmentDistance = alignment?.distance
    collapse.alignmentCosine = alignment?.cosine
    return collapse
  }

  /// ‖w_c‖₂ of the rows of [C × d].
  private static func rowNorms(_ weight: [Double], _ width: Int) -> [Double] {
    stride(from: 0, to: weight.count, by: width).map { start in
      var sum = 0.0
      for value in weight[start..<start + width] { sum += value * value }
      return sum.squareRoot()
    }
  }
}

extension Network {
  /// Confidence and correctness of each prediction, and the features, of a stretch of images.
  ///
  /// `width`: d, or 0 to leave features out.
  fileprivate func look(
    _ workspace: Workspace, _ loader: BatchLoader, _ indices: Range<Int>, width: Int
  ) -> DiagnosticPiece {
    var piece = DiagnosticPiece()
    piece.features.reserveCapacity(indices.count * width)
    let batchSize = min(evaluationBatch, workspace.capacity)
    var rest = indices
    while !rest.isEmpty {
      let batch = rest.prefix(batchSize)
      rest = rest.dropFirst(batchSize)
      loader.fill(workspace, batch)
      forward(workspace, batch: batch.count, training: false)
      guard let logits = workspace.logits.baseAddress else { continue }
      for example in 0..<batch.count {
        let row = logits + example * classes
        var winner = 0
        for c in 1..<max(1, classes) where row[c] > row[winner] { winner = c }
        piece.calibration.add(
          confidence: CalibrationBins.confidence(row, classes: classes, winner: winner),
          isCorrect: winner == Int(workspace.labels[example]))
      }
      piece.features += workspace.features.prefix(batch.count * width)
    }
    return piece
  }
}

/// What makes logits of a network's features.
enum ClassifierEnding: Equatable {
  /// z = h·Wᵀ + b: the weight's place in the model.
  case linear(Range<Int>)
  /// Cosines with rows, of the features or of a projection of them: rows have no length that
  /// counts, and need not be as wide as the features.
  case cosine
  /// Something that is not decided by the features alone, such as a pool of adapters.
  case other

  /// What the network's last operation is.
  init(_ network: Network) {
    switch network.operations.last {
    case let dense as Dense where dense.input == network.featuresSlot:
      self = .linear(dense.weight..<dense.weight + dense.inputs * dense.outputs)
    case is CosineClassifier: self = .cosine
    default: self = .other
    }
  }

  /// W [C × d] in a model; nil without a linear classifier.
  func weight(in model: [Float], _ network: Network) -> [Double]? {
    guard case .linear(let range) = self, range.upperBound <= model.count else { return nil }
    return model[range].map(Double.init)
  }
}
