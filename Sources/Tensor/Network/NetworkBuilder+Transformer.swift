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
