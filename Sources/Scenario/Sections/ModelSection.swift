import Base
import Tensor

extension ScenarioFields {
  /// The section `model`.
  static let model = Cases<ModelSpec>(
    "kind", default: "resnet8",
    synonyms: [
      "resnet": "resnet8", "resnet-8": "resnet8", "resnet-18": "resnet18", "resnet-20": "resnet20",
      "lenet": "lenet5", "lenet-5": "lenet5", "linear": "logistic", "lr": "logistic",
      "convnet": "cnn", "dnn": "mlp", "transformer": "vit", "vision_transformer": "vit",
      "vision-transformer": "vit",
    ],
    [
      network(.logistic, "One dense layer (multinomial logistic regression).", [initialisation]),
      network(
        .mlp, "Dense hidden layers.",
        [
          Setting(
            \.hidden, "hidden", .list(of: .integer(1...65_536), counts: 1...16, unique: false),
            .value([128]), unit: "neurons", "Size of each hidden layer.",
            synonyms: ["layers", "hidden_sizes", "hidden_dim", "units"]), activation,
          dropout([], "after each hidden layer"), initialisation,
        ]),
      network(
        .cnn, "Two 3x3 convolutions, pooling, one hidden layer.",
        [
          width(32), norm("none"), standardised, activation,
          dropout([0.25, 0.5], "after the pooling and after the hidden layer"), initialisation,
        ]),
      network(
        .lenet5, "LeCun et al. 1998.",
        [width(6), norm("none"), standardised, activation, initialisation]),
      network(
        .resnet8, "CIFAR ResNet with 3 blocks.",
        [width(32), norm("group"), standardised, activation, initialisation]),
      network(
        .resnet20, "CIFAR ResNet with 9 blocks (He et al. 2016).",
        [width(16), norm("group"), standardised, activation, initialisation]),
      network(
        .resnet18, "ResNet-18 in its CIFAR form (3x3 stem).",
        [width(64), norm("group"), standardised, activation, initialisation]),
      network(
        .vit, "Vision transformer with timm's names (Dosovitskiy et al. 2021).",
        transformer + [initialisation("timm")]),
      network(
        .vgg,
        "Blocks of two 3x3 convolutions and a 2x2 maximum, one hidden layer of 16 times the width.",
        [
          Setting(
            \.blocks, "blocks", .integer(1...3), .value(3), "Blocks, of 1, 2 and 2 times the width."
          ), width(32), norm("none"), standardised, activation, initialisation,
        ]),
      network(
        .sequential, "Layers as they are listed, and a classifier after them.",
        [
          Setting(
            \.layers, "layers", .list(of: .union(layers), counts: 1...64, unique: false),
            .required, "The layers before the classifier."), norm("none"), standardised, activation,
          initialisation,
        ]),
    ]
  ).with(classifier).map { spec, classifier in
    var spec = spec
    spec.classifier = classifier
    return spec
  }

  private static func network(
    _ kind: ModelSpec.Kind, _ summary: String, _ settings: [Setting<ModelSpec>]
  ) -> Case<ModelSpec> { Case(kind.rawValue, summary, ModelSpec(kind: kind, width: 0), settings) }

  /// Layers of `sequential`.
  private static let layers = Cases<ModelSpec.Layer>(
    "kind",
    synonyms: [
      "conv2d": "conv", "convolution": "conv", "maxpool": "max-pool", "maxPool": "max-pool",
      "avgPool": "average-pool", "avgpool": "average-pool", "linear": "dense", "fc": "dense",
      "gap": "global-average-pool", "globalAveragePool": "global-average-pool",
    ],
    [
      Case(
        "conv", "A convolution with a square window, then norm and activation.",
        Part(
          "channels", .integer(1...65_536), .required, unit: "channels", "Output channels.",
          synonyms: ["filters", "out_channels", "width"]), window(.value(1))
      ) { .convolution(channels: $0, window: $1) },
      Case("max-pool", "The maximum of a window.", window(.derived("kernel", kernelOf))) {
        .maximum($0)
      },
      Case(
        "average-pool", "The mean of a window, padding counted.",
        window(.derived("kernel", kernelOf))
      ) {
        .average($0)
      },
      Case("global-average-pool", "The mean of each channel.", .globalAverage),
      Case(
        "dense", "A dense layer and the activation.",
        Part(
          "units", .integer(1...65_536), .required, unit: "neurons", "Outputs.",
          synonyms: ["out_features", "size", "neurons"])
      ) { .dense(units: $0) },
      Case(
        "dropout", "Numbers set to 0 at random in training.",
        Part("rate", .decay, .required, "Share of them.", synonyms: ["p"])
      ) { .dropout(rate: $0) },
    ])

