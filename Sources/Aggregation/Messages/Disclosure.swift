/// What one block of a method's uploads tells of a client's examples.
///
/// The engine holds this against the mechanism of the scenario: what no mechanism covers leaks, and
/// a run that leaks has no guarantee, however much noise there is elsewhere.
public struct Disclosure: Sendable, Equatable {
  /// The block of the upload, such as "model".
  public let block: String
  /// What it is made from.
  public let origin: Origin
  /// What its floats measure, so that one clip can be meant for all that it clips.
  public let scale: Scale
  /// Tensors of it that are whole numbers, such as labels: noise would make them something else.
  public let wholeNumbers: [String]

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

  /// What the floats of a block measure.
  public enum Scale: String, Sendable {
    /// How far parameters moved.
    case parameters
    /// Gradients, or means of them.
    case gradients
    /// Something that no other block measures.
    case own
    /// Several things at once, such as means and covariances.
    case mixed
    /// A number that says how much was done.
    case count
    /// There are none: all is whole numbers.
    case none
  }

  /// A block made by training steps alone.
  public static func training(_ block: String, _ scale: Scale = .parameters) -> Disclosure {
    Disclosure(block: block, origin: .training, scale: scale, wholeNumbers: [])
  }
  /// A block that tells the client's number of examples.
  public static func size(_ block: String) -> Disclosure {
    Disclosure(block: block, origin: .size, scale: .count, wholeNumbers: [])
  }
  /// A block read from examples.
  ///
  /// `wholeNumbers`: those of its tensors that are no floats.
  public static func examples(
    _ block: String, _ what: String, _ scale: Scale = .own, wholeNumbers: [String] = []
  ) -> Disclosure {
    Disclosure(block: block, origin: .examples(what), scale: scale, wholeNumbers: wholeNumbers)
  }

  /// Whether a block that was sent is this one; blocks per class have its name and a number.
  public func covers(_ sent: String) -> Bool {
    guard sent.hasPrefix(block) else { return false }
    let rest = sent.dropFirst(block.count)
    return rest.isEmpty || rest.first == "-" && rest.dropFirst().allSatisfy(\.isNumber)
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
