/// One client's upload with its share.
public struct WeightedUpload: Sendable {
  /// What the client sent.
  public let payload: Payload
  /// The client's share p_k; shares of a round add up to 1.
  public let weight: Double
  /// Who sent it.
  public let client: Int

  /// An upload.
  public init(_ payload: Payload, weight: Double, client: Int) {
    self.payload = payload
    self.weight = weight
    self.client = client
  }

  /// The same with values of its own: the client's model is free for the next client.
  package var materialised: WeightedUpload {
    WeightedUpload(payload.materialised, weight: weight, client: client)
  }
}

/// How the server takes uploads in, always in the same order, so that memory does not grow with
/// the cohort unless the rule needs every update at once.
public protocol Aggregator: Sendable {
  /// A fold before the first upload.
  init()

  /// Takes one upload in.
  mutating func add(_ upload: WeightedUpload)

  /// Takes several uploads in, with the very result of taking one after the other; how many come
  /// together is nothing that a result may depend on.
  mutating func add(_ uploads: [WeightedUpload])

  /// Becomes a fold before the first upload again; may keep its memory.
  mutating func restart()
}

// Each is documented where it is required.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension Aggregator {
  public mutating func add(_ uploads: [WeightedUpload]) { for upload in uploads { add(upload) } }

  public mutating func restart() { self = Self() }
}

/// Σ p_k · upload_k, block by block, in the order of arrival.
public struct WeightedMean: Aggregator {
  private struct Sum: Sendable {
    let name: String
    var values: [Float]
    var uploads = 0
  }

  private var sums: [Sum] = []
  /// Uploads taken in.
  public private(set) var uploads = 0

  /// An empty mean.
  public init() {}

  /// Adds p·upload.
  public mutating func add(_ upload: WeightedUpload) { add([upload]) }

  /// Adds Σ p_k·upload_k, element by element in the order of the uploads.
  ///
  /// - Complexity: O(values · uploads); sums are read and written once for all of them, and
  ///   allocated only in a first round.
  public mutating func add(_ uploads: [WeightedUpload]) {
    for upload in uploads {
      for block in upload.payload.blocks where !sums.contains(where: { $0.name == block.name }) {
        // Written before it is read.
        let values = [Float](unsafeUninitializedCapacity: block.count) { $1 = block.count }
        sums.append(Sum(name: block.name, values: values))
      }
    }
    for index in sums.indices {
      var terms: [WeightedBlock] = []
      terms.reserveCapacity(uploads.count)
      for upload in uploads {
        for block in upload.payload.blocks where block.name == sums[index].name {
          precondition(
            block.count == sums[index].values.count,
            "WeightedMean: \(block.name) of [\(block.count)] into [\(sums[index].values.count)]")
          terms.append(WeightedBlock(block: block, weight: Float(upload.weight)))
        }
      }
      if terms.isEmpty { continue }
      let isFresh = sums[index].uploads == 0
      sums[index].uploads += terms.count
      sums[index].values.withUnsafeMutableBufferPointer { sum in
        guard let start = sum.baseAddress else { return }
        WeightedBlock.add(terms, to: start, count: sum.count, fresh: isFresh)
      }
    }
    self.uploads += uploads.count
  }

  /// Forgets the sums and keeps their memory.
  public mutating func restart() {
    for index in sums.indices { sums[index].uploads = 0 }
    uploads = 0
  }

  /// The mean of a block; nil when no upload had it.
  public subscript(name: String) -> [Float]? {
    for sum in sums where sum.name == name && sum.uploads > 0 { return sum.values }
    return nil
  }
}

/// Every upload with its share and sender, for rules that need them all.
public struct AllUploads: Aggregator {
  /// The uploads, in the order of arrival.
  public private(set) var uploads: [WeightedUpload] = []

  /// An empty mean.
  public init() {}

  /// Keeps the upload, as values of its own: the client's model is free for the next client.
  public mutating func add(_ upload: WeightedUpload) { uploads.append(upload.materialised) }
}
