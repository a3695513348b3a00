import Base
import Records
import Report
import Studies

/// Shows each measurement as soon as it is there: a line of JSON, or a row of a table.
struct BenchPrinter {
  let format: OutputFormat
  /// What stands above the row that was printed last.
  private var headings: [Heading] = []
  private var limits: [SpeedLimits] = []

  init(format: OutputFormat) { self.format = format }

  // MARK: - Measurements

  mutating func show(_ measured: SpeedLimits) {
    limits.append(measured)
    show(
      measured, measured.json,
      [
        .words("limits", room: 8) { "\($0.threads) thr" },
        number("FMA GFLOP/s", 1) { $0.multiplyAdd }, number("read GB/s", 1) { $0.read },
        number("copy GB/s", 1) { $0.copy }, number("triad GB/s", 1) { $0.triad },
      ])
  }

  mutating func show(_ result: WorkloadResult) {
    let known = limits.first { $0.threads == result.settings.threads }
    show(
      result, result.json(limits: known),
      [
        .words("workload", room: 8) { Self.name(of: $0.workload) },
        number("s/round", 4, room: 9) { $0.secondsPerRound },
        number("min", 4, room: 9) { $0.laps.map(\.seconds).min() },
        number("max", 4, room: 9) { $0.laps.map(\.seconds).max() },
        number("GFLOP/s", 1, room: 8) { $0.gigaflops },
        share("of FMA", room: 6) { result in known.map { result.gigaflops / $0.multiplyAdd } },
        number("us/client", 1, room: 10) { $0.secondsPerRound / Double($0.workload.cohort) * 1e6 },
        number("CPUs", 2, room: 5) { $0.cpus }, number("noise", 2) { $0.noise },
        number("peak MiB", 0) { $0.peakMebibytes }, number("update", 6, room: 9) { $0.updateNorm },
      ])
  }

  /// What privacy costs: the ratio of seconds per round.
  mutating func showRatio(_ protected: WorkloadResult, _ plain: WorkloadResult) {
    let ratio = protected.secondsPerRound / plain.secondsPerRound
    guard format == .text else {
      let line: JSON = [
        "peer": "fedsim", "workload": .string(protected.workload.name), "variant": "ratio",
        "private_over_plain": .number((ratio * 1000).rounded() / 1000),
      ]
      return Console.print(line.compact)
    }
    Console.print("private / plain: \(NumberText.fixed(ratio, 3))")
  }

  /// "w4 plain" for work without the privacy that its name has.
  private static func name(of workload: Workload) -> String {
    let isPlain =
      workload.noiseMultiplier == nil && Workload.named(workload.name)?.noiseMultiplier != nil
    return isPlain ? workload.name + " plain" : workload.name
  }

  mutating func show(_ result: MeanSpeed) {
    show(
      result, result.json,
      [
        .words("workload", room: 8) { _ in "w5" },
        number("s/mean", 4, room: 9) { Metrics.median($0.laps.map(\.seconds)) },
        number("GB/s", 2, room: 9) { $0.gigabytesPerSecond }, number("read GB/s", 2) { $0.read },
        share("of read", room: 8) { $0.gigabytesPerSecond / $0.read },
        number("noise", 2, room: 6) { Metrics.median($0.laps.map(\.noise)) },
        number("peak MiB", 0, room: 10) { $0.peakMebibytes },
        Column("result") { .text($0.isRight ? "right" : "WRONG") },
      ])
  }

  mutating func show(_ row: LayerSpeed) {
    show(
      row, row.json(limits: limits.first { $0.threads == 1 }),
      [
        .words("model", room: 8) { $0.model }, .words("layer", room: 28) { $0.layer },
        Column("batch") { .count($0.batch) }, number("forward", 1, room: 8) { $0.forwardSpeed },
        number("input grad", 1) { $0.inputGradient == nil ? nil : $0.inputSpeed },
        number("weight grad", 1) { $0.weightSpeed }, number("all GFLOP/s", 1) { $0.speed },
      ])
  }

  mutating func show(_ row: CodecSpeed) {
    if format == .text, headings.first?.title != "codec" {
      let step = row.step
      Console.print(
        "\(row.values) values, one thread; one step: \(step.batch) samples of \(step.workload) "
          + "(\(step.model)), \(NumberText.fixed(step.seconds, 3)) s")
    }
    show(
      row, row.json,
      [
        .words("codec", room: 15) { $0.codec },
        number("frame MB", 3) { Double($0.frameBytes) / 1e6 },
        number("ratio", 1, room: 7) { $0.ratio }, number("encode GB/s", 2) { $0.encodeSpeed },
        number("decode GB/s", 2) { $0.decodeSpeed }, share("of a step") { $0.shareOfStep },
        number("error", 4, room: 7) { $0.error },
      ])
  }

  /// Something that could not be measured.
  mutating func skip(_ workload: String, _ failure: Failure) {
    switch format {
    case .json:
      let line: JSON = [
        "peer": "fedsim", "workload": .string(workload), "skipped": .string(failure.message),
      ]
      Console.print(line.compact)
    case .text: Console.print("\(workload) skipped: \(failure.message)")
    }
  }

  // MARK: - Output

  /// A row, below headings where the row before had others.
  private mutating func show<Row>(_ row: Row, _ json: JSON, _ columns: [Column<Row>]) {
    guard format == .text else { return Console.print(json.compact) }
    let table = Table(of: [row], columns: columns)
    let lines = table.lines(.whole)
    let isFirst = table.headings != headings
    if isFirst, !headings.isEmpty { Console.print("") }
    headings = table.headings
    Console.print((isFirst ? lines : lines.suffix(1)).joined(separator: "\n"))
  }

  private func number<Row>(
    _ title: String, _ decimals: Int, room: Int = 0, _ value: @escaping (Row) -> Double?
  ) -> Column<Row> { Column(title, room: room) { .number(value($0), decimals) } }

  private func share<Row>(_ title: String, room: Int = 0, _ value: @escaping (Row) -> Double?)
    -> Column<Row>
  { Column(title, room: room) { .number(value($0)) { NumberText.percent($0, 1) + " %" } } }
}
