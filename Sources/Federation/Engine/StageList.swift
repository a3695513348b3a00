import Aggregation
import Scenario

/// The message stages of a run, in the order in which an upload passes through them.
///
///     strengths → example privacy → clip and codec, in the order that protects → sums → more →
///     selection → bytes → clock → server
///
/// Where the server adds the noise, its clip is the last that looks at data, so the codec comes
/// before it; where clients add it, the noise comes first and encoding is free.
struct StageList {
  private(set) var all: [any MessageStage] = []
  let ledger: LedgerStage
  private(set) var clock: ClockStage?
  private(set) var privacy: (any PrivacyStage)?
  /// What is measured in place of the generic model.
  private(set) var average: ModelAverage?
  /// Who waits for whom.
  private(set) var rounds: any RoundScheduler = SynchronousRounds()

  init(_ run: StageContext, adding more: [any MessageStage]) {
    ledger = LedgerStage(run)
    let compression = run.context.compression
    let memory = CompressionMemory()
    let codec: [any MessageStage] = compression.map { [CodecStage($0, memory, run)] } ?? []
    if let compression, compression.settings.uplink?.layerwise != nil {
      all.append(StrengthStage(compression, memory, run))
    }
    let settings = run.context.privacy
    switch settings?.settings.unit {
    case .example(let mechanism): privacy = settings.map { ExamplePrivacyStage($0, mechanism, run) }
    case .client(let mechanism): privacy = settings.map { ClientPrivacyStage($0, mechanism, run) }
    case nil: break
    }
    let protection: [any MessageStage] = privacy.map { [$0] } ?? []
    let clipsLast = settings?.settings.clientLevel?.placement == .server
    all += clipsLast ? codec + protection : protection + codec
    if let compression, compression.settings.uplink?.sumsFirst ?? false {
      all.append(SumStage(compression, memory, run))
    }
    all += more
    if let stage = SelectionStage(run, ledger) { all.append(stage) }
    all.append(ledger)
    if let stage = ClockStage(run, ledger) {
      clock = stage
      all.append(stage)
      if case .buffered(let size) = run.method.schedule {
        let comingAndGoing = AsynchronousRounds(buffer: size, stage)
        rounds = comingAndGoing
        all.append(comingAndGoing)
      }
    }
    if let stage = ModelAverage(run) {
      average = stage
      all.append(stage)
    }
  }
}
