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

  /// The projection `proj` and the scaled cosine classifier `etf` behind it.
  package mutating func framed(_ x: Map, _ classes: Int, width: Int) -> Map {
    cosine("etf", dense("proj", x, width), classes, scaled: true, unitRows: false)
  }
}
