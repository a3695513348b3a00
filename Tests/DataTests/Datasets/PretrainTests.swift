import Base
import Client
import Data
import Fixtures
import Tensor
import Testing

@Suite("Data for pre-training")
struct PretrainTests {
  /// Image i is the one pixel i and has label i mod 5.
  static func data(users: [[Int]]? = nil) -> LabelledData {
    func images(_ range: Range<Int>) -> ImageSet {
      ImageSet(
        shape: FeatureShape(features: 1), pixels: .bytes(range.map { UInt8($0) }),
        labels: range.map { Int32($0 % 5) }, classes: 5)
    }
    return LabelledData(
      title: "five", train: images(0..<20), test: images(100..<110), naturalClients: users)
  }

  @Test("classes are taken away, the others relabelled in order, training and test alike")
  func relabelled() throws {
    let data = Self.data(users: [[0, 1, 2, 3, 4], [5, 9], [7, 8, 14]])
    let rest = try data.withoutClasses([3, 0])
    #expect(rest.train.classes == 3)
    #expect(rest.train.pixels.bytes == [1, 2, 4, 6, 7, 9, 11, 12, 14, 16, 17, 19])
    #expect(rest.train.labels == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])
    #expect(rest.test.pixels.bytes == [101, 102, 104, 106, 107, 109])
    #expect(rest.test.labels == [0, 1, 2, 0, 1, 2])
    // Users name what is left by its new place: images 1 2 4, 9, 7 14.
    #expect(rest.naturalClients == [[0, 1, 2], [5], [4, 8]])
    #expect(rest.title == "five without classes 0, 3")
    let only = try data.onlyClasses([3, 0])
    #expect(only.train.pixels.bytes == [0, 3, 5, 8, 10, 13, 15, 18])
    #expect(only.train.labels == [0, 1, 0, 1, 0, 1, 0, 1])
    #expect(only.train.classes == 2)
    #expect(only.test.labels == [0, 1, 0, 1])
  }

  @Test("floats are relabelled like bytes")
  func floats() throws {
    let data = SmallImages.floats(train: 60, classes: 4)
    let only = try data.onlyClasses([1, 3])
    #expect(only.train.classCounts() == [1, 3].map { data.train.classCounts()[$0] })
    guard case .floats(let part) = only.train.pixels, case .floats(let all) = data.train.pixels,
      let first = data.train.labels.firstIndex(where: { $0 % 2 == 1 })
    else {
      Issue.record("floats became bytes")
      return
    }
    let size = data.train.shape.count
    #expect(part.prefix(size) == all[first * size..<(first + 1) * size])
  }

  @Test("classes that do not fit are refused")
  func misfits() {
    for (classes, word) in [
      ([5, 1], "class 5"), ([-1, 1], "class -1"), ([0, 1, 2, 3], "leaves 1"),
    ] {
      expectFailure(.scenarioInvalid, "E3254", [word]) {
        _ = try Self.data().withoutClasses(classes)
      }
    }
    expectFailure(.scenarioInvalid, "E3254", ["fewer than two"]) {
      _ = try Self.data().onlyClasses([2])
    }
  }

  @Test("what pre-training and the clients learn from is disjoint and complete")
  func disjoint()
    throws
  {
    let data = Self.data()
    let whole = PretrainSettings(source: .classes([1, 4]))
    let clients = try whole.clientData(data)
    let settings = HeldOutTests.settings(pretrain: whole, partition: .iid)
    let split = try HeldOutTests.split(settings, clients, clients: 3)
    #expect(split.trainIndices.count == 12)
    let own = try PretrainingData(whole, data: data, split: split)
    #expect(own.indices == Array(0..<8))
    #expect((own.images.pixels.bytes + clients.train.pixels.bytes).sorted() == [UInt8](0..<20))
    #expect(own.test.classes == 2)

    let some = PretrainSettings(source: .images(10))
    #expect(try some.clientData(data).train === data.train)
    let part = try HeldOutTests.split(
      HeldOutTests.settings(pretrain: some, partition: .iid), data, clients: 3)
    let images = try PretrainingData(some, data: data, split: part)
    #expect(images.images === data.train)
    #expect(images.indices == part.pretrainIndices)
    #expect((images.indices + part.trainIndices).sorted() == Array(0..<20))
  }

  @Test("the cache key changes with everything that pre-training depends on, and with nothing else")
  func cacheKey() throws {
    let data = Self.data()
    func key(
      _ settings: PretrainSettings, model: ModelSpec = ModelSpec(kind: .mlp, width: 1, hidden: [4]),
      normalize: DataSettings.Normalization = .dataset, data: LabelledData = data, seed: UInt64 = 1
    ) throws -> String {
      let split = try HeldOutTests.split(
        HeldOutTests.settings(pretrain: settings, partition: .iid), data, clients: 2, seed: seed)
      let own = try PretrainingData(settings, data: data, split: split)
      return settings.cacheKey(model: model, normalize: normalize, data: own)
    }
    let base = PretrainSettings(source: .images(10))
    func changed(_ change: (inout PretrainSettings) -> Void) -> PretrainSettings {
      var other = base
      change(&other)
      return other
    }
    let first = try key(base)
    #expect(first.count == 16)
    #expect(try key(base, seed: 7) == first, "the run's seed has no part in it")
    let renamed = LabelledData(title: "copy", train: data.train, test: data.test)
    #expect(try key(base, data: renamed) == first, "nor has the name")
    var others = [
      try key(base, model: ModelSpec(kind: .mlp, width: 1, hidden: [5])),
      try key(base, model: ModelSpec(kind: .mlp, width: 1, hidden: [4], dropout: [0.5])),
      try key(base, normalize: .none), try key(base, data: SplitTests.data(train: 20, classes: 5)),
    ]
    for settings in [
      changed { $0.source = .images(11) }, changed { $0.source = .classes([0, 1]) },
      changed { $0.source = .classes([0, 2]) }, changed { $0.epochs = 31 },
      changed { $0.batch = 64 }, changed { $0.optimizer.momentum = 0 },
      changed { $0.schedule = LearningRateSchedule() }, changed { $0.augment = [.flip] },
      changed { $0.seed = 1 },
    ] { others.append(try key(settings)) }
    #expect(Set(others + [first]).count == others.count + 1)
  }
}

extension ImageSet.Pixels {
  fileprivate var bytes: [UInt8] {
    if case .bytes(let bytes) = self { return bytes }
    return []
  }
}
