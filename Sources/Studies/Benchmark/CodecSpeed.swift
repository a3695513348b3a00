import Aggregation
import Base
import Codecs
import Federation
import Records
import Tensor

/// Speed of one codec on an update of a whole model, on one thread, beside a training step of that
/// model.
package struct CodecSpeed: Sendable {
  /// Such as "int8" or "top 1 % rice".
  package let codec: String
  /// Values of the update.
  package let values: Int
  package let frameBytes: Int
  /// Median seconds to encode.
  package let encode: Double
  /// Median seconds to decode.
  package let decode: Double
  /// ‖x̂ − x‖₂ / ‖x‖₂ of the update x and what came out.
  package let error: Double
  /// What a step of training takes.
  package let step: TrainingStep

  /// One step of plain SGD, and what it trains.
  package struct TrainingStep: Sendable {
    /// The workload whose network it is, such as "w2r18".
    package let workload: String
    /// The network.
    package let model: String
    /// Examples of the step.
    package let batch: Int
    /// Median seconds.
    package let seconds: Double
  }

  /// 10⁹ bytes of the plain vector per second.
  package var encodeSpeed: Double { 4 * Double(values) / encode / 1e9 }
  /// 10⁹ bytes of the plain vector per second.
  package var decodeSpeed: Double { 4 * Double(values) / decode / 1e9 }
  /// Bytes of the plain vector per byte of the frame.
  package var ratio: Double { 4 * Double(values) / Double(frameBytes) }
  /// Time of encoding and decoding one update per time of a training step.
  package var shareOfStep: Double { (encode + decode) / step.seconds }

  /// The workload whose network gives the tensors: the largest ResNet, 11,173,962 values.
  package static let usual = "w2r18"

  /// What is measured, in order.
  package static let codecs: [(title: String, spec: CodecSpec)] = [
    ("float32", .dense(.float32)), ("float16", .dense(.float16)), ("bfloat16", .dense(.bfloat16)),
    ("top 1 % rice", .sparse(SparseCodec(.top(.density(0.01))))),
    ("top 1 % int8", .sparse(SparseCodec(.top(.density(0.01)), values: .int8))),
    ("top 10 % bitmap", .sparse(SparseCodec(.top(.density(0.1)), indices: .bitmap))),
    ("top 1 % blocks", .sparse(SparseCodec(.topBlocks(.density(0.01), length: 64)))),
    ("random 1 %", .randomK(RandomKCodec(.density(0.01)))), ("int8", .integer(IntegerCodec())),
    ("int8 entropy", .integer(IntegerCodec(isEntropyCoded: true))),
    ("int4", .integer(IntegerCodec(bits: 4))), ("qsgd 127", .qsgd(QSGDCodec(levels: 127))),
    ("qsgd 4 entropy", .qsgd(QSGDCodec(levels: 4, coding: .entropy))),
    ("qsgd 1 elias", .qsgd(QSGDCodec(levels: 1, bucket: 8192, coding: .elias))),
    ("natural", .natural(NaturalCodec())),
    ("natural entropy", .natural(NaturalCodec(isEntropyCoded: true))), ("sign", .sign(SignCodec())),
    ("ternary", .ternary(TernaryCodec())),
    ("ternary entropy", .ternary(TernaryCodec(isEntropyCoded: true))),
    ("rank 4", .lowRank(LowRankCodec(rank: 4))),
  ]

  /// Measures a training step, then every codec; `report` gets each when it is measured.
  ///
  /// The update is normally distributed, tensor by tensor with a deviation of 0.01 / √(fan in), as
  /// far apart as initial weights. Every tensor is encoded on its own, kernels as matrices of all
  /// their inputs by all their outputs.
  ///
  /// `settings`: rounds and warm-up are repetitions here; everything runs on one thread.
  ///
  /// - Throws: exit 2 when memory cannot hold it; exit 1 for a codec that fails on its own frame.
  package static func measure(
    _ settings: BenchmarkSettings, of workload: Workload? = Workload.named(usual),
    codecs: [(title: String, spec: CodecSpec)] = codecs, _ report: (CodecSpeed) -> Void
  ) throws(Failure) {
    guard var workload else { throw Failure(.internalError, "E1000", "no workload \(usual)") }
    workload.clients = 1
    workload.cohort = 1
    workload.samples = workload.batch
    let network = try workload.network()
    // The vector, its frame, what is decoded, and a codec's own copies.
    let bytes = 4 * network.layout.count * 8
    try Workload.require(bytes, available: LoadMeter.availableBytes, for: "codecs")
    var single = settings
    single.threads = 1
    single.files = WorkloadFiles()
    let step = TrainingStep(
      workload: workload.name, model: workload.title, batch: workload.batch,
      seconds: try WorkloadResult(workload, single).secondsPerRound)
    let entries = network.layout.entries.sorted { $0.range.lowerBound < $1.range.lowerBound }
    let update = normal(entries, seed: settings.seed)
    for (title, spec) in codecs {
      do throws(CodecError) {
        let plan = try CodecPlan(shapes: entries.map { BlockPlanner.matrix($0.shape) }, codec: spec)
        report(try measure(title, plan, update, single, step))
      } catch { throw Failure(.internalError, "E1000", "codec \(title): \(error)") }
    }
  }

  private static func measure(
    _ title: String, _ plan: CodecPlan, _ update: [Float], _ settings: BenchmarkSettings,
    _ step: TrainingStep
  ) throws(CodecError) -> CodecSpeed {
    var encodes: [Double] = []
    var decodes: [Double] = []
    var frame: [UInt8] = []
    var decoded: [Float] = []
    for repetition in 0..<settings.warmup + settings.rounds {
      var stream = RandomStream(seed: settings.seed, .compression, round: repetition)
      let start = LoadMeter.now
      frame = try plan.encode(update, stream: &stream)
      let middle = LoadMeter.now
      decoded = try plan.decode(frame)
      let end = LoadMeter.now
      guard repetition >= settings.warmup else { continue }
      encodes.append(middle - start)
      decodes.append(end - middle)
    }
    return CodecSpeed(
      codec: title, values: update.count, frameBytes: frame.count, encode: Metrics.median(encodes),
      decode: Metrics.median(decodes),
      error: VectorArithmetic.norm(VectorArithmetic.difference(decoded.span, update.span).span)
        / VectorArithmetic.norm(update.span), step: step)
  }

  private static func normal(_ entries: [ParameterLayout.Entry], seed: UInt64) -> [Float] {
    var stream = RandomStream(seed: seed, .syntheticData)
    var update: [Float] = []
    update.reserveCapacity(entries.last?.range.upperBound ?? 0)
    for entry in entries {
      let scale = 0.01 / Double(max(1, entry.fanIn)).squareRoot()
      for _ in entry.range { update.append(Float(scale * stream.normal())) }
    }
    return update
  }

  /// One line of JSON.
  package var json: JSON {
    [
      "peer": "fedsim", "workload": "codecs", "codec": .string(codec), "values": .int(values),
      "frame_bytes": .int(frameBytes), "ratio": .rounded(ratio, 2), "encode_s": .rounded(encode, 5),
      "decode_s": .rounded(decode, 5), "encode_gb_s": .rounded(encodeSpeed, 3),
      "decode_gb_s": .rounded(decodeSpeed, 3), "relative_error": .rounded(error, 5),
      "share_of_step": .rounded(shareOfStep, 5), "step_model": .string(step.workload),
      "step_batch": .int(step.batch), "step_s": .rounded(step.seconds, 5), "threads": 1,
      "versions": .string(MachineFacts.current.buildTitle),
    ]
  }
}
