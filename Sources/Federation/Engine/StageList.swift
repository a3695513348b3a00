import Scenario
import Aggregation

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
  /// Who waits for whom.
  private(set) var rounds: any RoundScheduler = SynchronousRounds()

  init(
    _ method: any Strategy,
    _ arena: Arena,
    _ state: RunState,
    adding more: [any MessageStage]
  ) {
    ledger = LedgerStage(method, arena, state)
    let memory = CompressionMemory()
    let codec = arena.compression.map { CodecStage($0, memory, method, arena, state) }
    if let compression = arena.compression, compression.settings.uplink?.layerwise != nil {
      all.append(StrengthStage(compression, memory, arena, state))
    }
    if let privacy = arena.privacy {
      switch privacy.settings.unit {
      case .example(let mechanism):
        let stage = ExamplePrivacyStage(privacy, mechanism, method, arena, state)
        self.privacy = stage
        all.append(stage)
        if let codec { all.append(codec) }
      case .client(let mechanism):
        let stage = ClientPrivacyStage(privacy, mechanism, method, arena, state)
        self.privacy = stage
        if mechanism.placement == .server {
          if let codec { all.append(codec) }
          all.append(stage)
        } else {
          all.append(stage)
          if let codec { all.append(codec) }
        }
      }
    } else if let codec {
      all.append(codec)
    }
    if let compression = arena.compression, compression.settings.uplink?.sumsFirst ?? false {
      all.append(SumStage(compression, memory, method, arena, state))
    }
    all += more
    if let stage = SelectionStage(method, arena, state, ledger) { all.append(stage) }
    all.append(ledger)
    if let stage = ClockStage(method, arena, state, ledger) {
      clock = stage
      all.append(stage)
      if case .buffered(let size) = method.schedule {
        let comingAndGoing = AsynchronousRounds(buffer: size, stage)
        rounds = comingAndGoing
        all.append(comingAndGoing)
      }
    }
  }
}
