import Base
import Codecs
import Studies
import Tensor
import Testing

@Suite("Speed of codecs")
struct CodecSpeedTests {
  @Test("every codec is measured on a whole model, with the bytes and the error that it must have")
  func all() throws {
    var settings = BenchmarkSettings()
    settings.rounds = 1
    settings.warmup = 0
    var workload = try WorkloadTests.small("w3lr")
    workload.samples = 1000
    var rows: [CodecSpeed] = []
    try CodecSpeed.measure(settings, of: workload) { rows.append($0) }
    #expect(rows.map(\.codec) == CodecSpeed.codecs.map(\.title))
    // 784 · 10 weights and 10 biases.
    #expect(rows.allSatisfy { $0.values == 7850 && $0.encode > 0 && $0.decode > 0 })
    // One step of one batch, whatever the workload's samples are.
    #expect(rows.allSatisfy { $0.step.batch == workload.batch && $0.step.seconds > 0 })
    func row(_ title: String) throws -> CodecSpeed {
      try #require(rows.first { $0.codec == title })
    }
    let plain = try row("float32")
    #expect(plain.error == 0)
    // Head and checksum 7, and for each tensor codec, flags and its size.
    #expect(plain.frameBytes == 4 * 7850 + 7 + 4 + 3)
    #expect(abs(plain.ratio - 31400 / 31414.0) < 1e-12)
    #expect(plain.shareOfStep == (plain.encode + plain.decode) / plain.step.seconds)
    #expect(plain.encodeSpeed == 31400 / plain.encode / 1e9)
    // Signs: an eighth of a byte each, and x − E|x|·sign x of normal numbers is √(1 − 2/π) long.
    #expect(abs(try row("sign").ratio - 32) < 1)
    #expect(abs(try row("sign").error - 0.6028) < 0.02)
    #expect(try row("int8").error < 0.02)
    #expect(try row("float16").error < 1e-3)
    #expect(try row("int8").json["share_of_step"]?.double != nil)
  }

  @Test("a convolution's factors are those of all its inputs by all its outputs")
  func kernels()
    throws
  {
    var settings = BenchmarkSettings()
    settings.rounds = 1
    settings.warmup = 0
    let workload = try WorkloadTests.small("w2")
    let rank = LowRankCodec(rank: 4)
    var rows: [CodecSpeed] = []
    try CodecSpeed.measure(settings, of: workload, codecs: [("rank 4", .lowRank(rank))]) {
      rows.append($0)
    }
    // r(n + m) floats for n inputs and m outputs, or all of them where that is not less; heads of
    // few bytes.
    var least = 0
    var heads = 7
    for entry in try workload.network().layout.entries {
      let (m, n) = (entry.shape[0], entry.shape.dropFirst().reduce(1, *))
      let isMatrix = entry.shape.count > 1
      least += isMatrix ? min(4 * 4 * (n + m), 4 * n * m) : 4 * m
      heads += 16
    }
    let bytes = try #require(rows.first).frameBytes
    #expect((least...least + heads).contains(bytes), "\(bytes), at least \(least)")
    #expect(try #require(rows.first).ratio > 4)
  }

  @Test("the usual workload is the largest ResNet")
  func usual() throws {
    let network = try #require(Workload.named(CodecSpeed.usual)).network()
    #expect(network.layout.count == 11_173_962)
    for workload in Workload.all {
      #expect(try workload.network().layout.count <= network.layout.count)
    }
  }
}
