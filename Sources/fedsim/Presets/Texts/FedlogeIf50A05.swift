// Written by Tests/Tools/preset_texts.py (make facts) from scenarios/papers.

extension PresetTexts {
  static let fedlogeIf50A05 = #"""
    {
      "//": "FedLoGe's table: CIFAR-10-LT, imbalance factor 50, Dirichlet 0.5: the method and \#
    what it is compared with.",
      "// papers": "Xiao et al., ICLR 2024, arXiv:2401.08977, CIFAR-10-LT.",
      "// deviations": "20 clients instead of 40, all of them in every round; resnet8 of width 16 \#
    with batch norm instead of ResNet-18; 20 rounds of 1 epoch instead of 500 of 5; batch 16 \#
    instead of 8; SGD 0.1 without momentum and decay 0.0005 on a cosine instead of 0.03, momentum \#
    0.5, no decay, constant; local tests weighted by the client's classes instead of drawn to \#
    match them, without masking; three seeds of our own draw.",
      "// results": "Not run here. 250 TFLOP of training: about two hours on two cores.",
      "// data": "Unpack cifar-10-binary.tar.gz in data/, or --set data.dataset.path=YOUR/COPY.",
      "fedsim": 1,
      "name": "fedloge-if50-a05",
      "seeds": [1, 2, 3],
      "data": {
        "dataset": { "kind": "cifar10", "path": "data/cifar-10-batches-bin" },
        "longTail": { "profile": "exponential", "factor": 50 },
        "partition": { "kind": "dirichlet", "alpha": 0.5 },
        "augment": ["crop4", "flip"]
      },
      "federation": { "clients": 20, "rounds": 20, "participation": 1 },
      "model": { "kind": "resnet8", "width": 16, "norm": "batch" },
      "client": {
        "work": { "epochs": 1 },
        "batch": 16,
        "optimizer": { "kind": "sgd", "learningRate": 0.1, "momentum": 0, "weightDecay": 0.0005 },
        "schedule": { "kind": "cosine" }
      },
      "strategies": [
        { "kind": "fedavg" },
        { "kind": "ditto" },
        { "kind": "fedloge" }
      ],
      "evaluation": { "every": 20 },
      "output": { "personalModels": false }
    }

    """#
}
