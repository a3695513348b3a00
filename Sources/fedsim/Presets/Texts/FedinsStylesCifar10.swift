// Written by Tests/Tools/preset_texts.py (make facts) from scenarios/papers.

extension PresetTexts {
  static let fedinsStylesCifar10 = #"""
    {
      "//": "FedIns where clients are alike in labels and mixed in themselves: images of three \#
    styles at each client, test images of all six.",
      "// papers": "Feng et al., ICCV 2023, arXiv:2308.06051: heterogeneity within clients (its \#
    first figure); plain SGD 0.01, pool of 25, 3 matched, lambda 0.1.",
      "// deviations": "Six known changes of CIFAR-10 images instead of domains; resnet8 of width \#
    16, trained on 10000 other images that have no style, instead of ViT-B/16 trained on \#
    ImageNet; pool of 10; 2000 images, batch 20, 20 rounds of 2 epochs instead of 300 of 10; the \#
    last round instead of the best.",
      "// watch": "fedins against fedssf: what an adapter of one's own gives each image. With \#
    perClient 1 and iid labels every client has one style.",
      "// results": "docs/results/fedins.md",
      "// data": "Unpack cifar-10-binary.tar.gz in data/, or --set data.dataset.path=YOUR/COPY.",
      "fedsim": 1,
      "name": "fedins-styles-cifar10",
      "seeds": [1, 2, 3],
      "data": {
        "dataset": { "kind": "cifar10", "path": "data/cifar-10-batches-bin" },
        "longTail": {
          "profile": "explicit",
          "counts": [200, 200, 200, 200, 200, 200, 200, 200, 200, 200]
        },
        "partition": { "kind": "iid" },
        "styles": {
          "kinds": ["plain", "rotate90", "rotate180", "invert", "grayscale", "blur"],
          "perClient": 3
        },
        "augment": ["flip"]
      },
      "federation": { "clients": 5, "rounds": 20 },
      "model": {
        "kind": "resnet8", "width": 16, "norm": "group",
        "pretrain": { "images": 10000, "epochs": 15, "batch": 64 }
      },
      "client": {
        "work": { "epochs": 2 },
        "batch": 20,
        "optimizer": { "kind": "sgd", "learningRate": 0.01, "momentum": 0, "weightDecay": 0 }
      },
      "strategies": [
        { "kind": "linear-probe" },
        { "kind": "fedssf" },
        { "kind": "fedins", "poolSize": 10 },
        { "kind": "fedavg", "label": "full-tuning" }
      ],
      "evaluation": { "every": 5 }
    }

    """#
}
