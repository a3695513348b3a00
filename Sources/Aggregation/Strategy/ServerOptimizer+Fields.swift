/// The fields of methods that are FedAvg with a server optimizer of their own.
extension Hyperparameter {
  /// η_g, the server's step size.
  static func serverLearningRate(_ initial: Double, inferred: Bool = false) -> Hyperparameter {
    Hyperparameter(
      "serverLearningRate", symbol: "η_g", .number(0...1e6, exclusiveMinimum: true),
      default: .number(initial),
      "step size of the server; the paper tunes it on a grid of powers of 10", inferred: inferred)
  }

  /// β₁, of the first moment.
  static let serverBeta1 = Hyperparameter(
    "beta1", symbol: "β₁", .number(0...0.9999, exclusiveMinimum: false), default: .number(0.9),
    "decay of the first moment of the server's updates")

  /// β₂, of the second moment.
  static let serverBeta2 = Hyperparameter(
    "beta2", symbol: "β₂", .number(0...1, exclusiveMinimum: false), default: .number(0.99),
    "decay of the second moment; 0.999 in some libraries")

  /// τ, the degree of adaptivity.
  static let adaptivity = Hyperparameter(
    "tau", symbol: "τ", .number(0...1e6, exclusiveMinimum: true), default: .number(1e-3),
    "added to the root of the second moment, which starts at τ²; larger adapts less")
}
