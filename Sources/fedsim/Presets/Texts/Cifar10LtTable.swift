// Written by Tests/Tools/preset_texts.py (make facts) from scenarios/papers.

extension PresetTexts {
  static let cifar10LtTable = #"""
    {
      "//": "Twelve and more methods on one long-tailed, non-IID CIFAR-10: generic and personal, \#
    side by side.",
      "// warnings": "W3021 is meant: fedrep has epochs of its own.",
      "// papers": "FedLoGe (arXiv:2401.08977), CIFAR-10-LT with factor 100 and alpha 0.5; \#
    baselines of FedRoD, FedETF and CReFF.",
      "// deviations": "20 clients instead of 40, 10 per round; resnet8 of width 8 with batch \#
    norm instead of ResNet-18; 24 rounds of 1 epoch instead of 500 of 5; batch 16 instead of 8; \#
    cosine schedule; CReFF with 50 epochs of its head instead of 300.",
      "// results": "docs/results/cifar10-lt-table.md",
      "// data": "Unpack cifar-10-binary.tar.gz in data/, or --set data.dataset.path=YOUR/COPY.",
      "fedsim": 1,
      "name": "cifar10-lt-table",
      "seeds": [1, 2, 3],
      "data": {
        "dataset": { "kind": "cifar10", "path": "data/cifar-10-batches-bin" },
        "longTail": { "profile": "exponential", "factor": 100 },
        "partition": { "kind": "dirichlet", "alpha": 0.5 },
        "augment": ["crop4", "flip"]
      },
      "federation": { "clients": 20, "rounds": 24, "participation": 0.5 },
      "model": { "kind": "resnet8", "width": 8, "norm": "batch" },
      "client": {
        "work": { "epochs": 1 },
        "batch": 16,
        "optimizer": { "kind": "sgd", "learningRate": 0.1, "momentum": 0, "weightDecay": 0.0005 },
        "schedule": { "kind": "cosine" }
      },
      "strategies": [
        { "kind": "local-only" },
        { "kind": "fedavg" },
        { "kind": "fedavg", "label": "fedavg-bsm", "loss": "balanced-softmax" },
        { "kind": "fedavg", "label": "fedavg-la-posthoc", "postHoc": "logit-adjustment" },
        { "kind": "fedavg-ft" },
        { "kind": "fedyogi" },
        { "kind": "fedrep", "headEpochs": 1 },
        { "kind": "ditto" },
        { "kind": "fedrod" },
        { "kind": "fedetf" },
        { "kind": "creff" },
        { "kind": "fedproto" },
        { "kind": "fedloge" },
        { "kind": "fedloge", "label": "fedloge-norm-1", "norm": 1 },
        {
          "kind": "fedloge",
          "label": "fedloge-norm-1-before",
          "norm": 1, "generic": "auxiliary", "prediction": "stage-one"
        }
      ],
      "evaluation": { "every": 24 },
      "output": { "personalModels": false }
    }

    """#
}
