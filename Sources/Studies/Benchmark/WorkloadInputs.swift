import Base
import Client
import Data
import Federation
import Tensor

/// Files that a workload starts from, where they are given.
package struct WorkloadFiles: Sendable, Equatable {
  /// `.npy` of float32, [clients, samples, 32, 32, 3] or [clients, samples, 784].
  package var inputs: String?
  /// `.npy` of whole numbers from 0 to 9, [clients, samples]; goes with `inputs`.
  package var labels: String?
  /// Safetensors with names of PyTorch or in call order, or a flat `.npy` in call order.
  package var weights: String?
  /// `.npy` of whole numbers, [rounds, cohort]: row r is the cohort of round r.
  package var cohorts: String?

  /// No files.
  package init() {}

  /// The files that `bench/make_inputs.py` writes to a folder.
  package init(folder: String) {
    inputs = FilePath.join(folder, "x.npy")
    labels = FilePath.join(folder, "y.npy")
    weights = FilePath.join(folder, "weights.safetensors")
    cohorts = FilePath.join(folder, "cohorts.npy")
  }

  /// Whether nothing is given.
  package var isEmpty: Bool { self == WorkloadFiles() }
}

/// What a workload computes on: samples, initial weights, and cohorts where they are given.
package struct WorkloadInputs: Sendable {
  /// Client k has the images k·n ..< (k + 1)·n.
  package let images: ImageSet
  /// All parameters, in our layout.
  package let initial: [Float]
  /// Ascending cohorts, one per round; nil: drawn.
  package let cohorts: [[Int]]?

  /// Files where they are given; else standard-normal inputs, uniform labels, Glorot-uniform
  /// weights and zero biases from the seed.
  ///
  /// `rounds`: how many cohorts are needed.
  package init(
    _ workload: Workload, _ network: Network, files: WorkloadFiles, rounds: Int, seed: UInt64,
    pool: WorkerPool
  ) throws(Failure) {
    // Small files first: a mistake in them is found before the large one is read.
    if let path = files.weights {
      initial = try Self.weights(path, network.layout)
    } else {
      initial = network.layout.initialParameters(.glorot, seed: seed)
    }
    cohorts = try files.cohorts.map { path throws(Failure) in
      try Self.cohorts(path, workload, rounds: rounds)
    }
    let labels: [Int32]
    if let path = files.labels {
      labels = try Self.labels(path, workload)
    } else {
      labels = Self.drawnLabels(workload, seed: seed)
    }
    let values: [Float]
    if let path = files.inputs {
      let sample =
        workload.input.positions == 1
        ? [workload.input.count]
        : [workload.input.height, workload.input.width, workload.input.channels]
      values = try NPYFloats.values(
        of: path, shape: [workload.clients, workload.samples] + sample,
        what: "the inputs of \(workload.name)", hint: Self.sizeHint)
    } else {
      values = Self.drawnInputs(workload, seed: seed, pool: pool)
    }
    images = ImageSet(
      shape: workload.input, pixels: .floats(values), labels: labels, classes: Workload.classes)
  }

  private static let sizeHint =
    "--clients, --samples and --cohort say what the workload's files hold"

  // MARK: - Drawn

  /// One stream per client.
  private static func drawnInputs(_ workload: Workload, seed: UInt64, pool: WorkerPool) -> [Float] {
    let perClient = workload.samples * workload.input.count
    var inputs: [Float] = []
    inputs.reserveCapacity(workload.inputCount)
    pool.run(workload.clients) { _, client in
      var stream = RandomStream(seed: seed, .syntheticData, client: client)
      return (0..<perClient).map { _ in Float(stream.normal()) }
    } fold: { (_, values: [Float]) in
      inputs += values
    }
    return inputs
  }

  private static func drawnLabels(_ workload: Workload, seed: UInt64) -> [Int32] {
    var stream = RandomStream(seed: seed, .syntheticData, step: 1)
    return (0..<workload.clients * workload.samples).map { _ in
      Int32(stream.below(Workload.classes))
    }
  }

  // MARK: - Given

  private static func integers(_ path: String, _ what: String) throws(Failure) -> NPY {
    let file = try NPY(path: path, what: what)
    guard file.type.isInteger else {
      throw DataFailure.unsupported(
        path, "values of type \(file.type.rawValue); expected whole numbers",
        hint: "save them with y.astype(numpy.int64)")
    }
    return file
  }

  private static func labels(_ path: String, _ workload: Workload) throws(Failure) -> [Int32] {
    let file = try integers(path, "the labels of \(workload.name)")
    let shape = [workload.clients, workload.samples]
    guard file.shape == shape else {
      throw DataFailure.inconsistent(
        path, "shape \(file.shape); expected the labels of \(workload.name) of shape \(shape)",
        hint: sizeHint)
    }
    let values = file.integers()
    if let index = values.firstIndex(where: { !(0..<Workload.classes).contains($0) }) {
      throw DataFailure.label(
        path, "label \(index) is \(values[index]); expected 0 to \(Workload.classes - 1)")
    }
    return values.map { Int32($0) }
  }

  private static func cohorts(_ path: String, _ workload: Workload, rounds: Int) throws(Failure)
    -> [[Int]]
  {
    let file = try integers(path, "the cohorts of \(workload.name)")
    guard file.shape.count == 2, file.shape[1] == workload.cohort else {
      throw DataFailure.inconsistent(
        path, "shape \(file.shape); expected [rounds, \(workload.cohort)], a cohort per row",
        hint: sizeHint)
    }
    guard file.shape[0] >= rounds else {
      throw DataFailure.inconsistent(
        path, "\(file.shape[0]) cohorts for \(rounds) rounds, warm-up included",
        hint: "lower --rounds or --warmup, or write more cohorts")
    }
    let values = file.integers()
    var cohorts: [[Int]] = []
    for round in 0..<rounds {
      let cohort = values[round * workload.cohort..<(round + 1) * workload.cohort].sorted()
      guard cohort.allSatisfy({ (0..<workload.clients).contains($0) }),
        zip(cohort, cohort.dropFirst()).allSatisfy({ $0 < $1 })
      else {
        throw DataFailure.inconsistent(
          path,
          "row \(round) is no cohort: expected \(workload.cohort) different clients from 0 to "
            + "\(workload.clients - 1)")
      }
      cohorts.append(cohort)
    }
    return cohorts
  }

  private static func weights(_ path: String, _ layout: ParameterLayout) throws(Failure) -> [Float]
  {
    let vector = try anyWeights(path, layout)
    guard VectorArithmetic.isFinite(vector.span) else {
      throw DataFailure.notFinite(path, "a weight is not a finite number")
    }
    return vector
  }

  /// Safetensors, or a flat array in call order.
  private static func anyWeights(_ path: String, _ layout: ParameterLayout) throws(Failure)
    -> [Float]
  {
    let bytes = try FileBytes.read(path, what: "initial weights")
    if bytes.first == 0x93 {
      return layout.parameters(
        inCallOrder: try NPYFloats.values(
          of: path, shape: [layout.count], what: "weights in call order"))
    }
    do { return try layout.parameters(fromAnyNames: try Safetensors(decoding: bytes)) } catch {
      throw Failure(
        .dataMissingOrCorrupt, "E4080", "\(path): \(error.message)",
        hint: "tensors are named as in PyTorch, or by kind and place: conv0.w, gn0.w, dense12.b")
    }
  }
}

