import Base

/// SSE-C, the sparse simplex frame that FedLoGe freezes as its classifier: an equiangular frame of
/// which a share β of all entries is 0, the others moved until angles are equal again and rows have
/// the length γ.
///
/// Exactly ⌊β·d·C⌋ entries, drawn without replacement from the whole matrix, are set to 0. Adam
/// then minimises over the rest
///
///     L = a·L_angle + b·L_norm,   L_norm = Σ_c (‖w_c‖ − γ)²,
///     L_angle = −(1/C)·Σ_i min_{j≠i} ∠(w_i, w_j),
///
/// which widens each class's smallest angle. A class whose entries were all drawn stays a row of
/// zeros; `caution` warns of widths where that may happen.
///
/// - Source: Xiao et al., FedLoGe, ICLR 2024, arXiv:2401.08977, and its published code, whose
///   constants are the defaults.
package struct SparseFrame: Sendable, Equatable {
  /// How a frame is made.
  package struct Settings: Sendable, Equatable {
    /// β in [0, 1), the share of zeros.
    package var sparsity = 0.6
    /// γ > 0, the length of a row.
    package var norm = 0.1
    /// Adam steps ≥ 0.
    package var steps = 10_000
    package var learningRate = 1e-4
    package var angleWeight = 1.0
    package var normWeight = 1.0

    package init() {}
  }

  package let classes: Int
  package let width: Int
  /// [C × d]: a row per class, as a classifier's weight.
  package let values: [Float]

  /// Angles and lengths that were reached.
  package var facts: FrameFacts { FrameFacts(values, classes: classes, width: width) }

  /// A frame that is a function of the sizes, the settings and the stream.
  ///
  /// `classes`, `width`: such that `impossibility` has no objection.
  ///
  /// `stream`: takes about d·C·(1 + β) numbers.
  ///
  /// - Complexity: 2·C²·d floating-point operations a step, in single precision through the
  ///   network's own matrix product; d = 512 and C = 100 take a few seconds.
  package init(
    classes: Int, width: Int, settings: Settings = Settings(), stream: inout RandomStream
  ) {
    let problem = Self.impossibility(width: width, classes: classes, sparsity: settings.sparsity)
    precondition(problem == nil, "SparseFrame: \(problem ?? "")")
    self.classes = classes
    self.width = width
    let dense = EquiangularFrame(classes: classes, width: width, stream: &stream)
    let kept = Self.kept(classes * width, sparsity: settings.sparsity, &stream)
    var descent = FrameDescent(
      zip(dense.values, kept).map { $0 * $1 }, kept: kept, classes: classes, width: width,
      settings: settings)
    for _ in 0..<settings.steps { descent.step() }
    values = descent.values
  }

  /// 1 for each entry that is kept, 0 for ⌊β·count⌋ of them.
  ///
  /// The first places of a Fisher–Yates shuffle are a draw without replacement.
  package static func kept(_ count: Int, sparsity: Double, _ stream: inout RandomStream) -> [Float]
  {
    var places = Array(0..<count)
    var kept = [Float](repeating: 1, count: count)
    for i in 0..<Self.zeros(count, sparsity: sparsity) {
      places.swapAt(i, i + stream.below(count - i))
      kept[places[i]] = 0
    }
    return kept
  }

  /// ⌊β·count⌋.
  package static func zeros(_ count: Int, sparsity: Double) -> Int {
    Int(clamping: (sparsity * Double(count)).rounded(.down))
  }

  /// What speaks against such a frame: that it cannot be, or that it will hardly be equiangular.
  package static func feasibility(width: Int, classes: Int, sparsity: Double) -> String? {
    impossibility(width: width, classes: classes, sparsity: sparsity)
      ?? caution(width: width, classes: classes, sparsity: sparsity)
  }

  /// Why there is no such frame, or nil.
  package static func impossibility(width: Int, classes: Int, sparsity: Double) -> String? {
    guard sparsity >= 0, sparsity < 1 else {
      return "a share of \(sparsity) zeros leaves no frame; it must be at least 0 and below 1"
    }
    return EquiangularFrame.impossibility(width: width, classes: classes)
  }

  /// Why the angles will hardly become equal, or nil: C·(C + 1)/2 conditions on angles and lengths
  /// want as many free entries, (1 − β)·d·C.
  ///
  /// Just above that bound angles still differ by some degrees: with d = 16, C = 10 and β = 0.6
  /// by 1 to 3 in standard deviation, with d = 32 by 0.03.
  package static func caution(width: Int, classes: Int, sparsity: Double) -> String? {
    let free = (1 - sparsity) * Double(width)
    guard free < Double(classes + 1) / 2 else { return nil }
    return "with a share of \(sparsity) zeros, \(width) features leave too few free entries for "
      + "equal angles between \(classes) classes"
  }
}
