/// Where a random stream is: what it is for, whose it is, and which use of it this is.
///
/// A round asks for numbers of one purpose in several places: a client trains, is fine-tuned for an
/// evaluation, learns from public images. Each of them is a ``Phase`` with a stretch of counters to
/// itself, and `step` counts within it; so no two places can draw the same numbers, and what a step
/// may be is checked. The numbers are part of the results: never change them, only add phases.
///
/// | phase | first counter | steps | purposes |
/// |---|---|---|---|
/// | `plain` | 0 | any; below 2³² for the audit | all others than below |
/// | `exchange(n)`, n < 2⁴; `training` is `exchange(0)` | n·2³⁶ | 2³⁰ for n = 0, else 2³⁶ | work |
/// | `start(n)`, n < 2²⁴ | n·2³⁶ | 2³⁰ for n = 0, else 2³⁶ | work |
/// | `transfer` | 2³⁰ | 2³⁰ | work |
/// | `evaluation` | 2³² | 2³¹ | work |
/// | `projection` | 2³² + 2³¹ | 2³¹ | work |
/// | `server(exchange: n)`, n < 2⁴ | 2³³ + n·2²⁴ | 2²⁴ | work |
/// | `selection` | 2³⁴ | 2³⁴ | work |
/// | `publicSet(part: p)`, p < 2¹⁹ | (p + 1)·2⁴⁰ | 2⁴⁰ | work |
/// | `clientNoise(exchange: n, block: b)`, n < 2²⁰, b < 2²⁰ | 2⁶⁰ + n·2²⁰ + b | 1 | `dpNoise` |
/// | `download(n, block: b)`, n < 2²⁰, b < 2²⁰ | n·2²⁰ + b | 1 | `compression` |
/// | `upload(n, block: b)`, n < 2²⁰, b < 2²⁰ | 2⁴⁰ + n·2²⁰ + b | 1 | `compression` |
/// | `gradientNoise` | 2³² | 2³² | `audit` |
/// | `inversion` | 2³³ | 2³² | `audit` |
///
/// Purposes of work are those that a device in training draws for: `batchOrder`, `augmentation`,
/// `dropout`, `dpSampling` and `dpNoise`.
///
/// A round is synchronous, and then a client works once in each `exchange`, or asynchronous, and
/// then it works once at each `start`: the two number the same thing. Only synchronous rounds have
/// a public set, whose counters are those of starts 16, 32 and so on.
public struct StreamAddress: Hashable, Sendable {
  /// The run's seed.
  public var seed: UInt64
  /// What the numbers are used for.
  public var purpose: Purpose
  /// The round; 0 where it has no meaning.
  public var round: Int
  /// The client, K for the server; 0 where it has no meaning.
  public var client: Int
  /// Which stretch of counters.
  public var phase: Phase
  /// The place within the phase, from 0.
  public var step: Int

  /// An address; fields that have no meaning for a purpose stay 0.
  public init(
    seed: UInt64, _ purpose: Purpose, round: Int = 0, client: Int = 0, phase: Phase, step: Int = 0
  ) {
    self.seed = seed
    self.purpose = purpose
    self.round = round
    self.client = client
    self.phase = phase
    self.step = step
  }

  /// The phase's first counter and the step in one number.
  ///
  /// The phase must be one for the purpose, and the step below the phase's number of steps.
  public var counter: Int {
    precondition(phase.serves(purpose), "StreamAddress: \(phase) is no phase of \(purpose)")
    // The phases of the audit come after its plain steps.
    let steps = purpose == .audit ? min(phase.steps, 1 << 32) : phase.steps
    precondition(
      step >= 0 && step < steps, "StreamAddress: step \(step) of \(phase); it may be 0 ..< \(steps)"
    )
    return phase.firstCounter + step
  }
}

