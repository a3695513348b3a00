extension Network {
  /// A network of which only the classifier is trained: a linear probe of its features.
  ///
  /// Everything below is frozen and as in an evaluation, in training too: batch norm uses its
  /// running statistics, and no unit is dropped. No backward pass reaches it.
  ///
  /// Tensors have their usual names; those of the classifier lie first.
  /// - Throws: ``ModelError`` when the image does not fit the model.
  public init(probing spec: ModelSpec, input: FeatureShape, classes: Int) throws(ModelError) {
    try spec.check(input)
    var builder = NetworkBuilder(input: input)
    self = builder.probed { $0.model(spec, classes: classes) }
  }

  /// The parameters of a network with the same tensors in other places.
  ///
  /// `base`: that network's layout, and `vector`, its parameters.
  /// - Throws: ``ModelError`` when it lacks one of this network's tensors.
  public func parameters(from base: ParameterLayout, _ vector: [Float]) throws(ModelError)
    -> [Float]
  {
    var parameters = [Float](repeating: 0, count: layout.count)
    try layout.copy(from: base, vector, to: &parameters) { _ in true }
    return parameters
  }
}

extension ParameterLayout {
  /// Copies tensors that satisfy `included` from another network's parameters, by name.
  /// - Throws: ``ModelError`` when one is not there in the same shape.
  package func copy(
    from base: ParameterLayout, _ vector: [Float], to parameters: inout [Float],
    where included: (Entry) -> Bool
  ) throws(ModelError) {
    for entry in entries where included(entry) {
      guard let source = base[entry.name], source.shape == entry.shape else {
        throw ModelError(
          message: "the trained network has no \(entry.name) of shape \(entry.shape)")
      }
      parameters.replaceSubrange(entry.range, with: vector[source.range])
    }
  }
}
