// Written by Tests/Tools/preset_texts.py (make facts) from scenarios/papers.

extension PresetTexts {
  static let fedd2SDropping = #"""
    {
      "//": "FedD2S's order and rate of dropping layers.",
      "// papers": "Atapour et al. 2024, arXiv:2402.10846, CIFAR-10: accuracy, fairness, dropping \#
    rate, participation.",
      "// deviations": "An instantiation: FedD2S's full text could not be had; see fedsim explain \#
    fedd2s. 20 clients with 400 images each, a quarter held out for the personal test; a small \#
    CNN; 30 rounds.",
      "// results": "Not run here. 88 TFLOP of training: about 50 minutes on two cores.",
      "// data": "cifar-10-binary.tar.gz unpacked in data/, or --set data.dataset.path=YOUR/COPY.",
      "fedsim": 1,
      "name": "fedd2s-dropping",
      "seeds": [1, 2, 3],
      "data": {
        "dataset": { "kind": "cifar10", "path": "data/cifar-10-batches-bin" },
        "partition": { "kind": "dirichlet-prior", "alpha": 0.5, "perClient": 400 },
        "test": { "local": "holdout", "holdoutShare": 0.25 }
      },
      "federation": { "clients": 20, "rounds": 30, "participation": 1 },
      "model": { "kind": "cnn", "width": 16, "dropout": [] },
      "client": { "work": { "epochs": 1 }, "batch": 32, "optimizer": { "kind": "adam", \#
    "learningRate": 0.001 } },
      "strategies": [
        { "kind": "local-only" },
        { "kind": "fedd2s", "label": "every-5", "dropEvery": 5 },
        { "kind": "fedd2s", "label": "every-10", "dropEvery": 10 },
        { "kind": "fedd2s", "label": "never", "order": "never" },
        { "kind": "fedd2s", "label": "shallow-first", "order": "s2d" }
      ],
      "evaluation": { "every": 3 },
      "output": { "personalModels": false }
    }

    """#
}
