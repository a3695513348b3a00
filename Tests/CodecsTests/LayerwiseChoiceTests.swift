import Testing

@testable import Base
@testable import Codecs

@Suite("Codecs: levels layer by layer")
struct LayerwiseChoiceTests {
  private typealias Option = LayerwiseChoice.Option

  private static let bytes = [[10, 20, 30], [100, 200, 400], [5, 10, 20]]
  private static let errors = [[2.0, 1.8, 1.7], [2.4, 2.0, 1.5], [1.5, 0.6, 0.1]]

  private static func table(_ power: (Double) -> Double = { $0 }) -> [[Option]] {
    zip(bytes, errors).map { zip($0, $1).map { Option(bytes: $0, error: power($1)) } }
  }

  @Test("Three layers by hand: 140 bytes instead of 230")
  func example() throws {
    let best = try LayerwiseChoice.solve(Self.table(), defaults: [1, 1, 1])
    #expect(best.choice == [1, 0, 2])
    #expect(best.bytes == 140)
    #expect(abs(best.error - 4.3) < 1e-12)
    let costs = Self.errors.map { layer in
      layer.map { LayerwiseChoice.cost($0, most: 4.4, parts: 10_000) }
    }
    #expect(costs == [[4546, 4091, 3864], [5455, 4546, 3410], [3410, 1364, 228]])
  }

  @Test("With squared errors the default stays, though its parts do not fit")
  func squared() throws {
    let best = try LayerwiseChoice.solve(Self.table { $0 * $0 }, defaults: [1, 1, 1])
    #expect(best.choice == [1, 1, 1])
    #expect(best.bytes == 230)
    #expect(abs(best.error - 7.6) < 1e-12)
  }

  @Test("Against all choices, on random tables")
  func bruteForce() throws {
    var stream = RandomStream(seed: 7, .test)
    for _ in 0..<300 {
      let layers = (0..<(1 + stream.below(4))).map { _ in
        (0..<(1 + stream.below(4))).map { _ in
          Option(bytes: stream.below(30), error: Double(stream.below(20)))
        }
      }
      let defaults = layers.map { stream.below($0.count) }
      let parts = [1, 7, 50][stream.below(3)]
      let slack = [0.5, 1, 1.5][stream.below(3)]
      let most = slack * zip(layers, defaults).reduce(0) { $0 + $1.0[$1.1].error }
      var best: (Int, Double)?
      var choice = [Int](repeating: 0, count: layers.count)
      while true {
        let sizes = zip(layers, choice).reduce(0) { $0 + $1.0[$1.1].bytes }
        let error = zip(layers, choice).reduce(0) { $0 + $1.0[$1.1].error }
        let cost = zip(layers, choice).reduce(0) { sum, pair in
          let error = pair.0[pair.1].error
          if error == 0 { return sum + 1 }
          return sum + (most > 0 ? max(1, Int((error / (most / Double(parts))).rounded(.up))) : 999)
        }
        let fits = cost <= parts || choice == defaults
        if fits, error <= most, best.map({ (sizes, error) < $0 }) ?? true { best = (sizes, error) }
        var place = 0
        while place < choice.count, choice[place] == layers[place].count - 1 {
          choice[place] = 0
          place += 1
        }
        guard place < choice.count else { break }
        choice[place] += 1
      }
      let found = try? LayerwiseChoice.solve(layers, defaults: defaults, slack: slack, parts: parts)
      #expect(found?.bytes == best?.0)
      #expect(found?.error == best?.1)
    }
  }

  @Test("Options of a real layer: exact bytes, errors that fall, a dense one without any")
  func options() throws {
    var stream = RandomStream(seed: 8, .test)
    let x = (0..<400).map { _ in Float(stream.normal()) }
    let densities = LayerwiseChoice.densities(around: 0.05)
    #expect(densities.first == 0.00625 && densities.last == 0.4 && densities.count == 7)
    let specs =
      densities.map { CodecSpec.sparse(SparseCodec(.top(.density($0)))) } + [.dense(.float32)]
    let options = LayerwiseChoice.options(x, shape: [20, 20], specs: specs, stream: &stream)
    for (a, b) in zip(options, options.dropFirst()) { #expect(a.error > b.error) }
    #expect(options.last == Option(bytes: 2 + 2 + 1600, error: 0))
    let squared = LayerwiseChoice.Measure.squared.error([3, 1], [0, 5])
    #expect(squared == 25)
    #expect(LayerwiseChoice.Measure.norm.error([3, 1], [0, 5]) == 5)
    let best = try LayerwiseChoice.solve([options], defaults: [3])
    #expect(best.choice == [3])
    #expect(LayerwiseChoice.ranks(around: 4) == [2, 3, 4, 5, 6, 7, 8])
    #expect(LayerwiseChoice.ranks(around: 1) == [1, 2])
  }

  @Test("Tables that are none are refused")
  func refusals() {
    let one = [[Option(bytes: 1, error: 1)]]
    for (layers, defaults, slack) in [
      (one, [], 1.0), (one, [1], 1), (one, [0], 0), (one, [0], .nan), (one, [0], 0.5),
      ([[Option(bytes: -1, error: 1)]], [0], 1), ([[Option(bytes: 1, error: .infinity)]], [0], 1),
      ([[Option(bytes: 1, error: .nan)]], [0], 1),
    ] {
      #expect(throws: CodecError.self) {
        try LayerwiseChoice.solve(layers, defaults: defaults, slack: slack)
      }
    }
  }
}
