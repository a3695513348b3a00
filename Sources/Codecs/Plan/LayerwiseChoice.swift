import Base

/// L-GreCo: how strongly each layer is compressed, for the fewest bytes at a given total error.
///
///     minimise Σ_l s[l][j_l]   subject to   Σ_l E[l][j_l] ≤ E_max = a·Σ_l E[l][default_l]
///
/// by dynamic programming over D equal parts of E_max: an option costs ⌈E·D/E_max⌉ parts, at least
/// one; best[l][k] is the smallest size of the first l layers in at most k parts. Rounding up keeps
/// every result within E_max, but may exclude the default itself: the better of the two is given.
///
/// - Source: Alimohammadi, Markov, Frantar and Alistarh, MLSys 2024 (arXiv:2210.17357),
///   algorithm 1; D = 10000 and norms that are not squared as in the authors' program.
public struct LayerwiseChoice: Sendable, Equatable {
  /// One way of compressing a layer.
  public struct Option: Sendable, Equatable {
    /// Exact bytes, heads included.
    public let bytes: Int
    /// E ≥ 0; what is not finite is never chosen.
    public let error: Double

    /// An option.
    public init(bytes: Int, error: Double) {
      self.bytes = bytes
      self.error = error
    }
  }

  /// How an error is measured.
  public enum Measure: Sendable, Equatable {
    /// ‖x − x̂‖, as in the authors' program.
    case norm
    /// ‖x − x̂‖², what adds up over layers.
    case squared

    /// The error of an approximation, in Double.
    ///
    /// - Complexity: O(d).
    public func error(_ x: [Float], _ approximation: [Float]) -> Double {
      precondition(x.count == approximation.count, "Measure: [\(approximation.count)]")
      var sum = 0.0
      for i in x.indices {
        let difference = Double(x[i]) - Double(approximation[i])
        sum += difference * difference
      }
      return self == .norm ? sum.squareRoot() : sum
    }
  }

  /// j_l of each layer.
  public let choice: [Int]
  /// Σ s.
  public let bytes: Int
  /// Σ E.
  public let error: Double

  /// The sums of a choice.
  package init(_ choice: [Int], _ layers: [[Option]]) {
    self.choice = choice
    bytes = zip(layers, choice).reduce(0) { $0 + $1.0[$1.1].bytes }
    error = zip(layers, choice).reduce(0) { $0 + $1.0[$1.1].error }
  }

  /// The best choice; of equal sizes the one with the smaller error.
  ///
  /// - Parameters:
  ///   - layers: 1 to 255 options for each layer.
  ///   - defaults: an option of each layer, which defines the error that is allowed.
  ///   - slack: a > 0.
  ///   - parts: D ≥ 1.
  /// - Returns: a choice with error ≤ E_max.
  /// - Throws: ``CodecError/parameter(_:)`` for tables that are none, and where nothing found is
  ///   within E_max.
  /// - Complexity: O(layers·options·D) time, O(layers·D) bytes.
  public static func solve(
    _ layers: [[Option]], defaults: [Int], slack: Double = 1, parts: Int = 10_000
  ) throws(CodecError) -> LayerwiseChoice {
    guard layers.count == defaults.count else { throw .parameter("defaults") }
    for (layer, standard) in zip(layers, defaults) {
      guard layer.indices.contains(standard), layer.count <= 255 else {
        throw .parameter("options")
      }
      for option in layer where option.bytes < 0 || option.bytes > 1 << 48 || option.error < 0 {
        throw .parameter("option")
      }
    }
    guard slack > 0, slack.isFinite else { throw .parameter("slack \(slack)") }
    guard (1...1 << 24).contains(parts) else { throw .parameter("\(parts) parts") }
    let uniform = LayerwiseChoice(defaults, layers)
    guard uniform.error.isFinite else { throw .parameter("error of the default") }
    let most = slack * uniform.error
    let found = program(layers, most: most, parts: parts)
    let candidates = [found, uniform].compactMap(\.self).filter { $0.error <= most }
    let best = candidates.min { ($0.bytes, $0.error) < ($1.bytes, $1.error) }
    guard let best else { throw .parameter("no choice within the error") }
    return best
  }

