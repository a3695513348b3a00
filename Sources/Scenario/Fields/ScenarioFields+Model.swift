import Base
import Tensor

extension ScenarioFields {
  /// The section `model`.
  package static let model = Union(
    "kind", default: "resnet8",
    synonyms: [
      "resnet": "resnet8", "resnet-8": "resnet8", "resnet-18": "resnet18", "resnet-20": "resnet20",
      "lenet": "lenet5", "lenet-5": "lenet5", "linear": "logistic", "lr": "logistic",
      "convnet": "cnn", "dnn": "mlp", "transformer": "vit", "vision_transformer": "vit",
      "vision-transformer": "vit",
    ], common: [classifier],
    [
      Variant("logistic", "One dense layer (multinomial logistic regression).", [initialisation]),
      Variant(
        "mlp", "Dense hidden layers.",
        [
          Field(
            "hidden", .list(of: .integer(1...65_536), counts: 1...16, unique: false), .value([128]),
            unit: "neurons", "Size of each hidden layer.",
            synonyms: ["layers", "hidden_sizes", "hidden_dim", "units"]), activation,
          dropout([], "after each hidden layer"), initialisation,
        ]),
      Variant(
        "cnn", "Two 3x3 convolutions, pooling, one hidden layer.",
        [
          width(32), norm("none"), activation,
          dropout([0.25, 0.5], "after the pooling and after the hidden layer"), initialisation,
        ]),
      Variant(
        "lenet5", "LeCun et al. 1998.", [width(6), norm("none"), activation, initialisation]),
      Variant(
        "resnet8", "CIFAR ResNet with 3 blocks.",
        [width(32), norm("group"), activation, initialisation]),
      Variant(
        "resnet20", "CIFAR ResNet with 9 blocks (He et al. 2016).",
        [width(16), norm("group"), activation, initialisation]),
      Variant(
        "resnet18", "ResNet-18 in its CIFAR form (3x3 stem).",
        [width(64), norm("group"), activation, initialisation]),
      Variant(
        "vit", "Vision transformer with timm's names (Dosovitskiy et al. 2021).",
        transformer + [initialisation("timm")]),
      Variant(
        "vgg",
        "Blocks of two 3x3 convolutions and a 2x2 maximum, one hidden layer of 16 times the width.",
        [
          Field("blocks", .integer(1...3), .value(3), "Blocks, of 1, 2 and 2 times the width."),
          width(32), norm("none"), activation, initialisation,
        ]),
    ])

  private static let classifier = Field(
    "classifier", .choice(["linear", "cosine"]), .value("linear"),
    "The last layer: a dense one, or the cosine of the features with a row per class (for ldam).",
    synonyms: ["head", "last_layer", "use_norm"])

  private static func width(_ value: Int) -> Field {
    Field(
      "width", .integer(1...4096), .value(.int(value)), unit: "channels",
      "Channels of the first stage.", synonyms: ["channels", "planes", "base_width", "filters"])
  }

  private static func norm(_ value: String) -> Field {
    Field(
      "norm",
      .union(
        Union(
          "kind", default: value, shorthand: true,
          synonyms: [
            "gn": "group", "bn": "batch", "groupnorm": "group", "batchnorm": "batch",
            "group_norm": "group", "batch_norm": "batch",
          ],
          [
            Variant(
              "group", "Group normalisation (Wu and He 2018).",
              [
                Field(
                  "groups", .integer(1...4096),
                  .derived("the largest divisor of the width up to 8", defaultGroups),
                  "Groups; they must divide the channels of every stage.",
                  synonyms: ["num_groups", "numGroups", "n_groups"])
              ]),
            Variant("batch", "Batch normalisation; running statistics are part of the payload."),
            Variant("none", "No normalisation."),
          ])), .value(.string(value)), "Normalisation after each convolution.",
      synonyms: ["normalization", "normalisation", "norm_layer"])
  }

  private static let activation = Field(
    "activation",
    .union(
      Union(
        "kind", default: "relu", shorthand: true,
        synonyms: ["temperedSigmoid": "tempered-sigmoid", "sigmoid": "tempered-sigmoid"],
        [
          Variant("relu", "max(0, x)."), Variant("gelu", "x·Φ(x)."),
          Variant("tanh", "The tempered sigmoid (2, 2, 1)."),
          Variant(
            "tempered-sigmoid", "scale·sigmoid(inverseTemperature·x) − offset.",
            [
              Field("scale", .number(above: 0, to: 1000), .value(1.58), "Height s."),
              Field(
                "inverseTemperature", .number(above: 0, to: 1000), .value(3), "Steepness T.",
                synonyms: ["temperature"]),
              Field("offset", .number(from: -1000, to: 1000), .value(0.71), "Offset o."),
            ]),
        ])), .value("relu"), "The non-linearity after each hidden layer.",
    synonyms: ["nonlinearity", "act"])

  private static func dropout(_ value: JSON, _ where: String) -> Field {
    Field(
      "dropout",
      .list(of: .number(NumberRange(0, 1, exclusiveMaximum: true)), counts: 0...16, unique: false),
      .value(value), "Rates \(`where`); [] for none.", synonyms: ["drop", "dropout_rate"])
  }

  private static let initialisation = initialisation("pytorch")

  private static func initialisation(_ value: String) -> Field {
    Field(
      "init",
      .union(
        Union(
          "kind", default: value, shorthand: true,
          synonyms: ["kaiming": "he", "xavier": "glorot", "default": "pytorch", "zeros": "zero"],
          [
            Variant("pytorch", "U(±1/√fan_in) for weights and biases."),
            Variant("he", "N(0, 2/fan_in), biases 0 (He et al. 2015)."),
            Variant("glorot", "U(±√(6/(fan_in + fan_out))), biases 0 (Glorot and Bengio 2010)."),
            Variant(
              "gain",
              "N(0, factor²/fan_in), biases 0: for tempered sigmoids (Papernot et al. 2021).",
              [
                Field(
                  "factor", .number(above: 0, to: 1e6),
                  .derived("what keeps the spread: 4/(s·T) for a tempered sigmoid", defaultGain),
                  "Spread of the weights against that of a linear layer.")
              ]), Variant("zero", "Every weight and bias 0."),
            Variant(
              "timm",
              "N(0, 0.02²) for dense layers, their biases 0; PyTorch's rule for convolutions."),
            Variant(
              "file", "Weights of a safetensors file.",
              [
                Field("path", .text(.path), .required, "The file, PyTorch names and shapes."),
                Field(
                  "head", .choice(of: ModelSpec.Initialisation.Head.self), .value("file"),
                  "\"fresh\" starts the classifier at random: the file may have other classes.",
                  synonyms: ["classifier"]),
              ]),
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
    return .int(largestDivisor(of: normalisedChannels(kind: kind, width: width), upTo: 8))
  }
}
