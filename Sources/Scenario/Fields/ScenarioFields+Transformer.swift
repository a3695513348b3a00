import Base

extension ScenarioFields {
  /// What a vision transformer has instead of norms and activations to choose.
  ///
  /// The defaults are ViT-Tiny's (timm's `vit_tiny_patch16_224`), with patches for small images.
  static let transformer: [Field] = [
    Field(
      "patch", .integer(1...1024), .value(4), unit: "pixels",
      "Side of a patch; it must divide both sides of the images.",
      synonyms: ["patch_size", "patchSize"]),
    Field(
      "width", .integer(1...8192), .value(192), unit: "channels", "Channels of every token.",
      synonyms: ["embed_dim", "dim", "hidden_size"]),
    Field(
      "depth", .integer(1...128), .value(12), unit: "blocks",
      "Blocks, each of attention and one hidden layer.",
      synonyms: ["blocks", "num_layers", "layers"]),
    Field(
      "heads", .integer(1...256), .value(3), "Attention heads; they must divide the width.",
      synonyms: ["num_heads", "numHeads", "n_heads"]),
    Field(
      "mlpRatio", .number(above: 0, to: 64), .value(4),
      "Width of a block's hidden layer over the width.", synonyms: ["mlp_ratio"]),
  ]
}
