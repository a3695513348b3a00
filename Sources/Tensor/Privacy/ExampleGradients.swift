import Base

/// Norms and weighted sums of the gradients of single examples, from one backward sweep: what
/// differentially private training clips.
///
/// With g_i the gradient of example i's own loss over the parameters that move: after `sweep`,
/// `squaredNorm(i)` is ‖g_i‖² and `add` gives Σ_i c_i·g_i for any factors, as often as asked, until
/// the next forward pass. Layers whose gradients are small write them out; the others keep only the
/// gradient of their output (see `ExamplePlan`).
///
/// A gradient that is not finite is taken for 0 by every sum, and `isFinite` says so: its example
/// must not reach the others, nor raise an error that would tell of it.
///
/// Memory of one worker, allocated once; nothing is allocated in a sweep.
///
/// - Source: Abadi et al. 2016, arXiv:1607.00133, algorithm 1; Goodfellow 2015, arXiv:1510.01799;
///   Li et al. 2021, arXiv:2110.05679; Bu et al. 2022, arXiv:2210.00038.
public final class ExampleGradients {
  /// Parameters that clipping layer by layer treats as one: those of one layer.
  public struct Layer: Sendable, Equatable {
    /// Its name, such as "conv1".
    public let name: String
    /// Its parameters that move, in order.
    public let ranges: [Range<Int>]
    /// Whether a sweep writes its gradients out; else it forms their norms alone.
    public let isWrittenOut: Bool
  }

  /// The network that it was made for.
  public let network: Network
  /// The most examples of a sweep.
  public let capacity: Int
  /// K: so many consecutive rows of a batch are one example.
  public let rowsPerExample: Int
  /// All layers that move, in the order of their parameters.
  public let layers: [Layer]
  /// Examples of the last sweep.
  public internal(set) var examples = 0

  package let plan: ExamplePlan
  package let norms: [ProductNorm?]
  /// The step that the last sweep went back to: layers before it have no gradient.
  package var reached = 0
  /// The workspace of the last sweep, whose values sums are formed from.
  package var workspace: Workspace?

  private let memory: UnsafeMutableRawPointer
  /// Gradients and what is kept instead, [capacity × floatsPerExample], layer by layer.
  let ledger: UnsafeMutablePointer<Float>
  /// Gradients that nobody asks for.
  let aside: UnsafeMutablePointer<Float>
  /// b times factors, [capacity × the largest b].
  let scaled: UnsafeMutablePointer<Float>
  let normScratch: UnsafeMutablePointer<Float>
  /// ‖g_i‖² per layer and example, [layers × capacity].
  package let squares: UnsafeMutablePointer<Double>
  /// Factors and rows of the examples that a sum is taken of.
  package let factors: UnsafeMutablePointer<Float>
  let rowStarts: UnsafeMutablePointer<UnsafePointer<Float>>
  /// Where each example's slots lie, [capacity × slots], and one more set.
  package let values: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
  package let gradients: UnsafeMutablePointer<UnsafeMutablePointer<Float>>

  /// Memory for sweeps of up to `capacity` examples.
  ///
  /// `ranges`: the trained parameters that move; the others count in no norm and no sum.
  ///
  /// `rowsPerExample`: so many consecutive rows of a batch belong to one example, whose gradient is
  /// the sum of theirs; a mean has the share in `logitsGradient`.
  ///
  /// The network's examples must be independent.
  public init(_ network: Network, ranges: [Range<Int>], rowsPerExample: Int = 1, capacity: Int) {
    precondition(
      network.examplesAreIndependent,
      "ExampleGradients: examples share statistics, so no gradient belongs to one of them")
    precondition(
      capacity > 0 && rowsPerExample > 0,
      "ExampleGradients: room for \(capacity) examples of \(rowsPerExample) rows")
    precondition(
      ranges.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= network.layout.trainedCount },
      "ExampleGradients: ranges beyond [\(network.layout.trainedCount)]")
    self.network = network
    self.capacity = capacity
    self.rowsPerExample = rowsPerExample
    let plan = ExamplePlan(network, ranges: ranges, rows: rowsPerExample)
    self.plan = plan
    layers = plan.layers.map {
      Layer(name: $0.name, ranges: $0.moving, isWrittenOut: $0.method == .rows)
    }
    norms = plan.layers.map { plan.norm($0, network, rows: rowsPerExample) }