  private static func window(_ stride: Field.Presence) -> Part<ModelSpec.Window> {
    let kernel: Part<Int> = Part(
      "kernel", .integer(1...255), .required, unit: "pixels", "Side of the window.",
      synonyms: ["kernel_size", "size"])
    let step: Part<Int> = Part(
      "stride", .integer(1...255), stride, unit: "pixels", "Steps of the window.")
    let padding: Part<Int> = Part(
      "padding", .integer(0...127), .value(0), unit: "pixels", "Zeros around the map.",
      synonyms: ["pad"])
    return Part(kernel, step, padding) { kernel, stride, padding in
      ModelSpec.Window(kernel: kernel, stride: stride, padding: padding)
    }
  }

  /// The stride of a pooling window that was not given: windows side by side.
  private static func kernelOf(_ from: Derivation) -> JSON {
    from.values[from.path.dropLast(".stride".count) + ".kernel"] ?? 1
  }

  private static let standardised = Setting<ModelSpec>(
    \.standardisesWeights, "weightStandardisation", .flag, .optional,
    "Whether convolutions standardise their weights and have a trained gain per output channel "
      + "(Qiao and others 2019, arXiv:1903.10520).",
    synonyms: ["weightStandardization", "weight_standardization", "ws", "wsConv"])

  private static let classifier = Part<ModelSpec.Classifier>(
    "classifier", .words(["linear": .linear, "cosine": .cosine]), .value("linear"),
    "The last layer: a dense one, or the cosine of the features with a row per class (for ldam).",
    synonyms: ["head", "last_layer", "use_norm"])

  private static func width(_ value: Int) -> Setting<ModelSpec> {
    Setting(
      \.width, "width", .integer(1...4096), .value(.int(value)), unit: "channels",
      "Channels of the first stage.", synonyms: ["channels", "planes", "base_width", "filters"])
  }

  private static func norm(_ value: String) -> Setting<ModelSpec> {
    Setting(
      \.norm, "norm",
      .union(
        Cases(
          "kind", default: value, shorthand: true,
          synonyms: [
            "gn": "group", "bn": "batch", "groupnorm": "group", "batchnorm": "batch",
            "group_norm": "group", "batch_norm": "batch",
          ],
          [
            Case(
              "group", "Group normalisation (Wu and He 2018).",
              Part(
                "groups", .integer(1...4096),
                .derived("the largest divisor of the width up to 8", defaultGroups),
                "Groups; they must divide the channels of every stage.",
                synonyms: ["num_groups", "numGroups", "n_groups"])
            ) { .group(groups: $0) },
            Case(
              "batch", "Batch normalisation; running statistics are part of the payload.", .batch),
            Case("none", "No normalisation.", .none),
          ])), .value(.string(value)), "Normalisation after each convolution.",
      synonyms: ["normalization", "normalisation", "norm_layer"])
  }

  private static let activation = Setting<ModelSpec>(
    \.activation, "activation",
    .union(
      Cases(
        "kind", default: "relu", shorthand: true,
        synonyms: ["temperedSigmoid": "tempered-sigmoid", "sigmoid": "tempered-sigmoid"],
        [
          Case("relu", "max(0, x).", .relu), Case("gelu", "x·Φ(x).", .gelu),
          Case(
            "tanh", "The tempered sigmoid (2, 2, 1).",
            .temperedSigmoid(scale: 2, inverseTemperature: 2, offset: 1)),
          Case(
            "tempered-sigmoid", "scale·sigmoid(inverseTemperature·x) − offset.",
            Part("scale", .number(above: 0, to: 1000), .value(1.58), "Height s."),
            Part(
              "inverseTemperature", .number(above: 0, to: 1000), .value(3), "Steepness T.",
              synonyms: ["temperature"]),
            Part("offset", .number(from: -1000, to: 1000), .value(0.71), "Offset o.")
          ) { .temperedSigmoid(scale: $0, inverseTemperature: $1, offset: $2) },
        ])), .value("relu"), "The non-linearity after each hidden layer.",
    synonyms: ["nonlinearity", "act"])

