import Base

extension ModelSpec {
  /// Width of the hidden layer of a transformer's block: ⌊width·mlpRatio⌋, as timm has it.
  public var hiddenWidth: Int { Int(clamping: Double(width) * mlpRatio) }

  /// Refuses sizes that make no transformer for these images.
  func checkTransformer(_ input: FeatureShape) throws(ModelError) {
    guard patch > 0, input.height % patch == 0, input.width % patch == 0 else {
      let fits = (1...max(1, min(input.height, input.width))).filter {
        input.height % $0 == 0 && input.width % $0 == 0
      }.map(String.init)
      throw ModelError(
        message: "vit cuts images into patches of \(patch)×\(patch) pixels, which must tile them; "
          + "these are \(input), where a patch of \(fits.joined(separator: ", ")) fits")
    }
    guard heads > 0, width > 0, width % heads == 0 else {
      throw ModelError(
        message: "vit divides its width into heads; \(heads) heads do not divide \(width)")
    }
    guard depth > 0, mlpRatio * Double(width) >= 1, mlpRatio <= 1000 else {
      throw ModelError(
        message: "vit needs a block and a hidden layer; these are \(depth) blocks "
          + "with hidden layers of \(mlpRatio)·\(width) channels")
    }
  }
}

extension NetworkBuilder {
  /// A vision transformer with timm's names and sizes (`vit_*_patch*`): patches, class token,
  /// pre-norm blocks x + attention(norm(x)), x + mlp(norm(x)), norm, head on the class token;
  /// norms with eps 1e-6, exact GELU.
  ///
  /// The last norm is taken at the class token alone, which nothing else is read of.
  /// - Source: Dosovitskiy et al. 2021, arXiv:2010.11929, equations 1–4.
  mutating func visionTransformer(_ spec: ModelSpec, classes: Int) -> Map {
    let positions = input.shape.positions / (spec.patch * spec.patch)
    declareClassToken(patches: positions, width: spec.width)
    var x = convolution(
      "patch_embed.proj", input, spec.width, kernel: spec.patch, stride: spec.patch)
    x = classToken(x)
    for block in 0..<spec.depth {
      x = cut("blocks.\(block)", transformerBlock(spec, "blocks.\(block)", x))
    }
    x = cut("norm", layerNorm("norm", firstPosition(x), epsilon: 1e-6))
    return head("head", x, classes)
  }

  private mutating func transformerBlock(_ spec: ModelSpec, _ name: String, _ x: Map) -> Map {
    var y = layerNorm(name + ".norm1", x, epsilon: 1e-6)
    y = attention(linear(name + ".attn.qkv", y, 3 * spec.width), heads: spec.heads)
    let x = residual(linear(name + ".attn.proj", y, spec.width), shortcut: x)
    y = layerNorm(name + ".norm2", x, epsilon: 1e-6)
    y = activation(.gelu, linear(name + ".mlp.fc1", y, spec.hiddenWidth))
    return residual(linear(name + ".mlp.fc2", y, spec.width), shortcut: x)
  }
}
