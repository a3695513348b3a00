/// The scenario of `fedsim run --example`: a long-tailed, non-IID problem on built-in images that
/// shows in under a minute what a comparison looks like.
enum ExampleScenario {
  /// The file's text, which the run folder keeps.
  static let text = """
    {
      "fedsim": 1,
      "name": "example",
      "seeds": [1, 2, 3],
      "data": {
        "dataset": { "kind": "synthetic", "classes": 10, "trainPerClass": 500 },
        "longTail": { "profile": "exponential", "factor": 10 },
        "partition": { "kind": "dirichlet", "alpha": 0.5 }
      },
      "federation": { "clients": 10, "rounds": 10, "participation": 0.5 },
      "model": { "kind": "cnn", "width": 8, "dropout": [] },
      "client": {
        "work": { "epochs": 3 }, "batch": 10,
        "optimizer": { "kind": "sgd", "learningRate": 0.02, "momentum": 0.9, "weightDecay": 0 }
      },
      "strategies": [
        { "kind": "local-only" },
        { "kind": "fedavg" },
        { "kind": "fedavg-ft" },
        { "kind": "fedper" }
      ],
      "evaluation": { "every": 5 }
    }

    """
}
