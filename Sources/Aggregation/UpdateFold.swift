import Tensor

/// How the server takes uploads in, one by one and always in the same order, so that memory does
/// not grow with the cohort unless the rule needs every update at once.
public protocol UpdateFold: Sendable {
  /// A fold before the first upload.
  init()

  /// Takes one upload in.
  ///
  /// `weight`: the client's share; shares of a round add up to 1.
  mutating func add(_ upload: Payload, weight: Double, client: Int)
}

/// Σ p_k · upload_k, block by block, in the order of arrival.
public struct WeightedMean: UpdateFold {
  private var sums: [String: [Float]] = [:]
  /// Uploads taken in.
  public private(set) var uploads = 0

  /// An empty mean.
  public init() {}

  /// Adds p·upload; O(values), allocates only for the first upload.
  public mutating func add(_ upload: Payload, weight: Double, client: Int) {
    for block in upload.blocks {
      if sums[block.name] == nil {
        sums[block.name] = [Float](repeating: 0, count: block.values.count)
      }
      if var sum = sums.removeValue(forKey: block.name) {
        VectorArithmetic.addScaled(&sum, Float(weight), block.values)
        sums[block.name] = sum
      }
    }
    uploads += 1
  }

  /// The mean of a block; nil when no upload had it.
  public subscript(name: String) -> [Float]? { sums[name] }
}

/// Every upload with its share and sender, for rules that need them all.
public struct AllUploads: UpdateFold {
  /// The uploads, in the order of arrival.
  public private(set) var uploads: [(payload: Payload, weight: Double, client: Int)] = []

  /// Nothing yet.
  public init() {}

  /// Keeps the upload.
  public mutating func add(_ upload: Payload, weight: Double, client: Int) {
    uploads.append((upload, weight, client))
  }
}
