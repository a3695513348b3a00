/// What one block of a method's uploads tells of a client's examples.
///
/// The engine holds this against the mechanism of the scenario: what no mechanism covers leaks, and
/// a run that leaks has no guarantee, however much noise there is elsewhere.
public struct Release: Sendable, Equatable {
  /// The block of the upload, such as "model".
  public let block: String
  /// What it is made from.
  public let origin: Origin

  /// How a block comes from a client's examples.
  public enum Origin: Sendable, Equatable {
    /// By training steps alone, whose gradients `Device.computeGradient` took: a mechanism inside
    /// the steps covers it.
    case training
    /// From the client's number of examples, which example-level guarantees take as public.
    case size
    /// From examples, besides training steps: what it is, in words.
    case examples(String)
  }

  /// A block made by training steps alone.
  public static func training(_ block: String) -> Release {
    Release(block: block, origin: .training)
  }
  /// A block that tells the client's number of examples.
  public static func size(_ block: String) -> Release { Release(block: block, origin: .size) }
  /// A block read from examples.
  public static func examples(_ block: String, _ what: String) -> Release {
    Release(block: block, origin: .examples(what))
  }
}

/// What a method's training in one round costs a client in private gradients.
public struct PrivateWork: Sendable, Equatable {
  /// Batches drawn.
  public var batches: Int
  /// Gradients taken on each.
  public var gradientsPerBatch: Int

  /// A round's work.
  public init(batches: Int, gradientsPerBatch: Int = 1) {
    self.batches = batches
    self.gradientsPerBatch = gradientsPerBatch
  }
}
