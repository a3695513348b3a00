import Tensor

/// Linear probing: everything below the classifier is frozen; clients train the classifier, the
/// server averages it.
///
/// The lower end of what adapting a pre-trained network can cost, and the usual measure of its
/// features: Alain and Bengio 2016, arXiv:1610.01644; Kornblith et al., CVPR 2019,
/// arXiv:1805.08974.
///
/// | papers | here |
/// |---|---|
/// | the features | the frozen body, as in an evaluation |
/// | the linear classifier | the network's own: `fc`, `fc2`, `head`, by model |
package struct LinearProbe: BasedStrategy {
  package typealias Fields = NoFields

  package static let info = MethodInfo(
    kind: "linear-probe", title: "Linear probing",
    summary: "A frozen network; only its classifier is trained and averaged.",
    source: "a reference; Kornblith et al., CVPR 2019, arXiv:1805.08974, and many before",
    equations: [
      "h = body(x), frozen;   z = W·h + b",
      "(W, b) ← (W, b) + Σ_{k∈S} p_k·((W_k, b_k) − (W, b)),   p_k = n_k / Σ_{j∈S} n_j",
    ],
    messages: [
      "down: model (the classifier)", "up: model difference (the classifier)",
      "floats each way: C·(d + 1)",
    ], memory: "none; the frozen body is everybody's from the start and never sent",
    notes: [
      "The body is as in an evaluation: batch norm by its running statistics, no dropout.",
      "The classifier starts as fedavg's does.",
    ], composes: .all)

  package static let needs: MethodNeeds = [.trainedNetwork]
  package static let ignores = [IgnoredField("model.dropout", "the layers that have it are frozen")]

  package static func adapt(_ settings: Settings, _ base: BaseModel) throws(ModelError)
    -> AdaptedNetwork?
  { try base.probed() }

  package let base: FedAvg

  /// FedAvg of everything that is trained: the classifier.
  package init(_ settings: Settings, _ problem: LearningProblem) {
    base = FedAvg(ModelExchange(problem) { $0.role.isTrained })
  }
}
