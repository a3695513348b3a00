/// Builds a network operation by operation; every verb takes a feature map and returns the next.
package struct NetworkBuilder: Sendable {
  /// A feature map under construction: a slot and its shape.
  package struct Map: Sendable {
    package let slot: Int
    package let shape: FeatureShape
  }

  let inputShape: FeatureShape
  private var slots: [Network.Slot]
  private var tensors: [ParameterLayout.Declaration] = []
  private var scratchCount = 0
  private var features: Map?
  private var classifier = ""
  var ending = ModelSpec.Classifier.linear
  /// Whether convolutions standardise their weights.
  package var standardisesWeights = false
  /// Whether a backward pass goes on to the input (`Workspace.inputGradient`).
  package var givesInputGradient = false
  /// What becomes of layers that are frozen; nil where layers are trained.
  var adaptation: Adaptation?
  /// What a bare reference to a declared tensor resolves to, once the layout is known.
  private var pending: [@Sendable (ParameterLayout) -> any Operation] = []
  private var cuts: [Network.Cut] = []

  package init(input: FeatureShape) {
    inputShape = input
    slots = [Network.Slot(perExample: input.count, fixed: 0, hasGradient: false)]
  }

  package var input: Map { Map(slot: 0, shape: inputShape) }

  // MARK: Layers with parameters

  package mutating func dense(_ name: String, _ x: Map, _ outputs: Int, bias: Bool = true) -> Map {
    let inputs = x.shape.count
    let order: ParameterLayout.Order =
      x.shape.positions == 1 ? .asShaped : .channelsLastColumns(x.shape)
    declare(
      .init(
        name: name + ".weight", shape: [outputs, inputs], role: .weight, order: order,
        fanIn: inputs, fanOut: outputs))
    if bias { declareBias(name, outputs, fanIn: inputs, fanOut: outputs) }
    noteClassifier(name, reading: x)
    let y = newMap(FeatureShape(features: outputs))
    add { [frozen = isFrozen] layout in
      Dense(
        name: name, input: x.slot, output: y.slot, inputs: inputs, outputs: outputs,
        weight: layout.offset(name + ".weight"), bias: bias ? layout.offset(name + ".bias") : nil,
        frozen: frozen)
    }
    return site(name, y)
  }

  package mutating func convolution(
    _ name: String, _ x: Map, _ channels: Int, kernel: Int, stride: Int = 1, padding: Int = 0,
    bias: Bool = true
  ) -> Map {
    let geometry = ConvolutionGeometry(
      input: x.shape, channels: channels, kernel: kernel, stride: stride, padding: padding)
    let fanIn = x.shape.channels * kernel * kernel
    let fanOut = channels * kernel * kernel
    declare(
      .init(
        name: name + ".weight", shape: [channels, x.shape.channels, kernel, kernel], role: .weight,
        order: .kernelFirst, fanIn: fanIn, fanOut: fanOut))
    if standardisesWeights {
      declare(.init(name: name + ".gain", shape: [channels], role: .weightGain))
    }
    if bias { declareBias(name, channels, fanIn: fanIn, fanOut: fanOut) }
    let y = newMap(geometry.output)
    if standardisesWeights {
      addStandardised(name, x, y, geometry, bias: bias)
      return site(name, y)
    }
    add { [frozen = isFrozen] layout in
      Convolution(
        name: name, input: x.slot, output: y.slot, geometry: geometry,
        weight: layout.offset(name + ".weight"), bias: bias ? layout.offset(name + ".bias") : nil,
        frozen: frozen)
    }
    return site(name, y)
  }

  private mutating func addStandardised(
    _ name: String, _ x: Map, _ y: Map, _ geometry: ConvolutionGeometry, bias: Bool
  ) {
    let saved = newSlot(fixed: StandardisedConvolution.savedCount(geometry))
    add { [frozen = isFrozen] layout in
      StandardisedConvolution(
        name: name, input: x.slot, output: y.slot, geometry: geometry,
        weight: layout.offset(name + ".weight"), gain: layout.offset(name + ".gain"),
        bias: bias ? layout.offset(name + ".bias") : nil, saved: saved, frozen: frozen)
    }
  }

  package mutating func groupNorm(_ name: String, _ x: Map, groups: Int) -> Map {
    precondition(
      groups > 0 && x.shape.channels % groups == 0,
      "groupNorm: \(groups) groups do not divide \(x.shape.channels) channels")
    declareNorm(name, x.shape.channels, statistics: false)
    let y = newMap(x.shape)
    let saved = newSlot(perExample: 2 * groups)
    add { [frozen = isFrozen] layout in
      GroupNorm(
        map: x.slot, output: y.slot, saved: saved, shape: x.shape, groups: groups,
        scale: layout.offset(name + ".weight"), shift: layout.offset(name + ".bias"), frozen: frozen
      )
    }
    return site(name, y)
  }

  package mutating func batchNorm(_ name: String, _ x: Map) -> Map {
    declareNorm(name, x.shape.channels, statistics: true)
    let y = newMap(x.shape)
    let saved = newSlot(fixed: 2 * x.shape.channels)
    scratchCount = max(scratchCount, 8 * x.shape.channels)
    add { [frozen = isFrozen] layout in
      BatchNorm(
        input: x.slot, output: y.slot, saved: saved, shape: x.shape,
        scale: layout.offset(name + ".weight"), shift: layout.offset(name + ".bias"),
        runningMean: layout.offset(name + ".running_mean"),
        runningVariance: layout.offset(name + ".running_var"), frozen: frozen)
    }
    return site(name, y)
  }

  package mutating func layerNorm(_ name: String, _ x: Map, epsilon: Double = 1e-5) -> Map {
    declareNorm(name, x.shape.channels, statistics: false)
    let y = newMap(x.shape)
    let saved = newSlot(perExample: 2 * x.shape.positions)
    add { [frozen = isFrozen] layout in
      LayerNorm(
        input: x.slot, output: y.slot, saved: saved, shape: x.shape,
        scale: layout.offset(name + ".weight"), shift: layout.offset(name + ".bias"),
        epsilon: epsilon, frozen: frozen)
    }
    return site(name, y)
  }

  // MARK: Layers without parameters

  package mutating func activation(_ kind: ModelSpec.Activation, _ x: Map) -> Map {
    precondition(x.slot != 0, "activation: in place on the input, which has no gradient")
    switch kind {
    case .relu:
      add(ReLU(slot: x.slot, count: x.shape.count))
      return x
    case .gelu:
      let y = newMap(x.shape)
      add(GELU(input: x.slot, output: y.slot, count: x.shape.count))
      return y
    case .temperedSigmoid(let scale, let inverseTemperature, let offset):
      add(
        TemperedSigmoid(
          slot: x.slot, count: x.shape.count, scale: Float(scale),
          inverseTemperature: Float(inverseTemperature), offset: Float(offset)))
      return x
    }
  }

  package mutating func pool(
    _ kind: Pooling.Kind, _ x: Map, kernel: Int, stride: Int? = nil, padding: Int = 0
  ) -> Map {
    let geometry = ConvolutionGeometry(
      input: x.shape, channels: x.shape.channels, kernel: kernel, stride: stride ?? kernel,
      padding: padding)
    let y = newMap(geometry.output)
    let winners = kind == .max ? newSlot(perExample: geometry.output.count) : 0
    add(Pooling(kind: kind, input: x.slot, output: y.slot, winners: winners, geometry: geometry))
    return y
  }

  package mutating func globalAveragePool(_ x: Map) -> Map {
    let y = newMap(FeatureShape(features: x.shape.channels))
    add(GlobalAveragePool(input: x.slot, output: y.slot, shape: x.shape))
    return y
  }

  package mutating func dropout(_ rate: Double, _ x: Map) -> Map {
    // Whoever asks a frozen network for its features wants them as they are.
    guard rate > 0, !isQuery else { return x }
    let y = newMap(x.shape)
    let mask = newSlot(perExample: x.shape.count)
    add(
      Dropout(
        input: x.slot, output: y.slot, mask: mask, count: x.shape.count, rate: rate,
        salt: UInt64(pending.count)))
    return y
  }

  /// sum ← sum + shortcut, in place: the branches of a residual block meet.
  package mutating func residual(_ sum: Map, shortcut: Map) -> Map {
    precondition(sum.shape == shortcut.shape, "residual: \(sum.shape) meets \(shortcut.shape)")
    add(Residual(shortcut: shortcut.slot, sum: sum.slot, count: sum.shape.count))
    return sum
  }

  // MARK: Finishing

  /// The network whose logits are `logits`; the features are the input of the last dense layer.
  package func build(logits: Map) -> Network {
    var network = build(logits, from: nil)
    network.cuts = cuts
    network.makeHead = { [self] in build(logits, from: $0) }
    return network
  }

  /// The network, or what of it comes after a cut.
  private func build(_ logits: Map, from cut: Network.Cut?) -> Network {
    let layout = ParameterLayout(Array(tensors[(cut?.tensors ?? 0)...]))
    let operations = pending[(cut?.operations ?? 0)...].map { $0(layout) }
    let steps = Fusion.fuse(operations)
    var slots = slots
    for slot in Fusion.unusedSlots(steps) + (cut.map { Array(0..<$0.slots) } ?? []) {
      slots[slot] = Network.Slot(perExample: 0, fixed: 0, hasGradient: false)
    }
    if let cut {
      slots[cut.slot] = Network.Slot(perExample: cut.shape.count, fixed: 0, hasGradient: false)
    }
    let input = cut?.slot ?? 0
    if givesInputGradient {
      slots[input] = Network.Slot(perExample: slots[input].perExample, fixed: 0, hasGradient: true)
    }
    let wanted: Set<Int> = givesInputGradient ? [input] : []
    return Network(
      input: cut?.shape ?? inputShape, logits: logits.shape, layout: layout, classifier: classifier,
      featureWidth: features?.shape.count ?? logits.shape.count, operations: operations,
      gradientWrites: Self.gradientWrites(operations, logits, wanted), steps: steps,
      stepWrites: Self.gradientWrites(steps, logits, wanted), slots: slots,
      scratchCount: steps.map(\.scratchCount).reduce(scratchCount, max), logitsSlot: logits.slot,
      featuresSlot: features?.slot ?? 0, inputSlot: input)
  }

  // MARK: Cuts

  package mutating func note(_ cut: Network.Cut) { cuts.append(cut) }
  var slotCount: Int { slots.count }
  var operationCount: Int { pending.count }
  var tensorCount: Int { tensors.count }

  // MARK: Private

  /// Which sweep position writes an input gradient first decides overwrite or add; a slot with no
  /// parameter before it needs none, unless it is `wanted`.
  private static func gradientWrites(
    _ operations: [any Operation], _ logits: Map, _ wanted: Set<Int>
  ) -> [GradientWrite] {
    var needed = wanted
    for operation in operations where operation.hasParameters || needed.contains(operation.input) {
      needed.insert(operation.output)
    }
    var written: Set<Int> = [logits.slot]  // by the loss
    var writes = [GradientWrite](repeating: .skip, count: operations.count)
    for index in operations.indices.reversed() {
      let operation = operations[index]
      guard needed.contains(operation.input) else { continue }
      writes[index] = written.insert(operation.input).inserted ? .overwrite : .add
    }
    return writes
  }

  // MARK: Parts of verbs

  package mutating func add(_ operation: some Operation) { pending.append { _ in operation } }

  /// Adds an operation that needs to know where its tensors lie.
  package mutating func add(_ make: @escaping @Sendable (ParameterLayout) -> any Operation) {
    pending.append(make)
  }

  /// A tensor of a layer; one of a frozen layer is declared once, however often it is read.
  mutating func declare(_ tensor: ParameterLayout.Declaration) {
    guard isFrozen else {
      tensors.append(tensor)
      return
    }
    if adaptation?.declared.insert(tensor.name).inserted == true { tensors.append(tensor.frozen) }
  }

  /// A tensor that is trained though layers are frozen.
  mutating func declareTrained(_ tensor: ParameterLayout.Declaration) { tensors.append(tensor) }

  /// The last layer that is noted is the classifier, and what it reads are the features.
  mutating func noteClassifier(_ name: String, reading x: Map) {
    features = x
    classifier = name
  }

  mutating func newMap(_ shape: FeatureShape) -> Map {
    slots.append(Network.Slot(perExample: shape.count, fixed: 0, hasGradient: true))
    return Map(slot: slots.count - 1, shape: shape)
  }

  mutating func newSlot(perExample: Int = 0, fixed: Int = 0) -> Int {
    slots.append(Network.Slot(perExample: perExample, fixed: fixed, hasGradient: false))
    return slots.count - 1
  }

  mutating func declareBias(_ name: String, _ count: Int, fanIn: Int, fanOut: Int) {
    declare(.init(name: name + ".bias", shape: [count], role: .bias, fanIn: fanIn, fanOut: fanOut))
  }

  private mutating func declareNorm(_ name: String, _ channels: Int, statistics: Bool) {
    declare(.init(name: name + ".weight", shape: [channels], role: .normScale))
    declare(.init(name: name + ".bias", shape: [channels], role: .normShift))
    guard statistics else { return }
    declare(.init(name: name + ".running_mean", shape: [channels], role: .runningMean))
    declare(.init(name: name + ".running_var", shape: [channels], role: .runningVariance))
  }
}

