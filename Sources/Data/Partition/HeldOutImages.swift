import Base
import Client

/// Training images that no client gets: those for pre-training and the public set.
///
/// They are taken before the long tail and the partition, pre-training first. Both are balanced:
/// T images of C classes are ⌊T/C⌋ of each and one more of the T mod C lowest classes. Within a
/// class they are the first of a shuffle that does not know T, so that a larger set contains a
/// smaller one. The public set is drawn anew for every seed; images for pre-training depend on
/// `pretrain.seed` alone, so that one backbone serves all seeds.
struct HeldOutImages {
  /// Images for pre-training, ascending.
  let pretraining: [Int]
  /// The public set, ascending.
  let publicSet: [Int]
  let rest: [Int]

  /// Draws both; with a partition file from the images that it does not list.
  ///
  /// Throws exit 3 when a class has too few images, or when fewer images are left than there are
  /// clients; exit 4 for a wrong partition file.
  init(_ data: LabelledData, settings: DataSettings, clients: Int, seed: UInt64) throws(Failure) {
    let train = data.train
    let wanted = (settings.pretrain?.images ?? 0, settings.publicSet?.size ?? 0)
    var isFree = [Bool](repeating: true, count: train.count)
    guard wanted != (0, 0) else {
      (pretraining, publicSet, rest) = ([], [], Array(isFree.indices))
      return
    }
    var listed: [Int] = []
    var excuse = ""
    if case .file(let path) = settings.partition {
      let pool = Pool(
        kept: Array(isFree.indices), labelOf: train.labels, classes: train.classes,
        clients: clients, seed: seed)
      listed = try pool.file(path, trainingImages: train.count).flatMap { $0 }
      excuse = " that \(path) does not list"
    }
    for index in listed { isFree[index] = false }
    pretraining = try Self.draw(
      wanted.0, of: train, from: &isFree, seed: settings.pretrain?.seed ?? 0,
      purpose: .pretrainData, path: "model.pretrain.images", excuse: excuse)
    publicSet = try Self.draw(
      wanted.1, of: train, from: &isFree, seed: seed, purpose: .publicData,
      path: "data.public.size", excuse: excuse)
    for index in listed { isFree[index] = true }
    rest = isFree.indices.filter { isFree[$0] }
    guard rest.count >= clients else {
      throw Failure(
        .scenarioInvalid, "E3251",
        "data.public and model.pretrain take \(train.count - rest.count) of \(train.count) "
          + "training images, which leaves \(rest.count) for \(clients) clients",
        hint: "lower data.public.size or model.pretrain.images; every client needs an image")
    }
  }

  /// A balanced draw, ascending; what it takes is no longer free.
  private static func draw(
    _ count: Int, of train: ImageSet, from isFree: inout [Bool], seed: UInt64, purpose: Purpose,
    path: String, excuse: String
  ) throws(Failure) -> [Int] {
    guard count > 0 else { return [] }
    var members = [[Int]](repeating: [], count: train.classes)
    for index in isFree.indices where isFree[index] {
      members[Int(train.labels[index])].append(index)
    }
    var taken: [Int] = []
    for (label, share) in Pool.evenSizes(count, parts: train.classes).enumerated() {
      guard share <= members[label].count else {
        throw Failure(
          .scenarioInvalid, "E3251",
          "\(path): \(count) images are \(share) of class \(label); "
            + "only \(members[label].count) are there\(excuse)",
          hint: "lower \(path), or use data with more images of this class")
      }
      var stream = RandomStream(seed: seed, purpose, step: label)
      stream.shuffle(&members[label])
      taken += members[label].prefix(share)
    }
    for index in taken { isFree[index] = false }
    return taken.sorted()
  }
}
