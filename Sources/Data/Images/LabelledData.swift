import Client

/// A data set as read: training and test images, and its natural clients where it has them.
package struct LabelledData: Sendable {
  /// Such as "CIFAR-10".
  package let title: String
  package let train: ImageSet
  /// Test images; never used in training.
  package let test: ImageSet
  /// Training indices of each natural client; nil when the data set knows none.
  package let naturalClients: [[Int]]?

  /// A data set with every part.
  package init(title: String, train: ImageSet, test: ImageSet, naturalClients: [[Int]]? = nil) {
    self.title = title
    self.train = train
    self.test = test
    self.naturalClients = naturalClients
  }
}