  private static func dropout(_ value: JSON, _ where: String) -> Setting<ModelSpec> {
    Setting(
      \.dropout, "dropout", .list(of: .decay, counts: 0...16, unique: false), .value(value),
      "Rates \(`where`); [] for none.", synonyms: ["drop", "dropout_rate"])
  }

  private static let initialisation: Setting<ModelSpec> = initialisation("pytorch")

  private static func initialisation(_ value: String) -> Setting<ModelSpec> {
    Setting(
      \.initialisation, "init",
      .union(
        Cases(
          "kind", default: value, shorthand: true,
          synonyms: ["kaiming": "he", "xavier": "glorot", "default": "pytorch", "zeros": "zero"],
          [
            Case("pytorch", "U(±1/√fan_in) for weights and biases.", .pytorch),
            Case("he", "N(0, 2/fan_in), biases 0 (He et al. 2015).", .he),
            Case(
              "glorot", "U(±√(6/(fan_in + fan_out))), biases 0 (Glorot and Bengio 2010).", .glorot),
            Case(
              "gain",
              "N(0, factor²/fan_in), biases 0: for tempered sigmoids (Papernot et al. 2021).",
              Part(
                "factor", .number(above: 0, to: 1e6),
                .derived("what keeps the spread: 4/(s·T) for a tempered sigmoid", defaultGain),
                "Spread of the weights against that of a linear layer.")
            ) { .gain(factor: $0) }, Case("zero", "Every weight and bias 0.", .zero),
            Case(
              "timm",
              "N(0, 0.02²) for dense layers, their biases 0; PyTorch's rule for convolutions.",
              .timm),
            Case(
              "file", "Weights of a safetensors file.",
              Part("path", .text(.path), .required, "The file, PyTorch names and shapes."),
              Part(
                "head", .choice(of: ModelSpec.Initialisation.Head.self), .value("file"),
                "\"fresh\" starts the classifier at random: the file may have other classes.",
                synonyms: ["classifier"])
            ) { .file(path: $0, head: $1) },
          ])), .value(.string(value)), "How weights start.",
      synonyms: ["initialisation", "initialization", "initializer"])
  }

  /// The channel counts that group normalisation must divide.
  ///
  /// LeNet-5 goes from `width` to
  /// `width`·16/6 channels; all others multiply the width by whole numbers.
  static func normalisedChannels(kind: String, width: Int) -> [Int] {
    kind == "lenet5" ? [width, width * 16 / 6] : [width]
  }

  /// The largest number up to `limit` that divides all of `channels`.
  static func largestDivisor(of channels: [Int], upTo limit: Int) -> Int {
    stride(from: limit, to: 1, by: -1).first { groups in channels.allSatisfy { $0 % groups == 0 } }
      ?? 1
  }

  /// 1 over the slope at 0 of a tempered sigmoid, √2 where half of the inputs are cut off, 1
  /// without an activation.
  private static func defaultGain(_ from: Derivation) -> JSON {
    let model = from.path.dropLast(".init.factor".count)
    func number(_ name: String) -> Double? { from.values["\(model).activation.\(name)"]?.double }
    switch from.values["\(model).activation.kind"]?.text {
    case "relu", "gelu": return .number(2.0.squareRoot())
    case "tempered-sigmoid":
      // Fields with problems of their own have no value here.
      let slope = (number("scale") ?? 2) * (number("inverseTemperature") ?? 2) / 4
      return .number(min(1e6, max(1e-6, 1 / slope)))
    default: return 1
    }
  }

  private static func defaultGroups(_ from: Derivation) -> JSON {
    // The model may stand in several places: "model.norm.groups", "clientModels[1].model.norm…".
    let model = from.path.dropLast(".norm.groups".count)
    let width = from.values["\(model).width"]?.int ?? 32
    let kind = from.values["\(model).kind"]?.text ?? ""
    let channels =
      kind == "sequential"
      ? listedChannels(from.values, model) : normalisedChannels(kind: kind, width: width)
    return .int(largestDivisor(of: channels, upTo: 8))
  }

