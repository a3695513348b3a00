// Written by Tests/Tools/preset_texts.py (make facts) from scenarios/papers.

extension PresetTexts {
  static let fedinsVit = #"""
    {
      "//": "FedIns' few-shot setting on its own network: a frozen ViT-B/16 of timm, 224x224, 10 \#
    images per class over all clients; linear probing, one adapter, a pool of 25 adapters.",
      "// papers": "Feng et al., ICCV 2023, arXiv:2308.06051: ViT-B/16 (AugReg, ImageNet-21k then \#
    ImageNet-1k), CIFAR-100 resized to 224x224, Dirichlet 0.2 cut per class, 5 clients, at least \#
    10 images each, 300 rounds of 10 local epochs, batch 32, plain SGD 0.01, pool of 25, 3 \#
    matched, lambda 0.1, clients weigh alike.",
      "// deviations": "flips without rotations; a short last batch is a batch and not dropped; \#
    images drawn instead of the first ones; one step per batch, which is public code of 2023, \#
    with an adapter per image, which is that of 2025; the last round instead of the best.",
      "// results": "Not run here as it stands; docs/results/fedins.md says what of its network \#
    was.",
      "// data": "Unpack cifar-100-binary.tar.gz in data/. The weights, with a machine that \#
    reaches the hub: timm.create_model('vit_base_patch16_224.augreg_in21k_ft_in1k', \#
    pretrained=True), then safetensors.torch.save_file(model.state_dict(), \#
    'data/vit_base_patch16_224.safetensors'). Images take 9 GB at 224x224.",
      "fedsim": 1,
      "name": "fedins-vit",
      "seeds": [1, 2, 3],
      "data": {
        "dataset": { "kind": "cifar100", "path": "data/cifar-100-binary" },
        "resize": { "height": 224 },
        "longTail": { "profile": "explicit", "counts": [
          10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
          10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
          10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
          10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
          10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10
        ] },
        "partition": { "kind": "dirichlet-cut", "alpha": 0.2, "minPerClient": 10 },
        "augment": ["flip"]
      },
      "federation": { "clients": 5, "rounds": 300 },
      "model": {
        "kind": "vit", "width": 768, "depth": 12, "heads": 12, "patch": 16,
        "init": { "kind": "file", "path": "data/vit_base_patch16_224.safetensors", "head": "fresh" }
      },
      "client": {
        "work": { "epochs": 10 },
        "batch": 32,
        "optimizer": { "kind": "sgd", "learningRate": 0.01, "momentum": 0, "weightDecay": 0 }
      },
      "strategies": [
        { "kind": "linear-probe" },
        { "kind": "fedssf", "weighting": "uniform" },
        { "kind": "fedins" }
      ],
      "evaluation": { "every": 50 }
    }

    """#
}
