import Tensor

/// The client half of a strategy: what changes in each local step, compared with plain SGD on
/// cross-entropy.
///
/// Every requirement but `loss` has a default that changes nothing.
public protocol LocalRule {
  /// The loss on the logits, usually `device.loss`; nil leaves only the rule's own terms.
  var loss: SoftmaxCrossEntropy? { get }

  /// Adds terms to the loss after the forward pass of some examples: may add to
  /// `workspace.logitsGradient`, each term divided by the batch's size.
  ///
  /// Returns what they add to Σ of the loss over these examples.
  mutating func addTerms(_ part: BatchPart) -> Double

  /// Whether `addFeatureTerms` does anything; if not, the backward sweep is one.
  static var hasFeatureTerms: Bool { get }

  /// Adds terms that depend on the features: may add to `workspace.featuresGradient`, each term
  /// divided by the batch's size.
  ///
  /// Called when that gradient holds what came through the classifier. Returns what they add to Σ
  /// of the loss over these examples.
  mutating func addFeatureTerms(_ part: BatchPart) -> Double

  /// Whether `adjust` does anything; if not, layers may move their weights at once.
  static var adjustsGradient: Bool { get }

  /// Changes the gradient of the trained parameters before the optimizer sees it.
  ///
  /// - Parameters:
  ///   - gradient: [trainedCount], of the mean loss over the batch.
  ///   - parameters: [trainedCount], the client's current model.
  mutating func adjust(_ gradient: inout MutableSpan<Float>, at parameters: Span<Float>)

  /// Called after the gradient of a whole batch, before the optimizer's step: heads that the rule
  /// trains besides the network make theirs here.
  mutating func endBatch(learningRate: Double)

  /// The heads that the rule trains besides the network, on the features of the same forward pass:
  /// training that clips gradients of examples clips theirs with the network's, as one vector.
  var heads: [LinearHead] { get set }
}

// Each is documented where it is required.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension LocalRule {
  /// No further terms.
  public mutating func addTerms(_ part: BatchPart) -> Double { 0 }
  public static var hasFeatureTerms: Bool { false }
  /// No further terms.
  public mutating func addFeatureTerms(_ part: BatchPart) -> Double { 0 }
  /// It does.
  public static var adjustsGradient: Bool { true }
  /// No change.
  public mutating func adjust(_ gradient: inout MutableSpan<Float>, at parameters: Span<Float>) {}
  /// Nothing besides.
  public mutating func endBatch(learningRate: Double) {}
  public var heads: [LinearHead] {
    get { [] }
    set {}
  }
}

/// Some examples of a batch after their forward pass.
public struct BatchPart {
  /// Their activations, logits and labels, in its first places.
  public let workspace: Workspace
  /// The network.
  public let network: Network
  /// Their places in the batch; the first one is the workspace's first.
  public let examples: Range<Int>
  /// Size of the batch.
  public let batch: Int
  /// Each one's place in `device.examples`: what belongs to an example is found by it.
  public let places: ArraySlice<Int>
  /// Σ of the loss's weights over the batch; the batch's size without class weights.
  public let totalWeight: Double

  /// How many.
  public var count: Int { examples.count }
}

/// Nothing but the loss.
public struct PlainRule: LocalRule, Sendable {
  /// The loss.
  public let loss: SoftmaxCrossEntropy?
  /// The rule that changes nothing.
  public init(_ loss: SoftmaxCrossEntropy?) { self.loss = loss }
  /// Nothing to adjust.
  public static var adjustsGradient: Bool { false }
}
