// Written by Tests/Tools/preset_texts.py (make facts) from scenarios/papers.

extension PresetTexts {
  static let knfuChoicesLarge = #"""
    {
      "//": "Which of KnFu's inferred choices decides whether training alone is better: each \#
    moved by itself, on large, very different local sets: 10 clients with 3000 digits each, \#
    Dirichlet 0.1.",
      "// papers": "Seyedmohammadi et al. 2024, arXiv:2403.11892: with large and heterogeneous \#
    local data, training alone may be preferable to fusion.",
      "// deviations": "An instantiation: KnFu's full text could not be had; see fedsim explain \#
    knfu. Model, sizes and rounds are ours.",
      "// results": "docs/results/knfu.md",
      "// data": "The four MNIST files in data/mnist, or --set data.dataset.path=YOUR/COPY.",
      "fedsim": 1,
      "name": "knfu-choices-large",
      "seeds": [1, 2, 3],
      "data": {
        "dataset": { "kind": "mnist", "path": "data/mnist" },
        "public": { "size": 1000 },
        "partition": { "kind": "dirichlet-prior", "alpha": 0.1, "perClient": 3000 }
      },
      "federation": { "clients": 10, "rounds": 20 },
      "model": { "kind": "mlp", "hidden": [128, 64] },
      "client": { "work": { "epochs": 2 }, "batch": 32, "optimizer": { "kind": "adam", \#
    "learningRate": 0.001 } },
      "strategies": [
        { "kind": "local-only" },
        { "kind": "fedmd", "label": "fedmd-kl", "digest": "kl-probabilities" },
        { "kind": "knfu" },
        { "kind": "knfu", "label": "beta-0", "beta": 0 },
        { "kind": "knfu", "label": "kl", "divergence": "kl" },
        { "kind": "knfu", "label": "kl-beta-1", "divergence": "kl", "beta": 1 },
        { "kind": "knfu", "label": "kl-beta-3", "divergence": "kl", "beta": 3 },
        { "kind": "knfu", "label": "kl-smoothing-0.1", "divergence": "kl", "smoothing": 0.1 },
        { "kind": "knfu", "label": "kl-tuning-5", "divergence": "kl", "tuningEpochs": 5 },
        { "kind": "knfu", "label": "kl-others-only", "divergence": "kl", "includeSelf": false },
        { "kind": "knfu", "label": "kl-private-1", "divergence": "kl", "privateWeight": 1 }
      ],
      "evaluation": { "every": 5 },
      "output": { "personalModels": false }
    }

    """#
}
