// Written by Tests/Tools/preset_texts.py (make facts) from scenarios/papers.

extension PresetTexts {
  static let fedlogeAuthors = #"""
    {
      "//": "FedLoGe beside FedAvg in the setting of the authors' published training logs, for \#
    their first rounds.",
      "// papers": "Xiao et al., ICLR 2024, arXiv:2401.08977, and the logs in its code's \#
    repository: CIFAR-10-LT, imbalance factor 100, Dirichlet 0.5.",
      "// as there": "ResNet-18 with batch norm, 40 clients, all of them in every round, 5 \#
    epochs, batch 8, SGD 0.03 with momentum 0.5, no decay, no schedule, crop and flip; local \#
    tests drawn to match the client's labels, predictions among its classes; generic: the sparse \#
    frame; personal: the private plus the shared head, before realignment; the frame's bias and \#
    the private heads as a new linear layer has them.",
      "// deviations": "12 rounds instead of 500; pixels normalised by the training set's own \#
    mean and deviation instead of ImageNet's; a split of our own draw; weights by sample counts, \#
    where the logs' code pairs each client's weights with another client's count.",
      "// results": "Not run here to its end. 5 PFLOP of training: about ten hours on two cores.",
      "// warnings": "W3001 is meant: the logs have one seed, and a second one takes another ten \#
    hours.",
      "// data": "Unpack cifar-10-binary.tar.gz in data/, or --set data.dataset.path=YOUR/COPY.",
      "fedsim": 1,
      "name": "fedloge-authors",
      "seeds": [1],
      "data": {
        "dataset": { "kind": "cifar10", "path": "data/cifar-10-batches-bin" },
        "longTail": { "profile": "exponential", "factor": 100 },
        "partition": { "kind": "dirichlet", "alpha": 0.5 },
        "augment": ["crop4", "flip"],
        "test": { "local": "match-client-labels", "mask": true }
      },
      "federation": { "clients": 40, "rounds": 12, "participation": 1 },
      "model": { "kind": "resnet18", "width": 64, "norm": "batch" },
      "client": {
        "work": { "epochs": 5 },
        "batch": 8,
        "optimizer": { "kind": "sgd", "learningRate": 0.03, "momentum": 0.5, "weightDecay": 0 }
      },
      "strategies": [
        { "kind": "fedavg" },
        {
          "kind": "fedloge",
          "frameBias": "default", "generic": "frame", "prediction": "stage-one", "privateStart": \#
    "own"
        }
      ],
      "evaluation": { "every": 1 },
      "output": { "checkpointEvery": 1 }
    }

    """#
}