extension ParameterLayout {
  /// Where a declared tensor starts.
  package func offset(_ name: String) -> Int {
    guard let entry = self[name] else { preconditionFailure("no tensor \(name) in the layout") }
    return entry.range.lowerBound
  }
}

/// Classifiers that are no dense layer.
extension NetworkBuilder {
  /// The last layer of a model, by `ending`.
  package mutating func classifier(_ name: String, _ x: Map, _ classes: Int) -> Map {
    switch ending {
    case .linear: return dense(name, x, classes)
    case .cosine: return cosine(name, x, classes, scaled: false, unitRows: true)
    case .frame(let width):
      let y = framed(x, classes, width: width)
      noteClassifier("etf", reading: x)
      return y
    }
  }

  /// β·⟨v_c, x/‖x‖⟩ with a row per class, `<name>.weight`, and β in `<name>.scale` if `scaled`.
  ///
  /// `unitRows`: v_c = w_c/‖w_c‖, else v_c = w_c.
  package mutating func cosine(
    _ name: String, _ x: Map, _ outputs: Int, scaled: Bool, unitRows: Bool
  ) -> Map {
    let inputs = x.shape.count
    declare(
      .init(
        name: name + ".weight", shape: [outputs, inputs], role: .weight,
        order: x.shape.positions == 1 ? .asShaped : .channelsLastColumns(x.shape), fanIn: inputs,
        fanOut: outputs))
    if scaled { declare(.init(name: name + ".scale", shape: [1], role: .logitScale)) }
    noteClassifier(name, reading: x)
    let y = newMap(FeatureShape(features: outputs))
    let saved = newSlot(perExample: inputs + outputs + 1)
    add { layout in
      CosineClassifier(
        name: name, input: x.slot, output: y.slot, saved: saved, inputs: inputs, outputs: outputs,
        weight: layout.offset(name + ".weight"),
        scale: scaled ? layout.offset(name + ".scale") : nil, normalisesRows: unitRows)
    }
    return y
  }

