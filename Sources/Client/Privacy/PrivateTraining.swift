import Base
import Tensor

/// One client's private training in one round: its settings, the memory it works in, its hidden
/// error vectors, and a count of what it released.
///
/// A class, because all devices of a client in a round (a twin with another model, a copy that
/// takes a second gradient) draw noise from one counter and spend one budget. One worker at a time
/// has it.
public final class PrivateTraining {
  /// The mechanism.
  public let settings: ExamplePrivacy
  /// Where gradients of single examples lie; the worker's own.
  package let memory: ExampleMemory
  /// The hidden error of each lane, by name, in units of the sum.
  ///
  /// A lane is the n-th gradient that is taken on a batch, or a head beside it.
  public var errors: [String: [Float]]
  /// What was done so far.
  public private(set) var statistics = Statistics()
  /// Records that exist for an audit alone; nil in every run.
  package var canaries: PlantedCanaries?

  /// Gradients of this batch so far.
  private var queries = 0
  /// Where the counters of noise vectors lie.
  let phase: StreamAddress.Phase
  /// Noise vectors drawn so far.
  private var draws = 0

  /// What a client's private training did in a round.
  public struct Statistics: Sendable, Equatable {
    /// Batches drawn, each with the number of gradients that were taken on it: entry k − 1 counts
    /// batches with k gradients; batches without any are not there.
    public var batches: [Int] = []
    /// Examples whose gradients were taken, over all steps.
    public var examples = 0
    /// Those that were scaled down.
    public var clipped = 0
    /// Those whose gradient was not finite and counted as 0.
    public var invalid = 0
    /// Σ over examples of ‖g_i‖ before clipping; those that are not finite left out.
    public var normSum = 0.0
    /// Σ over gradients of ‖Σ c_i·g_i‖.
    public var signalSum = 0.0
    /// Σ over gradients of the expected noise norm, σ·C·√d.
    public var noiseSum = 0.0
    /// Σ over gradients of ‖e‖ after the step.
    public var errorSum = 0.0
    /// Gradients taken.
    public var gradients: Int {
      batches.enumerated().reduce(0) { $0 + ($1.offset + 1) * $1.element }
    }

    /// Nothing yet.
    public init() {}

    /// Adds what another client, or round, did.
    public mutating func add(_ other: Statistics) {
      while batches.count < other.batches.count { batches.append(0) }
      for (index, count) in other.batches.enumerated() { batches[index] += count }
      examples += other.examples
      clipped += other.clipped
      invalid += other.invalid
      normSum += other.normSum
      signalSum += other.signalSum
      noiseSum += other.noiseSum
      errorSum += other.errorSum
    }
  }

  /// Private training with the errors of earlier rounds.
  ///
  /// `phase`: where the counters of noise vectors lie; another for each exchange of the round, so
  /// that none is used twice.
  public init(
    _ settings: ExamplePrivacy, memory: ExampleMemory, errors: [String: [Float]] = [:],
    phase: StreamAddress.Phase = .training
  ) {
    self.settings = settings
    self.memory = memory
    self.phase = phase
    self.errors = errors
    let decay = settings.errorFeedback?.decay ?? 1
    if decay == 0 { self.errors = [:] }
    if decay > 0, decay < 1 {
      for name in errors.keys {
        if var error = errors[name] {
          VectorArithmetic.scale(&error, by: Float(decay))
          self.errors[name] = error
        }
      }
    }
  }

  /// A new batch is drawn.
  func beginBatch() { queries = 0 }

  /// One more gradient on the current batch: its number within the batch, from 0.
  func countGradient() -> Int {
    if queries > 0 { statistics.batches[queries - 1] -= 1 }
    queries += 1
    while statistics.batches.count < queries { statistics.batches.append(0) }
    statistics.batches[queries - 1] += 1
    return queries - 1
  }

  /// The step of the next noise vector within the phase; none is used twice.
  func nextNoise() -> Int {
    defer { draws += 1 }
    return draws
  }

  /// Counts what one gradient did.
  package func count(_ change: (inout Statistics) -> Void) { change(&statistics) }
}

/// Where gradients of single examples lie: one for each worker, made on first use.
///
/// Not for sharing.
public final class ExampleMemory {
  private struct Key: Equatable {
    let layout: ParameterLayout
    let ranges: [Range<Int>]
    let copies: Int
    let rows: Int
  }
  private var places: [(key: Key, gradients: ExampleGradients)] = []

  /// Nothing yet.
  public init() {}

  /// The memory for a network and the parameters that move, for batches of up to so many rows.
  package func gradients(_ network: Network, ranges: [Range<Int>], copies: Int, rows: Int)
    -> ExampleGradients
  {
    let key = Key(layout: network.layout, ranges: ranges, copies: copies, rows: rows)
    if let known = places.first(where: { $0.key == key }) { return known.gradients }
    let made = ExampleGradients(
      network, ranges: ranges, rowsPerExample: copies,
      capacity: ExampleGradients.microBatch(
        of: rows, network, ranges: ranges, rowsPerExample: copies))
    // Phases and twins are few; a network of another group of clients takes the oldest place.
    if places.count == 4 { places.removeFirst() }
    places.append((key, made))
    return made
  }
}
