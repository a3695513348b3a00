import Base
import Client
import Data
import Fixtures
import Testing

@Suite("Images that no client gets")
struct HeldOutTests {
  typealias Rule = DataSettings.Partition

  static func settings(
    publicSize: Int? = nil, pretrain: PretrainSettings? = nil,
    partition: Rule = .dirichlet(alpha: 0.5, minPerClient: 0), factor: Double? = nil,
    cap: Int? = nil, policy: DataSettings.LocalTest.Policy = .priorWeighted
  ) -> DataSettings {
    DataSettings(
      dataset: .synthetic(classes: 10, trainPerClass: 1, testPerClass: 1, seed: 0),
      longTail: factor.map { .init(profile: .exponential(factor: $0), maxPerClass: cap) },
      partition: partition, localTest: .init(policy: policy, perClass: 20, holdoutShare: 0.3),
      augment: [], normalize: .none, publicSet: publicSize.map { .init(size: $0) },
      pretrain: pretrain)
  }

  static func split(
    _ settings: DataSettings, _ data: LabelledData = SplitTests.data(), clients: Int = 8,
    seed: UInt64 = 1
  ) throws -> Split {
    try SplitBuilder.split(data, settings: settings, clients: clients, seed: seed)
  }

  @Test(
    "public, pre-training and clients' images are disjoint and, without a tail, complete",
    arguments: PartitionTests.rules)
  func disjoint(rule: Rule) throws {
    for policy in [DataSettings.LocalTest.Policy.priorWeighted, .holdout] {
      let settings = Self.settings(
        publicSize: 123, pretrain: PretrainSettings(source: .images(217)), partition: rule,
        policy: policy)
      let split = try Self.split(settings)
      let held = (split.holdout ?? []).flatMap { $0 }
      #expect(split.publicIndices.count == 123)
      #expect(split.pretrainIndices.count == 217)
      let all = split.trainIndices + held + split.publicIndices + split.pretrainIndices
      #expect(all.sorted() == Array(0..<2000))
      for list in [split.publicIndices, split.pretrainIndices] { #expect(list == list.sorted()) }
    }
  }

  @Test("T images of C classes are T / C of each, what is over goes to the lowest labels")
  func balanced() throws {
    let data = SplitTests.data(train: 1000, classes: 7)
    for size in [1, 6, 7, 8, 100, 600] {
      let settings = Self.settings(publicSize: size, pretrain: .init(source: .images(size / 2 + 1)))
      let split = try Self.split(settings, data, clients: 3)
      for (list, total) in [(split.publicIndices, size), (split.pretrainIndices, size / 2 + 1)] {
        let counts = data.train.classCounts(of: list)
        #expect(counts == (0..<7).map { total / 7 + ($0 < total % 7 ? 1 : 0) })
      }
    }
  }

  @Test("the public set follows the run's seed, that of pre-training its own; larger sets nest")
  func seeds() throws {
    func make(_ seed: UInt64, _ own: UInt64, _ size: Int = 100) throws -> Split {
      let pretrain = PretrainSettings(source: .images(200), seed: own)
      return try Self.split(Self.settings(publicSize: size, pretrain: pretrain), seed: seed)
    }
    let first = try make(1, 0)
    let again = try make(1, 0)
    #expect(first.publicIndices == again.publicIndices)
    #expect(first.clients == again.clients)
    let other = try make(2, 0)
    #expect(first.publicIndices != other.publicIndices)
    #expect(first.pretrainIndices == other.pretrainIndices)
    #expect(first.pretrainIndices != (try make(1, 5)).pretrainIndices)
    let larger = try make(1, 0, 300)
    #expect(Set(first.publicIndices).isSubset(of: larger.publicIndices))
    #expect(first.pretrainIndices == larger.pretrainIndices)
    // What draws public images does not draw those of pre-training, though seeds agree.
    let alone = try Self.split(Self.settings(publicSize: 200), seed: 0)
    #expect(alone.publicIndices != first.pretrainIndices)
  }

  @Test("a scenario without held-out images has the split it had before there were any")
  func unchanged() throws {
    let split = try Self.split(Self.settings(factor: 10))
    #expect(split.publicIndices.isEmpty && split.pretrainIndices.isEmpty)
    #expect(!split.partitionJSON.contains("public"))
    let labels = SplitTests.data().train.labels
    let tail = try LongTail(
      .init(profile: .exponential(factor: 10)), available: [Int](repeating: 200, count: 10))
    #expect(split.trainIndices == tail.keep(labels, seed: 1))
    #expect(split.trainIndices == tail.keep(labels, among: Array(labels.indices), seed: 1))
  }

  @Test("the long tail starts at the smallest class that is left, or at its cap")
  func longTail()
    throws
  {
    // 205 public images: 21 of five classes, 20 of the others; 200 − 21 are left.
    let split = try Self.split(Self.settings(publicSize: 205, factor: 10))
    #expect(split.longTailCounts?.first == 179)
    #expect(split.classCounts[0] == 179)
    #expect(split.classCounts[9] == 17)
    #expect(split.classCounts == split.longTailCounts)
    #expect(Set(split.trainIndices).isDisjoint(with: split.publicIndices))
    let capped = try Self.split(Self.settings(publicSize: 205, factor: 10, cap: 100))
    #expect(capped.classCounts[0] == 100)
    #expect(capped.publicIndices == split.publicIndices)
  }

  @Test("with a partition file only images are held out that it does not list")
  func partitionFile()
    throws
  {
    let folder = try ScratchFolder()
    let lists = (0..<4).map { client in (0..<450).map { $0 * 4 + client } }
    let path = try folder.write("p.json", text: "{\"clients\": \(lists)}")
    let data = SplitTests.data()
    let settings = Self.settings(
      publicSize: 150, pretrain: .init(source: .images(50)), partition: .file(path: path))
    let split = try Self.split(settings, data, clients: 4)
    #expect(split.clients == lists)
    #expect((split.publicIndices + split.pretrainIndices).sorted() == Array(1800..<2000))
    expectFailure(.scenarioInvalid, "E3251", ["class 0", "20", "p.json does not list"]) {
      let more = Self.settings(publicSize: 201, partition: .file(path: path))
      _ = try Self.split(more, data, clients: 4)
    }
  }

  @Test("users keep what is not held out")
  func natural() throws {
    let users = (0..<40).map { user in (0..<50).map { user * 50 + $0 } }
    let split = try Self.split(
      Self.settings(publicSize: 500, partition: .natural), SplitTests.data(users: users),
      clients: 40)
    let taken = Set(split.publicIndices)
    #expect(split.clients == users.map { $0.filter { !taken.contains($0) } })
  }

  @Test("too many images are refused, with the class or the clients that lack them")
  func tooMany() {
    let cases: [(DataSettings, [String])] = [
      (Self.settings(publicSize: 2001), ["data.public.size", "201", "class 0", "only 200"]),
      (Self.settings(publicSize: 1995), ["1995 of 2000", "leaves 5 for 8 clients"]),
      (
        Self.settings(publicSize: 1000, pretrain: .init(source: .images(995))),
        ["1995 of 2000", "leaves 5"]
      ),
      (
        Self.settings(publicSize: 1001, pretrain: .init(source: .images(1000))),
        ["data.public.size", "101 of class 0", "only 100"]
      ), (Self.settings(pretrain: .init(source: .images(.max / 2))), ["model.pretrain.images"]),
    ]
    for (settings, words) in cases {
      expectFailure(.scenarioInvalid, "E3251", words) { _ = try Self.split(settings) }
    }
  }

  @Test("the files of a split show what was held out")
  func files() throws {
    let data = SplitTests.data()
    let split = try Self.split(
      Self.settings(publicSize: 12, pretrain: .init(source: .images(10))), data, clients: 5)
    let json = try JSON(parsing: split.partitionJSON)
    #expect(json["clients"]?.elements?.count == 5)
    #expect(json["public"]?.elements?.compactMap(\.int) == split.publicIndices)
    #expect(json["pretrain"]?.elements?.compactMap(\.int) == split.pretrainIndices)
    let lines = split.summaryCSV.split(separator: "\n")
    #expect(lines.count == 8)
    #expect(lines[6] == "public,12,2,2,1,1,1,1,1,1,1,1")
    #expect(lines[7] == "pretrain,10,1,1,1,1,1,1,1,1,1,1")
  }
}