    var total = 0
    func place(_ floats: Int) -> Int {
      defer { total += (floats + 15) / 16 * 16 }
      return total
    }
    let ledgerAt = place(capacity * plan.floatsPerExample)
    // A layer that only gives norms may have to write a gradient after all.
    let rare = plan.layers.filter { $0.method == .products }.map(\.hull.count).max() ?? 0
    let asideAt = place(max(plan.asideCount, rare))
    let widest = plan.layers.filter { $0.method == .products }.map(\.stride).max() ?? 0
    let scaledAt = place(capacity * widest)
    let scratchAt = place(norms.compactMap { $0?.scratchCount }.max() ?? 0)
    let factorsAt = place(capacity)
    _ = place(16)  // kernels read whole vectors
    guard let zeroed = calloc(4 * total + 64, 1) else {
      preconditionFailure("ExampleGradients: no memory for \(4 * total) bytes")
    }
    memory = zeroed
    let base = zeroed.alignedUp(toMultipleOf: 64).bindMemory(to: Float.self, capacity: total)
    ledger = base + ledgerAt
    aside = base + asideAt
    scaled = base + scaledAt
    normScratch = base + scratchAt
    factors = base + factorsAt
    squares = .allocate(capacity: max(1, plan.layers.count * capacity))
    squares.initialize(repeating: 0, count: plan.layers.count * capacity)
    rowStarts = .allocate(capacity: capacity)
    rowStarts.initialize(repeating: UnsafePointer(base), count: capacity)
    let slots = network.slots.count
    values = .allocate(capacity: (capacity + 1) * slots)
    values.initialize(repeating: base, count: (capacity + 1) * slots)
    gradients = .allocate(capacity: (capacity + 1) * slots)
    gradients.initialize(repeating: base, count: (capacity + 1) * slots)
  }

  deinit {
    free(memory)
    squares.deallocate()
    rowStarts.deallocate()
    values.deallocate()
    gradients.deallocate()
  }

  /// Examples of a batch of up to `rows` rows that are swept together: as many as
  /// `Network.microBatch` says, and few enough for 64 MiB of their gradients; one at least.
  ///
  /// A function of the network and numbers alone, because it decides the order of sums.
  public static func microBatch(
    of rows: Int, _ network: Network, ranges: [Range<Int>], rowsPerExample: Int = 1
  ) -> Int {
    let plan = ExamplePlan(network, ranges: ranges, rows: rowsPerExample)
    let examples = max(1, rows / rowsPerExample)
    let fit = max(1, (64 << 20) / max(1, 4 * plan.floatsPerExample))
    let enough = max(1, network.microBatch(of: rows) / rowsPerExample)
    let parts = (examples + min(fit, enough) - 1) / min(fit, enough)
    return (examples + parts - 1) / parts
  }

  // MARK: Norms

  /// ‖g_i‖² over the parameters that move.
  ///
  /// - Complexity: O(layers).
  public func squaredNorm(_ example: Int) -> Double {
    precondition(example < examples, "ExampleGradients: example \(example) of \(examples)")
    var total = 0.0
    for layer in layers.indices { total += squares[layer * capacity + example] }
    return total
  }

  /// ‖g_i‖² over one layer's parameters that move.
  public func squaredNorm(_ example: Int, layer: Int) -> Double {
    precondition(
      example < examples && layer < layers.count,
      "ExampleGradients: example \(example) of \(examples), layer \(layer) of \(layers.count)")
    return squares[layer * capacity + example]
  }

  /// Whether all of g_i are numbers, and its norm is one too; else sums take it for 0.
  public func isFinite(_ example: Int) -> Bool {
    let largest = Double(Float.greatestFiniteMagnitude)
    return squaredNorm(example) <= largest * largest
  }
}
