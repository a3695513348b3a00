extension FedD2S {
  /// The fields of the card: the paper names the first three and shows what they do; the values and
  /// all others are choices of this instantiation.
  package static let fields = [
    Hyperparameter(
      "cuts", symbol: "𝒮", .integers(0...1000), default: .integers([]),
      "dropping set: cut numbers from the input, 0 for no exchange; empty: every cut there is",
      inferred: true),
    Hyperparameter(
      "order", symbol: "", .choice(CutSchedule.Order.allCases.map(\.rawValue)),
      default: .choice("d2s"),
      "deep to shallow (d2s), shallow to deep (s2d), or the deepest of the set for good (never)"),
    Hyperparameter(
      "dropEvery", symbol: "T_drop", .integer(0...1_000_000), default: .integer(0),
      "rounds per cut; 0: rounds over the number of cuts, rounded down", inferred: true),
    Hyperparameter(
      "distillationWeight", symbol: "λ", .number(0...1e6, exclusiveMinimum: false),
      default: .number(1), "weight of both distillation terms",
      degenerate: (.number(0), "local-only"), inferred: true),
    Hyperparameter(
      "temperature", symbol: "τ", .number(0...1000, exclusiveMinimum: true), default: .number(3),
      "temperature of all soft labels", inferred: true),
    Hyperparameter(
      "upload", symbol: "", .choice(["perSample", "perClass"]), default: .choice("perSample"),
      "a row per example, or the means over each class of the client", inferred: true),
    Hyperparameter(
      "klScope", symbol: "", .choice(["wholeModel", "participatingOnly"]),
      default: .choice("wholeModel"),
      "layers that the clients' distillation term trains: all, or those before the cut",
      inferred: true),
    Hyperparameter(
      "shareShallowWeights", symbol: "", .flag, default: .flag(false),
      "whether the server also averages the layers before the cut", inferred: true),
    Hyperparameter(
      "headInit", symbol: "", .choice(["initial", "random"]), default: .choice("initial"),
      "what a new head starts from: Ω_0's layers behind the cut, or weights of its own",
      inferred: true),
    Hyperparameter(
      "headEpochs", symbol: "E_s", .integer(0...100_000), default: .integer(0),
      "epochs of head training in a round; 0: 5 per sample, 50 per class", inferred: true),
    Hyperparameter(
      "headBatch", symbol: "B_s", .integer(1...65_536), default: .integer(64),
      "rows per step of head training", inferred: true),
    Hyperparameter(
      "headOptimizer", symbol: "", .choice(["adam", "sgd"]), default: .choice("adam"),
      "optimizer of head training", inferred: true),
    Hyperparameter(
      "headLearningRate", symbol: "", .number(0...1000, exclusiveMinimum: true),
      default: .number(0.001), "its step size", inferred: true),
    Hyperparameter(
      "headMomentum", symbol: "", .number(0...0.999, exclusiveMinimum: false),
      default: .number(0.9), "momentum of sgd; adam has none", inferred: true),
    Hyperparameter(
      "weightByCounts", symbol: "", .flag, default: .flag(true),
      "whether a class mean counts as often as it has examples (perClass)", inferred: true),
    Hyperparameter(
      "labelType", symbol: "", .choice(["int32", "uint8"]), default: .choice("int32"),
      "how labels travel: 4 bytes, or 1 for up to 256 classes", inferred: true),
  ]
}