extension ParameterLayout {
  /// Names by kind and place: the n-th layer with weights, in call order, counted from 0, is
  /// "conv<n>" or "dense<n>", and the norm after it "gn<n>"; ".w" is a weight or scale, ".b" a
  /// bias or shift.
  package var callOrderNames: [String] {
    var place = -1
    var kind = ""
    return entries.map { entry in
      if entry.role == .weight {
        place += 1
        kind = entry.shape.count == 4 ? "conv" : "dense"
      }
      return switch entry.role {
      case .weight: "\(kind)\(place).w"
      case .bias: "\(kind)\(place).b"
      case .normScale: "gn\(place).w"
      case .normShift: "gn\(place).b"
      case .runningMean: "gn\(place).mean"
      case .runningVariance: "gn\(place).var"
      default: entry.name
      }
    }
  }

  /// A parameter vector from a file whose tensors have PyTorch's names, or those of
  /// `callOrderNames`.
  package func parameters(fromAnyNames file: Safetensors) throws(Safetensors.FormatError) -> [Float]
  {
    let names = callOrderNames
    guard file.items.contains(where: { names.contains($0.name) }) else {
      return try parameters(from: file)
    }
    var renamed = file
    for index in renamed.items.indices {
      guard let place = names.firstIndex(of: renamed.items[index].name) else { continue }
      renamed.items[index].name = entries[place].name
    }
    return try parameters(from: renamed)
  }

  /// A parameter vector from the values of all tensors one after the other, in call order, each in
  /// PyTorch's element order: [count] floats.
  package func parameters(inCallOrder values: [Float]) -> [Float] {
    precondition(values.count == count, "parameters: \(values.count) values for \(count)")
    var vector = [Float](repeating: 0, count: count)
    var start = 0
    for entry in entries {
      place(Array(values[start..<start + entry.range.count]), entry, into: &vector)
      start += entry.range.count
    }
    return vector
  }
}
