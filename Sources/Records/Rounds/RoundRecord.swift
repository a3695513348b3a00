/// One line of `rounds.jsonl`: what happened in a round, and how good the models are after it.
///
/// A part that is nil has no meaning in this round (for example, it was not evaluated) and is
/// absent from the file; a number that is not finite is written as null and reads back as NaN.
/// All accuracies are shares in [0, 1].
public struct RoundRecord: Sendable, Equatable {
  /// The round, from 1; 0 is the state before training.
  public var round: Int
  /// The clients that took part, ascending.
  public var sampled: [Int]
  /// What went over the network.
  public var bytes: Bytes
  /// The local training; nil when nobody trained.
  public var train: Train?
  /// The generic model on the test set; nil when not evaluated.
  public var generic: Generic?
  /// The clients' own models on their local tests; nil when not evaluated.
  public var personal: Personal?
  /// What privacy cost and did; nil without it.
  public var privacy: Privacy?
  /// What encoding did to uploads; nil where nothing is encoded.
  public var compression: Compression?
  /// Who came and who did not, on the virtual clock; nil without one.
  public var clock: Clock?
  /// What devices drew; nil without their power.
  public var energy: Energy?
  /// What it cost; nil without prices.
  public var cost: Cost?
  /// How long it took; the only part that differs between two equal runs.
  public var time: Time
  /// Hash chain over the global state, hexadecimal.
  public var digest: String

  /// Encoded bytes of all messages of the round.
  public struct Bytes: Sendable, Equatable {
    /// From clients to the server.
    public var up: Int
    /// From the server to clients.
    public var down: Int
    /// In both directions, once, before the first round; counted in that round's record.
    public var setup: Int
    /// What the same messages have as plain tensors; nil where nothing was encoded.
    public var dense: Link?
    /// The fewest bytes that codes knowing all frequencies could take; nil where nothing was
    /// encoded.
    public var entropy: Link?

    /// Bytes in both directions.
    public init(up: Int, down: Int, setup: Int = 0) {
      self.up = up
      self.down = down
      self.setup = setup
    }

    /// Bytes of the two directions.
    public struct Link: Sendable, Equatable {
      /// From clients to the server.
      public var up: Int
      /// From the server to clients.
      public var down: Int

      /// Bytes.
      public init(up: Int, down: Int) {
        self.up = up
        self.down = down
      }
    }
  }

  /// Local training, pooled over the cohort.
  public struct Train: Sendable, Equatable {
    /// Mean training loss per example visited.
    public var loss: Double
    /// Examples visited, counted once per visit.
    public var examples: Int
    /// Optimizer steps of all clients.
    public var steps: Int
    /// Floating-point operations of all clients' passes through networks; nil in records that lack
    /// them.
    public var flops: Double?

    /// Training of one round.
    public init(loss: Double, examples: Int, steps: Int, flops: Double? = nil) {
      self.loss = loss
      self.examples = examples
      self.steps = steps
      self.flops = flops
    }
  }

  /// The generic model on the balanced test set.
  public struct Generic: Sendable, Equatable {
    /// Share of test images classified correctly.
    public var accuracy: Double
    /// Mean cross-entropy.
    public var loss: Double
    /// Mean of the per-class recalls.
    public var balancedAccuracy: Double
    /// Mean of the per-class F1 scores.
    public var macroF1: Double
    /// Recall of each class; NaN for a class without test images.
    public var perClass: [Double]
    /// Groups by cumulative share; nil when all classes are equally frequent.
    public var shots: Shots?
    /// Groups by absolute counts.
    public var shotsAbsolute: Shots?
    /// Expected calibration error in [0, 1], 15 bins of equal width; nil in records that lack it.
    public var ece: Double?

    /// Every measure of a generic model.
    public init(
      accuracy: Double, loss: Double, balancedAccuracy: Double, macroF1: Double, perClass: [Double],
      shots: Shots? = nil, shotsAbsolute: Shots? = nil, ece: Double? = nil
    ) {
      self.ece = ece
      self.accuracy = accuracy
      self.loss = loss
      self.balancedAccuracy = balancedAccuracy
      self.macroF1 = macroF1
      self.perClass = perClass
      self.shots = shots
      self.shotsAbsolute = shotsAbsolute
    }
  }

  /// Mean per-class accuracies of the frequent, middle and rare classes; nil for an empty group.
  public struct Shots: Sendable, Equatable {
    /// The rule that made the groups, in words.
    public var rule: String
    /// Frequent classes.
    public var head: Double?
    /// Classes in between.
    public var middle: Double?
    /// Rare classes.
    public var tail: Double?

    /// Three groups and their rule.
    public init(rule: String, head: Double?, middle: Double?, tail: Double?) {
      self.rule = rule
      self.head = head
      self.middle = middle
      self.tail = tail
    }
  }

  /// What the clients get, each on its own local test.
  public struct Personal: Sendable, Equatable {
    /// Unweighted mean over clients.
    public var accuracy: Double
    /// Which model was tested.
    public var model: Model
    /// How unequal clients fare.
    public var fairness: Fairness
    /// Mean over clients of their own model's accuracy with all classes counting alike, held or
    /// not; nil when not measured.
    public var global: Double?
    /// Per class, the mean over the clients that hold it; NaN for a class that none holds.
    ///
    /// Empty when not measured.
    public var perClass: [Double]
    /// Groups of `perClass` by the pooled training images; nil as for the generic model.
    public var shots: Shots?

    /// The model that a client uses.
    public enum Model: String, Sendable {
      /// The client has a model of its own.
      case own
      /// The client uses the generic model.
      case generic
    }

    /// Personal accuracy of one round.
    public init(
      accuracy: Double, model: Model, fairness: Fairness, global: Double? = nil,
      perClass: [Double] = [], shots: Shots? = nil
    ) {
      self.accuracy = accuracy
      self.model = model
      self.fairness = fairness
      self.global = global
      self.perClass = perClass
      self.shots = shots
    }
  }

  /// How unequal clients fare; each client counts the same.
  public struct Fairness: Sendable, Equatable {
    /// Population standard deviation over clients.
    public var std: Double
    /// 10th percentile over clients.
    public var p10: Double
    /// The worst client.
    public var worst: Double
    /// Mean of the worst tenth of the clients, at least one; nil in records that lack it.
    public var worstDecile: Double?
    /// Share of clients better off than when training alone; nil without that reference.
    public var helped: Double?

    /// Fairness with every entry.
    public init(
      std: Double, p10: Double, worst: Double, worstDecile: Double? = nil, helped: Double? = nil
    ) {
      self.worstDecile = worstDecile
      self.std = std
      self.p10 = p10
      self.worst = worst
      self.helped = helped
    }
  }

  /// Durations in seconds.
  public struct Time: Sendable, Equatable {
    /// Of this machine.
    public var wall: Double
    /// Of the simulated federation; nil when it has no clock.
    public var virtual: Double?

    /// Durations of a round.
    public init(wall: Double, virtual: Double? = nil) {
      self.wall = wall
      self.virtual = virtual
    }
  }

  /// A record; the parts without meaning are left out.
  public init(
    round: Int, sampled: [Int], bytes: Bytes, train: Train? = nil, generic: Generic? = nil,
    personal: Personal? = nil, time: Time, digest: String
  ) {
    self.round = round
    self.sampled = sampled
    self.bytes = bytes
    self.train = train
    self.generic = generic
    self.personal = personal
    self.time = time
    self.digest = digest
  }
}
