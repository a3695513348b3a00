import Base
import Client
import Data
import Fixtures
import Tensor
import Testing

@Suite("Splits")
struct SplitTests {
  typealias Policy = DataSettings.LocalTest.Policy

  /// 1×1×1 images; label i mod classes.
  static func data(train: Int = 2000, test: Int = 500, classes: Int = 10, users: [[Int]]? = nil)
    -> LabelledData
  {
    func images(_ count: Int) -> ImageSet {
      ImageSet(
        shape: FeatureShape(features: 1), pixels: .bytes([UInt8](repeating: 0, count: count)),
        labels: (0..<count).map { Int32($0 % classes) }, classes: classes)
    }
    return LabelledData(
      title: "test", train: images(train), test: images(test), naturalClients: users)
  }

  static func settings(
    _ partition: DataSettings.Partition = .dirichlet(alpha: 0.5, minPerClient: 0),
    factor: Double? = nil, policy: Policy = .priorWeighted, perClass: Int = 20, share: Double = 0.2
  ) -> DataSettings {
    DataSettings(
      dataset: .synthetic(classes: 10, trainPerClass: 1, testPerClass: 1, seed: 0),
      longTail: factor.map { .init(profile: .exponential(factor: $0), maxPerClass: nil) },
      partition: partition,
      localTest: .init(policy: policy, perClass: perClass, holdoutShare: share), augment: [],
      normalize: .none)
  }

