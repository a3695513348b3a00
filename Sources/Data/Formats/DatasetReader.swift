import Base

/// From a data set's description to its images.
package enum DatasetReader {
  /// Reads or makes a data set; everything in it is checked.
  ///
  /// - Throws: a `Failure` with exit code 4 that names the file, what was found in it and what was
  ///   expected.
  package static func load(_ dataset: DataSettings.Dataset) throws(Failure) -> LabelledData {
    switch dataset {
    case .synthetic(let classes, let trainPerClass, let testPerClass, let seed):
      return try SyntheticImages.load(
        classes: classes, trainPerClass: trainPerClass, testPerClass: testPerClass, seed: seed)
    case .cifar10(let path): return try CIFAR10.load(path)
    case .cifar100(let path, let coarse): return try CIFAR100.load(path, coarse: coarse)
    case .mnist(let path, let prefix): return try MNIST.load(path, prefix: prefix)
    case .leaf(let path): return try LEAF.load(path)
    case .npy(let path, let channels): return try NPYFolder.load(path, channels: channels)
    }
  }
}
