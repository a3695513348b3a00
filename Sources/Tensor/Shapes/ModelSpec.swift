/// Which network to build: a kind and its sizes.
///
/// Fields that a kind has no use for are ignored.
public struct ModelSpec: Sendable, Equatable {
  /// The architectures that can be built.
  public enum Kind: String, Sendable, CaseIterable {
    case logistic, mlp, cnn, lenet5, resnet8, resnet20, resnet18, vgg, vit, sequential
  }

  /// The architecture.
  public var kind: Kind
  /// Channels of the first stage (`resnet*`, `cnn`, `lenet5`, `vgg`), or of every token (`vit`).
  public var width: Int
  /// Hidden layer sizes (`mlp`).
  public var hidden: [Int]
  /// Normalisation after each convolution.
  public var norm: Norm
  /// The non-linearity after each hidden layer.
  public var activation: Activation
  /// Dropout rates: after the pooling and after the hidden layer (`cnn`), after each hidden layer
  /// (`mlp`).
  ///
  /// Empty: no dropout.
  public var dropout: [Double]
  /// Blocks of two convolutions, from 1 to 3 (`vgg`).
  public var blocks: Int
  /// Layers before the classifier (`sequential`).
  public var layers: [Layer] = []
  /// Whether convolutions standardise their weights, with a trained gain per output channel.
  public var standardisesWeights = false
  /// What it ends in.
  public var classifier = Classifier.linear
  /// How weights start.
  public var initialisation: Initialisation
  /// Side of a square patch that becomes a token; it must divide the image's sides (`vit`).
  public var patch: Int
  /// Blocks of attention and hidden layer (`vit`).
  public var depth: Int
  /// Attention heads; they must divide `width` (`vit`).
  public var heads: Int
  /// Width of a block's hidden layer over `width` (`vit`).
  public var mlpRatio: Double

  /// The last layer, from the features to the logits.
  public enum Classifier: Sendable, Equatable {
    /// A dense layer with a bias.
    case linear
    /// Cosines of the features with a row per class, as in LDAM (Cao et al., NeurIPS 2019,
    /// arXiv:1906.07413).
    case cosine
    /// A dense layer `proj` to `width` numbers, whose direction is compared with a row per class,
    /// `etf.weight`, times `etf.scale`: FedETF (Li et al., ICCV 2023, arXiv:2303.10058).
    ///
    /// The rows are the caller's to choose; the features are what `proj` reads.
    case frame(width: Int)
  }

  /// Normalisation of feature maps.
  public enum Norm: Sendable, Equatable {
    case none
    case group(groups: Int)
    case batch
  }

  /// An element-wise non-linearity.
  public enum Activation: Sendable, Equatable {
    case relu
    case gelu
    /// φ(x) = s·sigmoid(T·x) − o; (2, 2, 1) is tanh.
    case temperedSigmoid(scale: Double, inverseTemperature: Double, offset: Double)
  }

  /// The distribution of initial weights.
  ///
  /// Norm scales start at 1, all shifts at 0, always.
  public enum Initialisation: Sendable, Equatable {
    /// U(−1/√fan_in, 1/√fan_in) for weights and biases: what PyTorch's Linear and Conv2d do.
    case pytorch
    /// N(0, 2/fan_in), biases 0 (He et al. 2015, arXiv:1502.01852).
    case he
    /// U(±√(6/(fan_in + fan_out))), biases 0 (Glorot and Bengio 2010).
    case glorot
    /// N(0, factor²/fan_in), biases 0: for activations of slope 1/factor at 0, such as the tempered
    /// sigmoid with factor 4/(s·T) (Papernot et al., AAAI 2021, arXiv:2007.14191).
    case gain(factor: Double)
    /// Every weight and bias 0.
    case zero
    /// What timm does for vision transformers: N(0, 0.02²) for dense layers and positions, their
    /// biases 0, N(0, 10⁻¹²) for the class token, PyTorch's rule for convolutions.
    case timm
    /// Taken from a safetensors file.
    case file(path: String, head: Head = .file)

    /// Where the classifier comes from when the rest comes from a file.
    public enum Head: String, Sendable, CaseIterable {
      /// From the file too, which must have the same classes.
      case file
      /// By PyTorch's rule: the file may have another classifier or none.
      case fresh
    }
  }

  /// Whether units are set to 0 at random in training.
  package var dropsUnits: Bool {
    dropout.contains { $0 > 0 }
      || layers.contains {
        if case .dropout(let rate) = $0 { rate > 0 } else { false }
      }
  }

  /// A model with every size given.
  public init(
    kind: Kind, width: Int, hidden: [Int] = [], norm: Norm = .none, activation: Activation = .relu,
    dropout: [Double] = [], blocks: Int = 3, initialisation: Initialisation = .pytorch,
    patch: Int = 16, depth: Int = 12, heads: Int = 12, mlpRatio: Double = 4
  ) {
    self.kind = kind
    self.width = width
    self.hidden = hidden
    self.norm = norm
    self.activation = activation
    self.dropout = dropout
    self.blocks = blocks
    self.initialisation = initialisation
    self.patch = patch
    self.depth = depth
    self.heads = heads
    self.mlpRatio = mlpRatio
  }
}
