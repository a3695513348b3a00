import Base
import Client
import Tensor

/// What a network learns from before the first round.
package struct PretrainingData: Sendable {
  /// The images, among others; labels are those of the pre-training problem.
  package let images: ImageSet
  /// Which of them are learnt from, ascending.
  package let indices: [Int]
  /// Images to measure the result on: the data's test images of the same classes.
  package let test: ImageSet

  /// The images of a scenario.
  ///
  /// `data`: as read, with all classes.
  ///
  /// `split`: one of the scenario's splits; all hold out the same images.
  package init(_ settings: PretrainSettings, data: LabelledData, split: Split) throws(Failure) {
    switch settings.source {
    case .images:
      images = data.train
      indices = split.pretrainIndices
      test = data.test
    case .classes(let classes):
      let own = try data.onlyClasses(classes)
      images = own.train
      indices = Array(0..<own.train.count)
      test = own.test
    }
  }
}

extension PretrainSettings {
  /// What the clients learn from: without the classes that pre-training takes away.
  package func clientData(_ data: LabelledData) throws(Failure) -> LabelledData {
    classes.isEmpty ? data : try data.withoutClasses(classes)
  }

  /// Everything that the result of pre-training depends on, one fact per line.
  ///
  /// Images count by their content, not by their path. Pixels are taken to be normalised with the
  /// statistics of the images learnt from; the runs' seeds and splits have no part in it. Fields
  /// of the model are printed by reflection, so that a field that is added counts by itself.
  package func cacheText(
    model: ModelSpec, normalize: DataSettings.Normalization, data: PretrainingData
  ) -> String {
    var indexHash = XXHash64()
    indexHash.update(data.indices.map(UInt64.init))
    let changes = augment.map(\.rawValue).sorted().joined(separator: " ")
    return [
      "fedsim \(FedsimVersion.current) pretrain",
      "images \(data.images.shape) \(data.images.classes) classes \(data.images.hash)",
      "indices \(data.indices.count) \(indexHash.hex)", "normalize \(normalize.rawValue)",
      "model \(model)", "epochs \(epochs)", "batch \(batch)", "optimizer \(optimizer)",
      "schedule \(schedule)", "augment \(changes)", "seed \(seed)",
    ].joined(separator: "\n") + "\n"
  }

  /// XXH64 of `cacheText`, sixteen hexadecimal digits: the name of a file of finished weights.
  package func cacheKey(
    model: ModelSpec, normalize: DataSettings.Normalization, data: PretrainingData
  ) -> String {
    var hash = XXHash64()
    hash.update(cacheText(model: model, normalize: normalize, data: data))
    return hash.hex
  }
}
