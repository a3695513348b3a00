import Base
import Records
import Studies

/// Shows each measurement as soon as it is there: a line of JSON, or a row of a table.
struct BenchPrinter {
  let format: OutputFormat
  private var table: [Column] = []
  private var limits: [SpeedLimits] = []

  /// A heading and the width of its cells.
  private typealias Column = (title: String, width: Int)

  init(format: OutputFormat) { self.format = format }

  // MARK: - Measurements

  mutating func show(_ measured: SpeedLimits) {
    limits.append(measured)
    show(
      measured.json,
      [
        ("limits", 8, "\(measured.threads) thr"),
        ("FMA GFLOP/s", 11, fixed(measured.multiplyAdd, 1)),
        ("read GB/s", 9, fixed(measured.read, 1)), ("copy GB/s", 9, fixed(measured.copy, 1)),
        ("triad GB/s", 10, fixed(measured.triad, 1)),
      ])
  }

  mutating func show(_ result: WorkloadResult) {
    let known = limits.first { $0.threads == result.settings.threads }
    let seconds = result.laps.map(\.seconds)
    show(
      result.json(limits: known),
      [
        ("workload", 8, name(of: result.workload)),
        ("s/round", 9, fixed(result.secondsPerRound, 4)), ("min", 9, fixed(seconds.min(), 4)),
        ("max", 9, fixed(seconds.max(), 4)), ("GFLOP/s", 8, fixed(result.gigaflops, 1)),
        ("of FMA", 6, percent(known.map { result.gigaflops / $0.multiplyAdd })),
        ("us/client", 10, fixed(result.secondsPerRound / Double(result.workload.cohort) * 1e6, 1)),
        ("CPUs", 5, fixed(result.cpus, 2)), ("noise", 5, fixed(result.noise, 2)),
        ("peak MiB", 8, fixed(result.peakMebibytes, 0)), ("update", 9, fixed(result.updateNorm, 6)),
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
    Console.print("private / plain: \(fixed(ratio, 3))")
  }

  /// "w4 plain" for work without the privacy that its name has.
  private func name(of workload: Workload) -> String {
    let isPlain =
      workload.noiseMultiplier == nil && Workload.named(workload.name)?.noiseMultiplier != nil
    return isPlain ? workload.name + " plain" : workload.name
  }

  mutating func show(_ result: MeanSpeed) {
    show(
      result.json,
      [
        ("workload", 8, "w5"), ("s/mean", 9, fixed(Metrics.median(result.laps.map(\.seconds)), 4)),
        ("GB/s", 9, fixed(result.gigabytesPerSecond, 2)), ("read GB/s", 9, fixed(result.read, 2)),
        ("of read", 8, percent(result.gigabytesPerSecond / result.read)),
        ("noise", 6, fixed(Metrics.median(result.laps.map(\.noise)), 2)),
        ("peak MiB", 10, fixed(result.peakMebibytes, 0)),
        ("result", 6, result.isRight ? "right" : "WRONG"),
      ])
  }

  mutating func show(_ row: LayerSpeed) {
    show(
      row.json(limits: limits.first { $0.threads == 1 }),
      [
        ("model", 8, row.model), ("layer", 28, row.layer), ("batch", 5, "\(row.batch)"),
        ("forward", 8, fixed(row.forwardSpeed, 1)),
        ("input grad", 10, row.inputGradient == nil ? "-" : fixed(row.inputSpeed, 1)),
        ("weight grad", 11, fixed(row.weightSpeed, 1)), ("all GFLOP/s", 11, fixed(row.speed, 1)),
      ])
  }

  mutating func show(_ row: CodecSpeed) {
    if format == .text, table.isEmpty || table[0].title != "codec" {
      let step = row.step
      Console.print(
        "\(row.values) values, one thread; one step: \(step.batch) samples of \(step.workload) "
          + "(\(step.model)), \(fixed(step.seconds, 3)) s")
    }
    show(
      row.json,
      [
        ("codec", 15, row.codec), ("frame MB", 8, fixed(Double(row.frameBytes) / 1e6, 3)),
        ("ratio", 7, fixed(row.ratio, 1)), ("encode GB/s", 11, fixed(row.encodeSpeed, 2)),
        ("decode GB/s", 11, fixed(row.decodeSpeed, 2)), ("of a step", 9, percent(row.shareOfStep)),
        ("error", 7, fixed(row.error, 4)),
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

  private mutating func show(_ json: JSON, _ cells: [(title: String, width: Int, text: String)]) {
    guard format == .text else { return Console.print(json.compact) }
    let columns = cells.map { ($0.title, $0.width) }
    if !table.elementsEqual(columns, by: ==) {
      if !table.isEmpty { Console.print("") }
      table = columns
      Console.print(line(cells.map { ($0.width, $0.title) }))
      Console.print(line(cells.map { ($0.width, String(repeating: "-", count: $0.width)) }))
    }
    Console.print(line(cells.map { ($0.width, $0.text) }))
  }

  /// Words to the left, numbers to the right: the first cell, and those wider than a number.
  private func line(_ cells: [(width: Int, text: String)]) -> String {
    cells.enumerated().map { place, cell in
      let gap = String(repeating: " ", count: max(0, cell.width - cell.text.count))
      return place == 0 || cell.width > 20 ? cell.text + gap : gap + cell.text
    }.joined(separator: "  ")
  }

  private func fixed(_ value: Double?, _ decimals: Int) -> String {
    NumberText.fixed(value, decimals)
  }

  private func percent(_ share: Double?) -> String {
    share == nil ? "-" : NumberText.percent(share, 1) + " %"
  }
}
