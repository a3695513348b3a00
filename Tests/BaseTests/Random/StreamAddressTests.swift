import Base
import Testing

/// What phases mean as counters, and that none is in another one's way.
@Suite("Addresses of random streams")
struct StreamAddressTests {
  typealias Phase = StreamAddress.Phase

  /// A phase's counters next to the formula that recorded results were made with.
  struct Formula {
    let phase: Phase
    let first: Int
  }

  /// Phases with numbers in their ranges, the ends among them.
  struct Draw {
    var stream: RandomStream

    mutating func below(_ limit: Int) -> Int {
      switch stream.below(8) {
      case 0: 0
      case 1: min(1, limit - 1)
      case 2: limit - 1
      default: stream.below(limit)
      }
    }

    /// Of training in a synchronous round, with noise.
    mutating func synchronous() -> Formula {
      let (n, part) = (below(1 << 4), below(1 << 19))
      switch stream.below(4) {
      case 0: return Formula(phase: .exchange(n), first: n << 36)
      case 1: return Formula(phase: .publicSet(part: part), first: (1 + part) * (1 << 40))
      case 2: return Formula(phase: .server(exchange: n), first: 1 << 33 + n << 24)
      default: return single()
      }
    }

    /// Of training in an asynchronous round, with noise.
    mutating func asynchronous() -> Formula {
      let n = below(1 << 24)
      return stream.below(2) == 0 ? Formula(phase: .start(n), first: n << 36) : single()
    }

    mutating func single() -> Formula {
      let (n, block) = (below(1 << 20), below(1 << 20))
      let all = [
        Formula(phase: .transfer, first: 1 << 30), Formula(phase: .evaluation, first: 1 << 32),
        Formula(phase: .projection, first: 1 << 32 + 1 << 31),
        Formula(phase: .selection, first: 1 << 34),
        Formula(phase: .clientNoise(exchange: n, block: block), first: 1 << 60 + n << 20 + block),
      ]
      return all[stream.below(all.count)]
    }

    mutating func message() -> Formula {
      let (n, block) = (below(1 << 20), below(1 << 20))
      return stream.below(2) == 0
        ? Formula(phase: .upload(n, block: block), first: 1 << 40 + n << 20 + block)
        : Formula(phase: .download(n, block: block), first: n << 20 + block)
    }
  }

  /// Two phases are one, or share no counter.
  private func expectApart(_ one: Formula, _ other: Formula) {
    #expect(one.phase.firstCounter == one.first, "\(one.phase)")
    guard one.phase != other.phase else { return }
    let (a, b) = (one.first, other.first)
    #expect(
      a + one.phase.steps <= b || b + other.phase.steps <= a, "\(one.phase) and \(other.phase)")
  }

  @Test("Phases of a round have the recorded counters and share none")
  func apart() {
    var draw = Draw(stream: RandomStream(seed: 31, .test))
    for _ in 0..<20_000 {
      expectApart(draw.synchronous(), draw.synchronous())
      expectApart(draw.asynchronous(), draw.asynchronous())
      expectApart(draw.message(), draw.message())
    }
    let audit = [
      Formula(phase: .gradientNoise, first: 1 << 32), Formula(phase: .inversion, first: 2 << 32),
    ]
    for one in audit { for other in audit { expectApart(one, other) } }
  }

  @Test("Exchanges and starts number the same thing; the first is training")
  func exchangesAndStarts() {
    for n in 0..<16 {
      #expect(Phase.exchange(n).firstCounter == Phase.start(n).firstCounter)
      #expect(Phase.exchange(n).steps == Phase.start(n).steps)
    }
    #expect(Phase.training.firstCounter == 0)
  }

  @Test("An address is the stream of its purpose, round and client at phase + step")
  func streams() {
    var draw = Draw(stream: RandomStream(seed: 32, .test))
    for purpose in [Purpose.batchOrder, .augmentation, .dropout, .dpSampling, .dpNoise] {
      for _ in 0..<200 {
        let formula = draw.synchronous()
        guard formula.phase.serves(purpose) else { continue }
        let step = draw.below(formula.phase.steps)
        let (round, client) = (draw.below(1000), draw.below(1000))
        let address = StreamAddress(
          seed: 7, purpose, round: round, client: client, phase: formula.phase, step: step)
        let counter = formula.first + step
        #expect(
          RandomStream(address).key
            == RandomStream(seed: 7, purpose, round: round, client: client, step: counter).key)
      }
    }
  }

  @Test("Every purpose has the phases that its table says")
  func purposes() {
    let work: Set<Purpose> = [.batchOrder, .augmentation, .dropout, .dpSampling, .dpNoise]
    for purpose in Purpose.allCases {
      for phase in [
        Phase.training, .start(3), .transfer, .evaluation, .projection, .selection,
        .server(exchange: 1), .publicSet(part: 0),
      ] { #expect(phase.serves(purpose) == work.contains(purpose)) }
      #expect(Phase.clientNoise(exchange: 0, block: 0).serves(purpose) == (purpose == .dpNoise))
      for phase in [Phase.upload(0, block: 0), .download(0, block: 0)] {
        #expect(phase.serves(purpose) == (purpose == .compression))
      }
      for phase in [Phase.gradientNoise, .inversion] {
        #expect(phase.serves(purpose) == (purpose == .audit))
      }
    }
  }

  @Test("A step behind its phase stops the program")
  func outOfRange() async {
    await #expect(processExitsWith: .failure) {
      let address = StreamAddress(seed: 1, .batchOrder, phase: .server(exchange: 0), step: 1 << 24)
      _ = address.counter
    }
    await #expect(processExitsWith: .failure) { _ = Phase.exchange(16).firstCounter }
    await #expect(processExitsWith: .failure) {
      _ = StreamAddress(seed: 1, .cohort, phase: .training).counter
    }
    await #expect(processExitsWith: .failure) {
      _ = StreamAddress(seed: 1, .audit, phase: .plain, step: 1 << 32).counter
    }
  }
}