  /// Parts of E_max that an error takes; D + 1 for what never fits.
  package static func cost(_ error: Double, most: Double, parts: Int) -> Int {
    guard error > 0 else { return error == 0 ? 1 : parts + 1 }
    let cost = (error / (most / Double(parts))).rounded(.up)
    return cost <= Double(parts) ? max(1, Int(clamping: cost)) : parts + 1
  }

  private static func program(_ layers: [[Option]], most: Double, parts: Int) -> LayerwiseChoice? {
    let never = Int.max
    var best = [Int](repeating: 0, count: parts + 1)
    var errors = [Double](repeating: 0, count: parts + 1)
    var chosen: [[UInt8]] = []
    for layer in layers {
      var next = [Int](repeating: never, count: parts + 1)
      var nextErrors = [Double](repeating: 0, count: parts + 1)
      var row = [UInt8](repeating: 0, count: parts + 1)
      for (j, option) in layer.enumerated() {
        let cost = cost(option.error, most: most, parts: parts)
        guard cost <= parts else { continue }
        for k in cost...parts where best[k - cost] != never {
          let size = best[k - cost] + option.bytes
          let error = errors[k - cost] + option.error
          if size < next[k] || (size == next[k] && error < nextErrors[k]) {
            next[k] = size
            nextErrors[k] = error
            row[k] = UInt8(j)
          }
        }
      }
      (best, errors) = (next, nextErrors)
      chosen.append(row)
    }
    guard best[parts] != never else { return nil }
    var choice = [Int](repeating: 0, count: layers.count)
    var left = parts
    for l in layers.indices.reversed() {
      choice[l] = Int(chosen[l][left])
      left -= cost(layers[l][choice[l]].error, most: most, parts: parts)
    }
    return LayerwiseChoice(choice, layers)
  }

  /// Real bytes and errors of one layer under some codecs.
  ///
  /// - Parameters:
  ///   - x: what is compressed; with error feedback, with what it has lost before.
  ///   - shape: of the layer.
  ///   - specs: the options; a dense one, whose error is 0, makes every budget feasible.
  ///   - measure: of errors.
  ///   - stream: for codecs that draw.
  /// - Returns: an option per codec; one that cannot encode or decode x has an infinite error.
  /// - Complexity: that of encoding and decoding with each.
  public static func options(
    _ x: [Float], shape: [Int], specs: [CodecSpec], measure: Measure = .norm,
    stream: inout RandomStream
  ) -> [Option] {
    specs.map { spec in
      var context = CodecContext(stream: stream)
      defer { stream = context.stream }
      do throws(CodecError) {
        let bytes = try spec.codec.encode(x, shape: shape, context: &context)
        let decoded = try CodecSpec.decode(bytes, count: x.count)
        return Option(bytes: bytes.count, error: measure.error(x, decoded))
      } catch { return Option(bytes: 4 * x.count, error: .infinity) }
    }
  }

  /// Densities r·2ⁱ, i from −3 to 3, at most 1.
  public static func densities(around density: Double) -> [Double] {
    (-3...3).map { min(1, density * Double(sign: .plus, exponent: $0, significand: 1)) }
  }

  /// Ranks from ⌊γ·r⌋, at least 1, to ⌈β·r⌉, at most 255.
  ///
  /// `low`, `high`: γ = ½ and β = 2 in the authors' program.
  public static func ranks(around rank: Int, low: Double = 0.5, high: Double = 2) -> [Int] {
    let middle = Double(min(max(rank, 1), 255))
    let first = max(1, (min(max(low, 0), 1) * middle).rounded(.down))
    let last = min(255, max(first, (min(max(high, 1), 255) * middle).rounded(.up)))
    return Array(Int(clamping: first)...Int(clamping: last))
  }
}