  @Test("class totals are the long tail's, whatever the partition", arguments: PartitionTests.rules)
  func pooledHistogram(rule: DataSettings.Partition) throws {
    let split = try SplitBuilder.split(
      Self.data(train: 50_000), settings: Self.settings(rule, factor: 100), clients: 20, seed: 1)
    #expect(split.classCounts == [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50])
    #expect(split.trainIndices.count == 12_406)
    #expect(Set(split.trainIndices).count == 12_406)
    #expect(split.clientClassCounts.pooled() == split.classCounts)
    #expect(
      (0..<20).allSatisfy { split.clientClassCounts.total(of: $0) == split.clients[$0].count })
  }

  @Test(
    "a hold-out takes its share, leaves one image, and loses none", arguments: [0.01, 0.3, 0.99])
  func holdout(share: Double) throws {
    let data = Self.data()
    let rule = DataSettings.Partition.dirichlet(alpha: 0.05, minPerClient: 0)
    let whole = try SplitBuilder.split(data, settings: Self.settings(rule), clients: 60, seed: 4)
    let settings = Self.settings(rule, policy: .holdout, share: share)
    let split = try SplitBuilder.split(data, settings: settings, clients: 60, seed: 4)
    let holdout = try #require(split.holdout)
    for client in 0..<60 {
      let full = whole.clients[client]
      #expect((split.clients[client] + holdout[client]).sorted() == full)
      #expect(full.isEmpty || !split.clients[client].isEmpty)
      #expect(full.count < 2 || !holdout[client].isEmpty)
      let wanted = (share * Double(full.count)).rounded()
      #expect(full.count < 2 || abs(Double(holdout[client].count) - wanted) <= 1)
    }
    let tests = LocalTests(settings.localTest, split: split, test: data.test, seed: 4)
    #expect(tests.source == .trainingSet)
    #expect(tests.images(of: 3) == holdout[3])
    #expect(tests.excludedClients == (0..<60).filter { holdout[$0].isEmpty })
    #expect(split.partitionJSON.contains("\"holdout\""))
  }

  @Test("prior-weighted: the first images of each class, weights n_kc/n_k")
  func priorWeighted()
    throws
  {
    let data = Self.data(train: 100)
    let settings = Self.settings(perClass: 3)
    let split = try SplitBuilder.split(data, settings: settings, clients: 70, seed: 1)
    let tests = LocalTests(settings.localTest, split: split, test: data.test, seed: 1)
    #expect(tests.sharesOneList)
    #expect(tests.source == .testSet)
    #expect(tests.images(of: 5) == Array(0..<30))
    #expect(tests.sharedImages == 0)
    #expect(!tests.excludedClients.isEmpty)
    #expect(tests.excludedClients == split.emptyClients)
    for client in 0..<70 {
      let weights = tests.classWeights(of: client, labels: data.test.labels)
      let counts = split.clientClassCounts[client]
      let total = Double(counts.reduce(0, +))
      #expect(weights == counts.map { total > 0 ? Double($0) / total : 0 })
      #expect(tests.excludes(client) == (total == 0))
    }
  }

  @Test("prior-weighted leaves out classes without a test image")
  func priorWithoutTestImages()
    throws
  {
    let data = Self.data(train: 100, test: 4, classes: 5)
    let settings = Self.settings(.iid)
    let split = try SplitBuilder.split(data, settings: settings, clients: 1, seed: 1)
    let tests = LocalTests(settings.localTest, split: split, test: data.test, seed: 1)
    let weights = tests.classWeights(of: 0, labels: data.test.labels)
    #expect(weights == [0.25, 0.25, 0.25, 0.25, 0])
  }

  @Test("match-client-labels: floor(N_test·n_kc/N) images of each class, overlap counted")
  func matching() throws {
    let data = Self.data()
    for factor in [1.0, 20] {
      let settings = Self.settings(factor: factor, policy: .matchClientLabels)
      let split = try SplitBuilder.split(data, settings: settings, clients: 30, seed: 2)
      let tests = LocalTests(settings.localTest, split: split, test: data.test, seed: 2)
      var users = [Int: Int]()
      for client in 0..<30 {
        let images = tests.images(of: client)
        #expect(Set(images).count == images.count)
        for image in images { users[image, default: 0] += 1 }
        for label in 0..<10 {
          let wanted = 500 * split.clientClassCounts[client, label] / split.trainIndices.count
          #expect(images.count { $0 % 10 == label } == min(wanted, 50))
        }
        #expect(tests.excludes(client) == images.isEmpty)
      }
      #expect(tests.sharedImages == users.values.count { $0 > 1 })
      #expect(tests.sharedImages > 0)
    }
  }

  @Test("the text of partition.json reads back as the same partition")
  func fileRoundTrip() throws {
    let data = Self.data()
    let first = try SplitBuilder.split(
      data, settings: Self.settings(factor: 10), clients: 9, seed: 3)
    let folder = try ScratchFolder()
    let path = try folder.write("partition.json", text: first.partitionJSON)
    for factor in [nil, 10.0] {
      let again = try SplitBuilder.split(
        data, settings: Self.settings(.file(path: path), factor: factor), clients: 9, seed: 3)
      #expect(again.clients == first.clients)
      #expect(again.classCounts == first.classCounts)
    }
    let lines = first.summaryCSV.split(separator: "\n")
    #expect(lines.count == 10)
    #expect(lines[0].hasPrefix("client,total,class_0,class_1,"))
    let row = lines[4].split(separator: ",").compactMap { Int($0) }
    #expect(row == [3, first.clients[3].count] + first.clientClassCounts[3])
  }

  @Test("a partition file keeps its order and may leave images out")
  func fileOrder() throws {
    let folder = try ScratchFolder()
    let path = try folder.write("p.json", text: "{\"//\": \"mine\", \"clients\": [[5, 3, 4], []]}")
    let split = try SplitBuilder.split(
      Self.data(), settings: Self.settings(.file(path: path)), clients: 2, seed: 1)
    #expect(split.clients == [[5, 3, 4], []])
    #expect(split.trainIndices == [3, 4, 5])
    #expect(split.emptyClients == [1])
  }

  @Test("a wrong partition file is refused with the place")
  func brokenFiles() throws {
    let cases: [(code: String, text: String, words: [String])] = [
      ("E4003", "", ["empty"]), ("E4006", "{\"clients\": [[1, 2]", ["line 1, column"]),
      ("E4006", "[[1], [2]]", ["an array without \"clients\""]),
      ("E4006", "{\"clients\": 3}", ["a number for \"clients\""]),
      ("E4005", "{\"clients\": [[1]]}", ["lists 1 clients", "federation.clients is 2"]),
      ("E4006", "{\"clients\": [[1],\n 7]}", ["line 2, client 1", "a number"]),
      ("E4006", "{\"clients\": [[1],\n[2, 1.5]]}", ["line 2, client 1, entry 1"]),
      ("E4005", "{\"clients\": [[1],\n[2, 2000]]}", ["image 2000", "0 to 1999"]),
      ("E4005", "{\"clients\": [[-1], []]}", ["image -1"]),
      ("E4006", "{\"clients\": [[1e300], []]}", ["expected an index"]),
      ("E4005", "{\"clients\": [[7, 8], [9, 7]]}", ["entry 1", "image 7", "client 0"]),
    ]
    let folder = try ScratchFolder()
    for (code, text, words) in cases {
      let path = try folder.write("p.json", text: text)
      expectDataFailure(code, ["p.json"] + words) {
        _ = try SplitBuilder.split(
          Self.data(), settings: Self.settings(.file(path: path)), clients: 2, seed: 1)
      }
    }
    let path = try folder.write("p.json", text: "{\"clients\": [[9, 19, 29, 39, 49, 59], []]}")
    expectDataFailure("E4005", ["removed by data.longTail"]) {
      _ = try SplitBuilder.split(
        Self.data(), settings: Self.settings(.file(path: path), factor: 200), clients: 2, seed: 1)
    }
    expectDataFailure("E4001", ["no such file"]) {
      _ = try SplitBuilder.split(
        Self.data(), settings: Self.settings(.file(path: folder.at("none"))), clients: 2, seed: 1)
    }
  }

  @Test("natural clients keep their images, minus what the long tail removed")
  func natural() throws {
    let users = (0..<40).map { user in (0..<50).map { user * 50 + $0 } }
    let data = Self.data(users: users)
    let all = try SplitBuilder.split(data, settings: Self.settings(.natural), clients: 40, seed: 1)
    #expect(all.clients == users)
    let some = try SplitBuilder.split(
      data, settings: Self.settings(.natural, factor: 10), clients: 7, seed: 1)
    #expect(some.clients.count == 7)
    for list in some.clients {
      #expect(Set(list.map { $0 / 50 }).count == 1)
      #expect(list.count < 50)
    }
    expectFailure(.scenarioInvalid, "E3415", ["40 users", "41"]) {
      _ = try SplitBuilder.split(data, settings: Self.settings(.natural), clients: 41, seed: 1)
    }
    expectFailure(.scenarioInvalid, "E3414", ["leaf"]) {
      _ = try SplitBuilder.split(
        Self.data(), settings: Self.settings(.natural), clients: 4, seed: 1)
    }
  }
}
