extension Network {
  /// The network of a model spec for images of a size.
  ///
  /// Names follow PyTorch: `fc1`, `fc2`, … (`mlp`); `fc` (`logistic`); `conv1`, `conv2`, `fc1`,
  /// `fc2` (`cnn`, `lenet5`, and so on in `sequential`); torchvision's names in residual networks
  /// (`conv1`, `bn1`, `layer1.0.conv1`, …, `fc`), where a norm is called `bn` whichever kind it is;
  /// `layer1.conv1`, …, `fc1`, `fc2` (`vgg`); timm's in transformers (`patch_embed.proj`,
  /// `blocks.0.attn.qkv`, …, `head`).
  ///
  /// `inputGradient`: whether a backward pass goes on to the input, which training has no use for.
  /// - Throws: ``ModelError`` when the image is too small for the network.
  public init(_ spec: ModelSpec, input: FeatureShape, classes: Int, inputGradient: Bool = false)
    throws(ModelError)
  {
    try spec.check(input)
    var builder = NetworkBuilder(input: input)
    builder.givesInputGradient = inputGradient
    let logits = builder.model(spec, classes: classes)
    self = builder.build(logits: logits)
  }
}

extension ModelSpec {
  /// Refuses images that are too small or of the wrong size.
  package func check(_ input: FeatureShape) throws(ModelError) {
    if kind == .sequential { return try checkLayers(input) }
    let side = min(input.height, input.width)
    let needed = kind == .vgg ? 1 << blocks : kind.minimumSide
    guard side >= needed else {
      throw ModelError(
        message: "\(kind.rawValue) needs images of at least \(needed)×\(needed) pixels; "
          + "these are \(input)")
    }
    if kind == .vit { try checkTransformer(input) }
  }
}

/// Why a model cannot be built.
public struct ModelError: Error, Sendable, Equatable {
  /// What is wrong and what would be right.
  public let message: String
}

extension ModelSpec.Kind {
  /// The smallest image side that leaves every layer at least one position, whatever the sizes.
  public var minimumSide: Int {
    switch self {
    case .logistic, .mlp, .sequential: 1
    case .cnn: 6
    case .lenet5: 16
    case .vgg: 8
    case .resnet8, .resnet20, .resnet18, .vit: 1
    }
  }
}

extension NetworkBuilder {
  /// The layers of a model that fits the images, up to its logits.
  package mutating func model(_ spec: ModelSpec, classes: Int) -> Map {
    ending = spec.classifier
    standardisesWeights = spec.standardisesWeights
    return switch spec.kind {
    case .logistic: head("fc", input, classes)
    case .mlp: mlp(spec, classes: classes)
    case .cnn: cnn(spec, classes: classes)
    case .lenet5: leNet5(spec, classes: classes)
    case .resnet8: resNet(spec, stages: 3, blocks: 1, classes: classes)
    case .resnet20: resNet(spec, stages: 3, blocks: 3, classes: classes)
    case .resnet18: resNet(spec, stages: 4, blocks: 2, classes: classes)
    case .vgg: vgg(spec, classes: classes)
    case .sequential: sequential(spec, classes: classes)
    case .vit: visionTransformer(spec, classes: classes)
    }
  }

  package mutating func norm(_ kind: ModelSpec.Norm, _ name: String, _ x: Map) -> Map {
    switch kind {
    case .none: x
    case .group(let groups): groupNorm(name, x, groups: groups)
    case .batch: batchNorm(name, x)
    }
  }

  /// Dense layers with an activation after each hidden one.
  package mutating func mlp(_ spec: ModelSpec, classes: Int) -> Map {
    var x = input
    for (index, size) in spec.hidden.enumerated() {
      x = activation(spec.activation, dense("fc\(index + 1)", x, size))
      x = cut("fc\(index + 1)", dropout(spec.dropout.first ?? 0, x))
    }
    return head("fc\(spec.hidden.count + 1)", x, classes)
  }

