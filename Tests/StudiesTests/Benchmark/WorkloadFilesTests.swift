import Base
import Client
import Federation
import Fixtures
import Studies
import Tensor
import Testing

@Suite("Given workload files")
struct WorkloadFilesTests {
  let folder: ScratchFolder
  let workload: Workload

  init() throws {
    folder = try ScratchFolder()
    workload = try WorkloadTests.small("w3lr", clients: 4, cohort: 2, samples: 3)
  }

  private static func bytes(_ values: [Float]) -> [UInt8] {
    values.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
    }
  }

  private static func bytes(_ values: [Int], size: Int = 8) -> [UInt8] {
    values.flatMap { value in (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
  }

  private static func shape(_ sizes: [Int]) -> String {
    "(" + sizes.map { "\($0)," }.joined(separator: " ") + ")"
  }

  private func write(
    _ name: String, _ type: String, _ shape: [Int], _ values: [UInt8], version: UInt8 = 1
  ) throws {
    try folder.write(name, NPYFile.npy(type, Self.shape(shape), values, version: version))
  }

  /// Whole files of the workload, other numbers than those that would be drawn.
  private func writeAll() throws {
    var stream = RandomStream(seed: 9, .test)
    let x = (0..<4 * 3 * 784).map { _ in Float(stream.normal()) }
    try write("x.npy", "<f4", [4, 3, 784], Self.bytes(x))
    try write("y.npy", "<i8", [4, 3], Self.bytes((0..<12).map { $0 % 10 }))
    try write("cohorts.npy", "<i4", [2, 2], Self.bytes([3, 0, 1, 2], size: 4))
    try writeWeights(["dense0.w", "dense0.b"])
  }

  private func writeWeights(_ names: [String]) throws {
    var stream = RandomStream(seed: 8, .test)
    let w = (0..<7840).map { _ in Float(0.1 * stream.normal()) }
    let file = Safetensors(items: [
      .init(name: names[0], shape: [10, 784], values: w),
      .init(name: names[1], shape: [10], values: [Float](repeating: 0.5, count: 10)),
    ])
    try folder.write("weights.safetensors", file.encoded())
    try write("flat.npy", "<f4", [7850], Self.bytes(w + [Float](repeating: 0.5, count: 10)))
  }

  private var files: WorkloadFiles { WorkloadFiles(folder: folder.path) }

  private func inputs(_ files: WorkloadFiles, rounds: Int = 2) throws -> WorkloadInputs {
    try WorkloadInputs(
      workload, try workload.network(), files: files, rounds: rounds, seed: 1,
      pool: WorkerPool(workers: 1))
  }

  @Test("files are taken as they are, whatever the names of the weights")
  func read() throws {
    try writeAll()
    let given = try inputs(files)
    #expect(given.cohorts == [[0, 3], [1, 2]])
    #expect(given.images.labels == (0..<12).map { Int32($0 % 10) })
    guard case .floats(let pixels) = given.images.pixels else { return }
    var stream = RandomStream(seed: 9, .test)
    #expect(pixels == (0..<4 * 3 * 784).map { _ in Float(stream.normal()) })
    let byPlace = given.initial
    #expect(byPlace.suffix(10).allSatisfy { $0 == 0.5 })
    try writeWeights(["fc.weight", "fc.bias"])
    #expect(try inputs(files).initial == byPlace)
    var flat = files
    flat.weights = folder.at("flat.npy")
    #expect(try inputs(flat).initial == byPlace)
    #expect(try WorkloadResult(workload, settings(flat)).firstUpdate.contains { $0 != 0 })
  }

  private func settings(_ files: WorkloadFiles) -> BenchmarkSettings {
    var settings = WorkloadTests.settings(rounds: 2)
    settings.files = files
    return settings
  }

  @Test("names by kind and place cover every tensor of the models once")
  func names() throws {
    for workload in Workload.all {
      let layout = try workload.network().layout
      let names = layout.callOrderNames
      #expect(Set(names).count == layout.entries.count)
    }
    let cnn = try #require(Workload.named("w1")).network().layout
    #expect(
      cnn.callOrderNames == [
        "conv0.w", "conv0.b", "conv1.w", "conv1.b", "dense2.w", "dense2.b", "dense3.w", "dense3.b",
      ])
    let resnet = try #require(Workload.named("w2")).network().layout
    let names = resnet.callOrderNames
    #expect(names.prefix(3) == ["conv0.w", "gn0.w", "gn0.b"])
    #expect(names.suffix(2) == ["dense9.w", "dense9.b"])
    // A shortcut comes after the two convolutions that it goes around.
    let shortcut = try #require(names.firstIndex(of: "conv5.w"))
    #expect(resnet.entries[shortcut].name == "layer2.0.downsample.0.weight")
  }

  @Test("a flat vector in call order is placed as the tensors are")
  func flat() throws {
    let layout = try #require(Workload.named("w2")).network().layout
    let vector = layout.initialParameters(.pytorch, seed: 4)
    let flat = layout.entries.flatMap { layout.exported($0, from: vector) }
    #expect(layout.parameters(inCallOrder: flat) == vector)
  }

  @Test("a wrong file is refused with its name and a code")
  func wrong() throws {
    func refused(
      _ name: String, _ code: String, _ words: [String], _ type: String, _ shape: [Int],
      _ values: [UInt8]
    ) throws {
      try writeAll()
      try write(name, type, shape, values)
      expectDataFailure(code, [name] + words) { _ = try inputs(files) }
    }
    let x = [UInt8](repeating: 0, count: 4 * 3 * 784 * 4)
    try refused("x.npy", "E4005", ["[4, 3, 784]"], "<f4", [3, 4, 784], x)
    try refused("x.npy", "E4005", ["--clients"], "<f4", [], [0, 0, 0, 0])
    try refused("x.npy", "E4008", ["float32"], "<f8", [4, 3, 784], x + x)
    try refused("x.npy", "E4003", ["bytes"], "<f4", [4, 3, 784], Array(x.dropLast()))
    try refused("x.npy", "E4003", ["bytes"], "<f4", [4, 3, 784], x + [0])
    try refused(
      "x.npy", "E4009", ["value 1"], "<f4", [4, 3, 784],
      [0, 0, 0, 0, 0, 0, 0xC0, 0x7F] + x.dropLast(8))
    try refused(
      "y.npy", "E4005", ["[4, 3]"], "<i8", [12], Self.bytes([Int](repeating: 0, count: 12)))
    try refused("y.npy", "E4008", ["whole"], "<f4", [4, 3], [UInt8](repeating: 0, count: 48))
    try refused(
      "y.npy", "E4004", ["label 0 is 10"], "|u1", [4, 3], [10] + [UInt8](repeating: 0, count: 11))
    try refused("cohorts.npy", "E4005", ["[rounds, 2]"], "|u1", [4], [0, 1, 2, 3])
    try refused("cohorts.npy", "E4005", ["1 cohorts for 2 rounds"], "|u1", [1, 2], [0, 1])
    try refused("cohorts.npy", "E4005", ["row 1"], "|u1", [2, 2], [0, 1, 2, 2])
    try refused("cohorts.npy", "E4005", ["row 0"], "|u1", [2, 2], [0, 4, 2, 3])
    try refused("weights.safetensors", "E4005", ["[7850]"], "<f4", [2], Self.bytes([Float(1), 2]))
  }

  @Test("broken bytes never trap")
  func broken() throws {
    try writeAll()
    for name in ["x.npy", "y.npy", "cohorts.npy", "weights.safetensors"] {
      try removeFile(folder.at(name))
      expectDataFailure("E4001", [name]) { _ = try inputs(files) }
      try folder.makeFolder(name)
      expectDataFailure("E4002", [name]) { _ = try inputs(files) }
      try removeFile(folder.at(name))
      let heads: [[UInt8]] = [
        [], [1, 2, 3], [0x93], Array("\u{93}NUMPY".utf8), [UInt8](repeating: 0xFF, count: 64),
        [0x93] + Array("NUMPY".utf8) + [2, 0, 0xFF, 0xFF, 0xFF, 0xFF],
        NPYFile.file("{'descr': '<f4'", []), NPYFile.npy("<f4", "(9223372036854775807, 9, 9)", [0]),
      ]
      for bytes in heads {
        try folder.write(name, bytes)
        let failure = #expect(throws: Failure.self, "\(name): \(bytes)") { _ = try inputs(files) }
        #expect(failure?.exit == .dataMissingOrCorrupt)
      }
      try writeAll()
    }
    try writeWeights(["dense0.w", "dense0.c"])
    expectDataFailure("E4080", ["dense0.c"]) { _ = try inputs(files) }
  }

  @Test("numbers that overflow end with exit 5 and not with a trap")
  func diverged() throws {
    try writeAll()
    let x = [Float](repeating: 3e38, count: 4 * 3 * 784)
    try write("x.npy", "<f4", [4, 3, 784], Self.bytes(x))
    expectFailure(.diverged, "E5001", ["w3lr"]) {
      _ = try WorkloadResult(workload, settings(files))
    }
  }
}
