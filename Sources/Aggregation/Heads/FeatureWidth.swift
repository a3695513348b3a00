/// Words on how many features a network gives its classifier.
package enum FeatureWidth {
  /// What to change in a scenario for a width of at least `count`.
  package static func advice(atLeast count: Int) -> String {
    func width(_ perUnit: Int) -> Int { (count + perUnit - 1) / perUnit }
    return "features: resnet18 has 8 x width, resnet8, resnet20 and cnn 4 x width, lenet5 14 x "
      + "width, mlp its last hidden layer; so resnet18 with width \(width(8)), resnet8 with width "
      + "\(width(4)), or mlp with \(count) hidden neurons would do"
  }
}
