// Written by Tests/Tools/preset_texts.py (make facts) from scenarios/papers.

extension PresetTexts {
  static let fedinsFewshotCifar10 = #"""
    {
      "//": "FedIns' few-shot setting with label skew: a frozen network, 20 images per class over \#
    all clients; linear probing, one adapter, a pool of adapters, full fine-tuning.",
      "// papers": "Feng et al., ICCV 2023, arXiv:2308.06051: CIFAR-100 and Tiny-ImageNet, \#
    Dirichlet 0.2 cut per class, 5 clients, at least 10 images each, 10 local epochs, plain SGD \#
    0.01, pool of 25, 3 matched, lambda 0.1.",
      "// deviations": "CIFAR-10 with 20 images per class instead of CIFAR-100 with 10; resnet8 \#
    of width 16, trained on 10000 other CIFAR-10 images, instead of ViT-B/16 trained on ImageNet; \#
    32x32 instead of 224x224; pool of 10; batch 10, one step per batch, instead of 32 with short \#
    ones dropped or one step per image; 30 rounds instead of 300; images drawn instead of the \#
    first ones; flips without rotations; the last round instead of the best.",
      "// results": "docs/results/fedins.md",
      "// data": "Unpack cifar-10-binary.tar.gz in data/, or --set data.dataset.path=YOUR/COPY.",
      "fedsim": 1,
      "name": "fedins-fewshot-cifar10",
      "seeds": [1, 2, 3],
      "data": {
        "dataset": { "kind": "cifar10", "path": "data/cifar-10-batches-bin" },
        "longTail": { "profile": "explicit", "counts": [20, 20, 20, 20, 20, 20, 20, 20, 20, 20] },
        "partition": { "kind": "dirichlet-cut", "alpha": 0.2, "minPerClient": 10 },
        "augment": ["flip"]
      },
      "federation": { "clients": 5, "rounds": 30 },
      "model": {
        "kind": "resnet8", "width": 16, "norm": "group",
        "pretrain": { "images": 10000, "epochs": 15, "batch": 64 }
      },
      "client": {
        "work": { "epochs": 10 },
        "batch": 10,
        "optimizer": { "kind": "sgd", "learningRate": 0.01, "momentum": 0, "weightDecay": 0 }
      },
      "strategies": [
        { "kind": "linear-probe" },
        { "kind": "fedssf" },
        { "kind": "fedins", "poolSize": 10 },
        { "kind": "fedavg", "label": "full-tuning" }
      ],
      "evaluation": { "every": 10 }
    }

    """#
}
