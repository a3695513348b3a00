extension NetworkBuilder {
  /// A small network in the manner of VGG (Simonyan and Zisserman 2015, arXiv:1409.1556): blocks of
  /// two 3×3 convolutions of the map's size and a 2×2 maximum, then a hidden layer of 16w.
  ///
  /// The blocks have w, 2w and 2w channels, w being 32 by default; `blocks` of them are there.
  package mutating func vgg(_ spec: ModelSpec, classes: Int) -> Map {
    let bias = spec.norm == .none
    var x = input
    for block in 1...max(1, spec.blocks) {
      let channels = block == 1 ? spec.width : 2 * spec.width
      for layer in 1...2 {
        let name = "layer\(block).conv\(layer)"
        x = convolution(name, x, channels, kernel: 3, padding: 1, bias: bias)
        x = activation(spec.activation, norm(spec.norm, "layer\(block).bn\(layer)", x))
      }
      x = cut("layer\(block)", pool(.max, x, kernel: 2))
    }
    x = cut("fc1", activation(spec.activation, dense("fc1", x, 16 * spec.width)))
    return head("fc2", x, classes)
  }
}