  /// Channels of the convolutions that a `sequential` model lists.
  static func listedChannels(_ values: [String: JSON], _ model: some StringProtocol) -> [Int] {
    var channels: [Int] = []
    var index = 0
    while values["\(model).layers[\(index)].kind"] != nil {
      if let own = values["\(model).layers[\(index)].channels"]?.int { channels.append(own) }
      index += 1
    }
    return channels
  }

  /// What a vision transformer has instead of norms and activations to choose.
  ///
  /// The defaults are ViT-Tiny's (timm's `vit_tiny_patch16_224`), with patches for small images.
  private static let transformer: [Setting<ModelSpec>] = [
    Setting(
      \.patch, "patch", .integer(1...1024), .value(4), unit: "pixels",
      "Side of a patch; it must divide both sides of the images.",
      synonyms: ["patch_size", "patchSize"]),
    Setting(
      \.width, "width", .integer(1...8192), .value(192), unit: "channels",
      "Channels of every token.", synonyms: ["embed_dim", "dim", "hidden_size"]),
    Setting(
      \.depth, "depth", .integer(1...128), .value(12), unit: "blocks",
      "Blocks, each of attention and one hidden layer.",
      synonyms: ["blocks", "num_layers", "layers"]),
    Setting(
      \.heads, "heads", .integer(1...256), .value(3),
      "Attention heads; they must divide the width.",
      synonyms: ["num_heads", "numHeads", "n_heads"]),
    Setting(
      \.mlpRatio, "mlpRatio", .number(above: 0, to: 64), .value(4),
      "Width of a block's hidden layer over the width.", synonyms: ["mlp_ratio"]),
  ]
}

/// Checks of `model`.
extension ScenarioChecks {
  /// A model of the scenario, such as "model" or "clientModels[0].model".
  mutating func checkModel(at path: String) {
    let kind = text("\(path).kind") ?? ""
    if let groups = int("\(path).norm.groups") {
      let channels =
        kind == "sequential"
        ? ScenarioFields.listedChannels(values, path)
        : int("\(path).width").map {
          ScenarioFields.normalisedChannels(kind: kind, width: $0)
        } ?? []
      if channels.contains(where: { $0 % groups != 0 }) {
        let fix = ScenarioFields.largestDivisor(of: channels, upTo: groups)
        error(
          "E3201", "\(path).norm.groups",
          "found \(groups) groups; they do not divide "
            + channels.map(String.init).joined(separator: " and ") + " channels",
          suggestion: "\(fix)",
          hint: kind == "sequential" ? "or choose other channels" : "or choose another width")
      }
    }
    checkTransformer(at: path)
    guard let rates = values["\(path).dropout"]?.elements?.count, rates > 0 else { return }
    if kind == "cnn", rates != 2 {
      error(
        "E3208", "\(path).dropout", "found \(rates) rates; a cnn takes two, or [] for none",
        hint: "one after the pooling, one after the hidden layer")
    }
    if kind == "mlp", let layers = values["\(path).hidden"]?.elements?.count, rates != layers {
      error(
        "E3208", "\(path).dropout", "found \(rates) rates for \(layers) hidden layers",
        hint: "give one rate per hidden layer, or [] for none")
    }
  }

  /// Attention heads share the width evenly, and a hidden layer has a channel.
  private mutating func checkTransformer(at path: String) {
    guard text("\(path).kind") == "vit", let width = int("\(path).width") else { return }
    if let heads = int("\(path).heads"), width % heads != 0 {
      let fix = ScenarioFields.largestDivisor(of: [width], upTo: heads)
      error(
        "E3230", "\(path).heads",
        "found \(heads) heads; they do not divide the width of \(width) channels",
        suggestion: "\(fix)", hint: "or choose another width")
    }
    if let ratio = number("\(path).mlpRatio"), Double(width) * ratio < 1 {
      error(
        "E3231", "\(path).mlpRatio",
        "found \(ratio); \(ratio) of \(width) channels is less than one",
        hint: "the usual ratio is 4")
    }
  }
}
