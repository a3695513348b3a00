import Tensor

/// The client half of a strategy: what changes in each local step, compared with plain SGD on
/// cross-entropy.
///
/// Every requirement has a default that changes nothing.
public protocol LocalRule {
  /// The loss on the logits, with class offsets and weights where a method has them.
  var loss: SoftmaxCrossEntropy { get }

  /// Adds terms to the loss: may add to `workspace.logitsGradient` after the forward pass of some
  /// examples of a batch, each term divided by the batch's size.
  ///
  /// `examples`: their places in the batch; the first one is the workspace's first.
  mutating func addTerms(_ workspace: Workspace, examples: Range<Int>, of batch: Int)

  /// Whether `adjust` does anything; if not, layers may move their weights at once.
  static var adjustsGradient: Bool { get }

  /// Changes the gradient of the trained parameters before the optimizer sees it.
  ///
  /// - Parameters:
  ///   - gradient: [trainedCount], of the mean loss over the batch.
  ///   - parameters: [trainedCount], the client's current model.
  mutating func adjust(_ gradient: inout MutableSpan<Float>, at parameters: Span<Float>)
}

extension LocalRule {
  /// Plain cross-entropy.
  public var loss: SoftmaxCrossEntropy { SoftmaxCrossEntropy() }
  /// No further terms.
  public mutating func addTerms(_ workspace: Workspace, examples: Range<Int>, of batch: Int) {}
  /// It does.
  public static var adjustsGradient: Bool { true }
  /// No change.
  public mutating func adjust(_ gradient: inout MutableSpan<Float>, at parameters: Span<Float>) {}
}

/// Plain cross-entropy, plain gradient.
public struct PlainRule: LocalRule, Sendable {
  /// The rule that changes nothing.
  public init() {}
  /// Nothing to adjust.
  public static var adjustsGradient: Bool { false }
}
