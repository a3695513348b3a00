// Written by Tests/Tools/preset_texts.py (make facts) from scenarios/papers.

extension PresetTexts {
  static let knfuMnistSmall = #"""
    {
      "//": "KnFu on small, mildly different local sets: 10 clients with 100 digits each, \#
    Dirichlet 1.",
      "// papers": "Seyedmohammadi et al. 2024, arXiv:2403.11892: MNIST, size of the local sets \#
    against heterogeneity.",
      "// deviations": "An instantiation: KnFu's full text could not be had; see fedsim explain \#
    knfu. Model, sizes and rounds are ours.",
      "// results": "Not run under the present default; docs/results/knfu.md has \#
    knfu-choices-small.",
      "// data": "MNIST's four files in data/mnist, or --set data.dataset.path=YOUR/COPY.",
      "fedsim": 1,
      "name": "knfu-mnist-small",
      "seeds": [1, 2, 3],
      "data": {
        "dataset": { "kind": "mnist", "path": "data/mnist" },
        "public": { "size": 1000 },
        "partition": { "kind": "dirichlet-prior", "alpha": 1, "perClient": 100 }
      },
      "federation": { "clients": 10, "rounds": 20 },
      "model": { "kind": "mlp", "hidden": [128, 64] },
      "client": { "work": { "epochs": 2 }, "batch": 32, "optimizer": { "kind": "adam", \#
    "learningRate": 0.001 } },
      "strategies": [
        { "kind": "local-only" },
        { "kind": "fedavg" },
        { "kind": "fedmd" },
        { "kind": "fedmd", "label": "fedmd-kl", "digest": "kl-probabilities" },
        { "kind": "knfu" }
      ],
      "evaluation": { "every": 20 },
      "output": { "personalModels": false }
    }

    """#
}