  /// The CNN of pfl-research's CIFAR-10 benchmark, by default with width 32 and dropout (¼, ½):
  /// two valid 3×3 convolutions of w and 2w channels, max-pool, a hidden layer of 4w.
  package mutating func cnn(_ spec: ModelSpec, classes: Int) -> Map {
    let bias = spec.norm == .none
    var x = input
    for (index, channels) in [spec.width, 2 * spec.width].enumerated() {
      x = convolution("conv\(index + 1)", x, channels, kernel: 3, bias: bias)
      x = activation(spec.activation, norm(spec.norm, "bn\(index + 1)", x))
      if index == 0 { x = cut("conv1", x) }
    }
    x = cut("conv2", dropout(spec.dropout.first ?? 0, pool(.max, x, kernel: 2)))
    x = activation(spec.activation, dense("fc1", x, 4 * spec.width))
    x = cut("fc1", dropout(spec.dropout.count > 1 ? spec.dropout[1] : 0, x))
    return head("fc2", x, classes)
  }

  /// LeNet-5 with max-pooling (LeCun et al.
  ///
  /// 1998): 5×5 convolutions of w and ⌊8w/3⌋ channels, hidden layers of 20w and 14w; 28×28 images
  /// are padded to 32×32 as in the paper.
  mutating func leNet5(_ spec: ModelSpec, classes: Int) -> Map {
    let bias = spec.norm == .none
    let padding = input.shape.height == 28 && input.shape.width == 28 ? 2 : 0
    var x = convolution("conv1", input, spec.width, kernel: 5, padding: padding, bias: bias)
    x = activation(spec.activation, norm(spec.norm, "bn1", x))
    x = cut("conv1", pool(.max, x, kernel: 2))
    x = convolution("conv2", x, max(1, 8 * spec.width / 3), kernel: 5, bias: bias)
    x = activation(spec.activation, norm(spec.norm, "bn2", x))
    x = cut("conv2", pool(.max, x, kernel: 2))
    x = cut("fc1", activation(spec.activation, dense("fc1", x, 20 * spec.width)))
    x = cut("fc2", activation(spec.activation, dense("fc2", x, 14 * spec.width)))
    return head("fc3", x, classes)
  }

  /// CIFAR residual networks (He et al.
  ///
  /// 2016, arXiv:1512.03385, section 4.2): a 3×3 stem, then stages of basic blocks whose width
  /// doubles and whose maps halve, global mean, dense. Shortcuts that change shape are 1×1
  /// convolutions (option B).
  mutating func resNet(_ spec: ModelSpec, stages: Int, blocks: Int, classes: Int) -> Map {
    let bias = spec.norm == .none
    var x = convolution("conv1", input, spec.width, kernel: 3, padding: 1, bias: bias)
    x = cut("conv1", activation(spec.activation, norm(spec.norm, "bn1", x)))
    for stage in 0..<stages {
      for block in 0..<blocks {
        let name = "layer\(stage + 1).\(block)"
        x = basicBlock(
          spec, name, x, channels: spec.width << stage, stride: stage > 0 && block == 0 ? 2 : 1)
        x = cut(name, x)
      }
    }
    return head("fc", cut("avgpool", globalAveragePool(x)), classes)
  }

  private mutating func basicBlock(
    _ spec: ModelSpec, _ name: String, _ x: Map, channels: Int, stride: Int
  ) -> Map {
    let bias = spec.norm == .none
    var y = convolution(
      name + ".conv1", x, channels, kernel: 3, stride: stride, padding: 1, bias: bias)
    y = activation(spec.activation, norm(spec.norm, name + ".bn1", y))
    y = convolution(name + ".conv2", y, channels, kernel: 3, padding: 1, bias: bias)
    y = norm(spec.norm, name + ".bn2", y)
    var shortcut = x
    if stride != 1 || x.shape.channels != channels {
      shortcut = convolution(
        name + ".downsample.0", x, channels, kernel: 1, stride: stride, bias: bias)
      shortcut = norm(spec.norm, name + ".downsample.1", shortcut)
    }
    return activation(spec.activation, residual(y, shortcut: shortcut))
  }
}
