/// Networks of layers that a scenario lists.
extension ModelSpec {
  /// A layer of a `sequential` network.
  ///
  /// Convolutions and dense layers have the model's activation after them, convolutions its norm
  /// before that.
  public enum Layer: Sendable, Equatable {
    case convolution(channels: Int, window: Window)
    case maximum(Window)
    case average(Window)
    /// The mean of every channel over all places.
    case globalAverage
    case dense(units: Int)
    case dropout(rate: Double)
  }

  /// A square window that slides over a map.
  public struct Window: Sendable, Equatable {
    /// Its side, at least 1.
    public var kernel: Int
    /// Its steps, at least 1.
    public var stride: Int
    /// Places around the map.
    public var padding: Int

    /// A window with every size given.
    public init(kernel: Int, stride: Int, padding: Int) {
      self.kernel = kernel
      self.stride = stride
      self.padding = padding
    }

    /// Places along a side of a map; nil where the window does not fit.
    func places(_ side: Int) -> Int? {
      let room = side + 2 * padding - kernel
      return room < 0 ? nil : room / stride + 1
    }
  }

  /// Whether one of the listed layers is a convolution.
  package var hasConvolutions: Bool {
    layers.contains { if case .convolution = $0 { true } else { false } }
  }

  /// Whether one of the listed layers has weights.
  package var hasWeightedLayers: Bool {
    hasConvolutions || layers.contains { if case .dense = $0 { true } else { false } }
  }

  /// Refuses windows that do not fit the map they get.
  func checkLayers(_ input: FeatureShape) throws(ModelError) {
    var shape = input
    for (index, layer) in layers.enumerated() {
      switch layer {
      case .convolution(let channels, let window):
        shape = try fitted(window, shape, channels: channels, index)
      case .maximum(let window), .average(let window):
        guard 2 * window.padding <= window.kernel else {
          throw ModelError(
            message: "layer \(index + 1): a window of \(window.kernel) cannot be padded by "
              + "\(window.padding), more than half of it")
        }
        shape = try fitted(window, shape, channels: shape.channels, index)
      case .globalAverage: shape = FeatureShape(features: shape.channels)
      case .dense(let units): shape = FeatureShape(features: units)
      case .dropout: break
      }
    }
  }

  private func fitted(
    _ window: Window, _ shape: FeatureShape, channels: Int, _ index: Int
  ) throws(ModelError) -> FeatureShape {
    guard let height = window.places(shape.height), let width = window.places(shape.width) else {
      throw ModelError(
        message: "layer \(index + 1): a window of \(window.kernel) with padding "
          + "\(window.padding) does not fit \(shape)")
    }
    return FeatureShape(height: height, width: width, channels: channels)
  }
}

extension NetworkBuilder {
  /// Layers in their order, then the classifier `fc`.
  ///
  /// Names are `conv1`, `conv2`, … and `fc1`, `fc2`, …, each counted by itself, and `fc<n>` after
  /// the last of them for the classifier.
  package mutating func sequential(_ spec: ModelSpec, classes: Int) -> Map {
    var (convolutions, denses) = (0, 0)
    var x = input
    // A block is complete where the next layer with weights starts.
    var block: String?
    func finish(_ builder: inout NetworkBuilder) {
      if let block { x = builder.cut(block, x) }
    }
    for layer in spec.layers {
      switch layer {
      case .convolution(let channels, let window):
        finish(&self)
        convolutions += 1
        let name = "conv\(convolutions)"
        x = convolution(
          name, x, channels, kernel: window.kernel, stride: window.stride,
          padding: window.padding, bias: spec.norm == .none)
        x = activation(spec.activation, norm(spec.norm, "bn\(convolutions)", x))
        block = name
      case .maximum(let window): x = pooled(.max, x, window)
      case .average(let window): x = pooled(.average, x, window)
      case .globalAverage: x = globalAveragePool(x)
      case .dense(let units):
        finish(&self)
        denses += 1
        let name = "fc\(denses)"
        x = activation(spec.activation, dense(name, x, units))
        block = name
      case .dropout(let rate): x = dropout(rate, x)
      }
    }
    finish(&self)
    return head("fc\(denses + 1)", x, classes)
  }

  private mutating func pooled(_ kind: Pooling.Kind, _ x: Map, _ window: ModelSpec.Window) -> Map {
    pool(kind, x, kernel: window.kernel, stride: window.stride, padding: window.padding)
  }
}