extension StreamAddress {
  /// A stretch of counters that one use in a round has to itself; the table at ``StreamAddress``
  /// has all numbers.
  public enum Phase: Hashable, Sendable {
    /// Purposes with a single use: the step is the counter.
    case plain
    /// Local work in an exchange of a synchronous round, from 0.
    case exchange(Int)
    /// Local work of a client that was started n times before in an asynchronous round.
    case start(Int)
    /// Training on one's own images before the first round's work.
    case transfer
    /// Fine-tuning for an evaluation.
    case evaluation
    /// Fine-tuning of a projection in front of a frozen head, in turn with `evaluation`.
    case projection
    /// Training at the server, after an exchange of the round.
    case server(exchange: Int)
    /// Fine-tuning for a candidate's loss.
    case selection
    /// Training on public images; `part`: which stretch of it in a round.
    case publicSet(part: Int)
    /// The noise that a client adds to a block of its upload.
    case clientNoise(exchange: Int, block: Int)
    /// The random choices of a codec in a block on its way to clients; the first number is the
    /// exchange of the round, or how often the server has sent something in it before.
    case download(Int, block: Int)
    /// The same for a block on its way to the server; the first number is the exchange of the
    /// round, or how often the client was started in it before.
    case upload(Int, block: Int)
    /// The noise on an audited gradient; the step is an example.
    case gradientNoise
    /// The start of an attack on an audited gradient; the step is an example.
    case inversion

    /// Local work in a round's first exchange.
    public static let training = Phase.exchange(0)

    /// The counter of step 0.
    ///
    /// The phase's own numbers must be in their ranges.
    public var firstCounter: Int {
      switch self {
      case .plain: 0
      case .exchange(let n): checked(n, "exchange", below: 1 << 4) << 36
      case .start(let n): checked(n, "start", below: 1 << 24) << 36
      case .transfer: 1 << 30
      case .evaluation: 1 << 32
      case .projection: 1 << 32 + 1 << 31
      case .server(let n): 1 << 33 + checked(n, "exchange", below: 1 << 4) << 24
      case .selection: 1 << 34
      case .publicSet(let part): (1 + checked(part, "part", below: 1 << 19)) << 40
      case .clientNoise(let n, let block): 1 << 60 + blockCounter(n, block)
      case .download(let n, let block): blockCounter(n, block)
      case .upload(let n, let block): 1 << 40 + blockCounter(n, block)
      case .gradientNoise: 1 << 32
      case .inversion: 2 << 32
      }
    }

    /// How many steps the phase has.
    public var steps: Int {
      switch self {
      case .plain: .max
      case .exchange(let n), .start(let n): n == 0 ? 1 << 30 : 1 << 36
      case .transfer: 1 << 30
      case .evaluation, .projection: 1 << 31
      case .server: 1 << 24
      case .selection: 1 << 34
      case .publicSet: 1 << 40
      case .clientNoise, .download, .upload: 1
      case .gradientNoise, .inversion: 1 << 32
      }
    }

    /// Whether a purpose has this phase.
    public func serves(_ purpose: Purpose) -> Bool {
      switch self {
      case .exchange, .start, .transfer, .evaluation, .projection, .server, .selection, .publicSet:
        Self.isWork(purpose)
      case .clientNoise: purpose == .dpNoise
      case .download, .upload: purpose == .compression
      case .gradientNoise, .inversion: purpose == .audit
      case .plain: !Self.isWork(purpose) && purpose != .compression
      }
    }

    private static func isWork(_ purpose: Purpose) -> Bool {
      switch purpose {
      case .batchOrder, .augmentation, .dropout, .dpSampling, .dpNoise: true
      default: false
      }
    }

    private func blockCounter(_ number: Int, _ block: Int) -> Int {
      checked(number, "number", below: 1 << 20) << 20 + checked(block, "block", below: 1 << 20)
    }

    private func checked(_ number: Int, _ name: String, below limit: Int) -> Int {
      precondition(
        number >= 0 && number < limit,
        "StreamAddress: \(name) \(number) of a phase; it may be 0 ..< \(limit)")
      return number
    }
  }
}

extension RandomStream {
  /// The stream at an address with a phase.
  ///
  /// The address must be in its ranges (``StreamAddress``).
  public init(_ address: StreamAddress) {
    self.init(
      seed: address.seed, address.purpose, round: address.round, client: address.client,
      step: address.counter)
  }
}
