import Aggregation
import Codecs
import Records

/// How the messages of one run are encoded.
package struct RunCompression: Sendable {
  package let settings: CompressionSettings
  let uplink: UploadCompressor?
  let downlink: DownloadCompressor?
  /// π_k of each client among all that hold examples: the shares of estimates, which count whether
  /// their clients are there or not.
  package let shares: [Double]

  init(_ settings: CompressionSettings, _ problem: LearningProblem, shares: [Double]) {
    var settings = settings
    if case .randomK(let random) = settings.uplink?.codec, random.seed != nil {
      settings.uplink?.codec = .randomK(
        RandomKCodec(random.amount, isScaled: random.isScaled, seed: problem.seed))
    }
    self.settings = settings
    uplink = settings.uplink.map { UploadCompressor(BlockPlanner($0, problem)) }
    downlink = settings.downlink.map { DownloadCompressor(BlockPlanner($0, problem)) }
    self.shares = shares
  }

  /// Whether the server holds estimates of updates, and uploads are changes of them (EF21).
  var sendsChanges: Bool { if case .estimates = settings.uplink?.memory { true } else { false } }

  package var memory: LinkCompression.Memory { settings.uplink?.memory ?? .none }

  /// Whether clients have to be known by the round in which they last took part.
  var remembersRounds: Bool {
    settings.downlink?.memory == .shadow || settings.uplink?.layerwise != nil
  }

  /// The name of the server's last solution of layer-wise strengths.
  static let solvedIn = UploadCompressor.prefix + "solved"

  /// The name of the strengths of a block's tensors.
  static func choice(_ block: String) -> String { UploadCompressor.name("choice", block) }
  /// The name of the mean estimate of a block.
  package static func mean(_ block: String) -> String { UploadCompressor.name("mean", block) }
}

/// What encoding did in a round.
package struct CompressionOutcome: Sendable {
  var quality = CompressionQuality()
  /// Bytes as plain numbers, and the fewest bytes.
  var dense = RoundRecord.Bytes.Link(up: 0, down: 0)
  var entropy = (up: 0.0, down: 0.0)
  /// Seconds that all workers spent on encoding and decoding.
  var seconds = 0.0
}

extension RunContext {
  /// How messages are encoded; nil for plain numbers.
  package var compression: RunCompression? {
    get { features[RunCompression.self] }
    set { features[RunCompression.self] = newValue }
  }
}
