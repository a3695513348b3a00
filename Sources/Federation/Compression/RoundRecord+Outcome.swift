import Aggregation
import Records

extension RoundRecord.Compression {
  init(_ outcome: CompressionOutcome) {
    let quality = outcome.quality
    self.init(
      cosine: quality.cosine, errorRatio: quality.error > 0 ? quality.errorRatio : nil,
      kept: quality.values > 0 ? Double(quality.kept) / Double(quality.values) : 1,
      seconds: outcome.seconds)
  }
}
