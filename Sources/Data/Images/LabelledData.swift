import Client

/// A data set as read: training and test images, and its natural clients where it has them.
public struct LabelledData: Sendable {
  /// Such as "CIFAR-10".
  public let title: String
  /// Training images.
  public let train: ImageSet
  /// Test images; never used in training.
  public let test: ImageSet
  /// Training indices of each natural client; nil when the data set knows none.
  public let naturalClients: [[Int]]?

  /// A data set with every part.
  public init(title: String, train: ImageSet, test: ImageSet, naturalClients: [[Int]]? = nil) {
    self.title = title
    self.train = train
    self.test = test
    self.naturalClients = naturalClients
  }
}
