// Written by Tests/Tools/preset_texts.py (make facts) from scenarios/papers.

extension PresetTexts {
  static let knfuCifar10Mixed = #"""
    {
      "//": "KnFu between clients of three architectures: nothing but predictions travels.",
      "// papers": "Seyedmohammadi et al. 2024, arXiv:2403.11892: CIFAR-10, size of the local \#
    sets against heterogeneity.",
      "// deviations": "An instantiation: KnFu's full text could not be had; see fedsim explain \#
    knfu. Model, sizes and rounds are ours.",
      "// results": "Not run here.",
      "// data": "cifar-10-binary.tar.gz unpacked in data/, or --set data.dataset.path=YOUR/COPY.",
      "fedsim": 1,
      "name": "knfu-cifar10-mixed",
      "seeds": [1, 2, 3],
      "data": {
        "dataset": { "kind": "cifar10", "path": "data/cifar-10-batches-bin" },
        "public": { "size": 1000 },
        "partition": { "kind": "dirichlet-prior", "alpha": 1, "perClient": 300 }
      },
      "federation": { "clients": 10, "rounds": 20 },
      "model": { "kind": "cnn", "width": 16, "dropout": [] },
      "clientModels": [
        { "share": 0.4, "model": { "kind": "cnn", "width": 16, "dropout": [] } },
        { "share": 0.3, "model": { "kind": "lenet5", "width": 8 } },
        { "share": 0.3, "model": { "kind": "mlp", "hidden": [128, 64] } }
      ],
      "client": { "work": { "epochs": 2 }, "batch": 32, "optimizer": { "kind": "adam", \#
    "learningRate": 0.001 } },
      "strategies": [{ "kind": "local-only" }, { "kind": "fedmd" }, { "kind": "knfu" }],
      "evaluation": { "every": 20 },
      "output": { "personalModels": false }
    }

    """#
}
