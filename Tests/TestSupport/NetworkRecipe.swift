import Tensor

/// A small network written as text, for tests: operations separated by ";".
///
/// `conv NAME channels kernel stride padding bias`, `dense NAME outputs bias`,
/// `ws NAME channels kernel stride padding bias` (a convolution with standardised weights),
/// `cosine NAME outputs scaled unitRows`, `group NAME groups`, `batch NAME`, `layer NAME`, `relu`,
/// `gelu`, `tempered s T o`, `max kernel stride padding`, `avg kernel stride padding`, `global`,
/// `dropout rate`,
/// `mark` (remember this map), `swap` (exchange with the remembered one), `residual` (add the
/// remembered one); of tokens: `linear NAME outputs bias` (at every position), `attention heads`,
/// `tokens` (class token and positions), `first` (position). Golden/make_golden.py reads the same
/// words.
package enum NetworkRecipe {
  /// Words that are no recipe.
  package struct Mistake: Error { package let operation: String }

  /// The network of a recipe; its last operation gives the logits.
  package static func build(_ text: String, input: FeatureShape) throws -> Network {
    var builder = NetworkBuilder(input: input)
    var x = builder.input
    var marked = x
    for operation in text.split(separator: ";") {
      let words = operation.split(separator: " ").map(String.init)
      let numbers = words.dropFirst().compactMap(Int.init)
      let reals = words.dropFirst().compactMap(Double.init)
      let name = words.count > 1 ? words[1] : ""
      switch (words.first ?? "", numbers.count) {
      case ("conv", 5):
        x = builder.convolution(
          name, x, numbers[0], kernel: numbers[1], stride: numbers[2], padding: numbers[3],
          bias: numbers[4] == 1)
      case ("ws", 5):
        builder.standardisesWeights = true
        x = builder.convolution(
          name, x, numbers[0], kernel: numbers[1], stride: numbers[2], padding: numbers[3],
          bias: numbers[4] == 1)
        builder.standardisesWeights = false
      case ("dense", 2): x = builder.dense(name, x, numbers[0], bias: numbers[1] == 1)
      case ("linear", 2): x = builder.linear(name, x, numbers[0], bias: numbers[1] == 1)
      case ("attention", 1): x = builder.attention(x, heads: numbers[0])
      case ("tokens", 0):
        builder.declareClassToken(patches: x.shape.positions, width: x.shape.channels)
        x = builder.classToken(x)
      case ("first", 0): x = builder.firstPosition(x)
      case ("cosine", 3):
        x = builder.cosine(name, x, numbers[0], scaled: numbers[1] == 1, unitRows: numbers[2] == 1)
      case ("group", 1): x = builder.groupNorm(name, x, groups: numbers[0])
      case ("batch", 0): x = builder.batchNorm(name, x)
      case ("layer", 0): x = builder.layerNorm(name, x)
      case ("relu", 0): x = builder.activation(.relu, x)
      case ("gelu", 0): x = builder.activation(.gelu, x)
      case ("tempered", _) where reals.count == 3:
        x = builder.activation(
          .temperedSigmoid(scale: reals[0], inverseTemperature: reals[1], offset: reals[2]), x)
      case ("max", 3):
        x = builder.pool(.max, x, kernel: numbers[0], stride: numbers[1], padding: numbers[2])
      case ("avg", 3):
        x = builder.pool(.average, x, kernel: numbers[0], stride: numbers[1], padding: numbers[2])
      case ("global", 0): x = builder.globalAveragePool(x)
      case ("dropout", _) where reals.count == 1: x = builder.dropout(reals[0], x)
      case ("mark", 0): marked = x
      case ("swap", 0): (x, marked) = (marked, x)
      case ("residual", 0): x = builder.residual(x, shortcut: marked)
      default: throw Mistake(operation: String(operation))
      }
    }
    return builder.build(logits: x)
  }
}