  /// The projection `proj` and the scaled cosine classifier `etf` after it.
  package mutating func framed(_ x: Map, _ classes: Int, width: Int) -> Map {
    cosine("etf", dense("proj", x, width), classes, scaled: true, unitRows: false)
  }
}

/// Verbs for maps whose positions are tokens.
extension NetworkBuilder {
  /// The same dense layer at every position.
  package mutating func linear(_ name: String, _ x: Map, _ outputs: Int, bias: Bool = true) -> Map {
    let shape = x.shape
    declare(
      .init(
        name: name + ".weight", shape: [outputs, shape.channels], role: .weight,
        fanIn: shape.channels, fanOut: outputs))
    if bias { declareBias(name, outputs, fanIn: shape.channels, fanOut: outputs) }
    let y = newMap(FeatureShape(height: shape.height, width: shape.width, channels: outputs))
    add { [frozen = isFrozen] layout in
      PositionLinear(
        name: name, input: x.slot, output: y.slot, positions: shape.positions,
        inputs: shape.channels, outputs: outputs, weight: layout.offset(name + ".weight"),
        bias: bias ? layout.offset(name + ".bias") : nil, frozen: frozen)
    }
    return site(name, y)
  }

  /// Self-attention; the map's channels are queries, keys and values, a third each.
  package mutating func attention(_ x: Map, heads: Int) -> Map {
    let width = x.shape.channels / 3
    precondition(
      x.shape.channels % 3 == 0 && heads > 0 && width % heads == 0,
      "attention: \(heads) heads on \(x.shape)")
    let tokens = x.shape.positions
    let y = newMap(FeatureShape(height: x.shape.height, width: x.shape.width, channels: width))
    let saved = newSlot(perExample: heads * tokens * tokens)
    add(
      Attention(
        input: x.slot, output: y.slot, saved: saved, tokens: tokens, width: width, heads: heads))
    return y
  }

  /// Declares `cls_token` and `pos_embed` for so many patches of so many channels: timm's names,
  /// which come first in its files.
  package mutating func declareClassToken(patches: Int, width: Int) {
    declare(.init(name: "cls_token", shape: [1, 1, width], role: .classToken))
    declare(.init(name: "pos_embed", shape: [1, patches + 1, width], role: .positions))
  }

  /// A class token in front of the map's positions, all with their embeddings added; the map
  /// becomes a column of tokens.
  package mutating func classToken(_ x: Map) -> Map {
    let (positions, width) = (x.shape.positions, x.shape.channels)
    let y = newMap(FeatureShape(height: positions + 1, width: 1, channels: width))
    add { [frozen = isFrozen] layout in
      ClassToken(
        input: x.slot, output: y.slot, positions: positions, width: width,
        token: layout.offset("cls_token"), embedding: layout.offset("pos_embed"), frozen: frozen)
    }
    return y
  }

  /// The features of the first position.
  package mutating func firstPosition(_ x: Map) -> Map {
    let y = newMap(FeatureShape(features: x.shape.channels))
    add(FirstPosition(input: x.slot, output: y.slot, shape: x.shape))
    return y
  }
}
