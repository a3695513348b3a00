/// One line of `rounds.jsonl`: what happened in a round, and how good the models are after it.
///
/// A part that is nil has no meaning in this round (for example, it was not evaluated) and is
/// absent from the file; a number that is not finite is written as null and reads back as NaN.
/// All accuracies are shares in [0, 1].
package struct RoundRecord: Sendable, Equatable {
  /// The round, from 1; 0 is the state before training.
  package var round: Int
  /// The clients that took part, ascending.
  package var sampled: [Int]
  /// What went over the network.
  package var bytes: Bytes
  /// The local training; nil when nobody trained.
  package var train: Train?
  /// The generic model on the test set; nil when not evaluated.
  package var generic: Generic?
  /// The clients' own models on their local tests; nil when not evaluated.
  package var personal: Personal?
  /// What privacy cost and did; nil without it.
  package var privacy: Privacy?
  /// What encoding did to uploads; nil where nothing is encoded.
  package var compression: Compression?
  /// Who came and who did not, on the virtual clock; nil without one.
  package var clock: Clock?
  /// What devices drew; nil without their power.
  package var energy: Energy?
  /// What it cost; nil without prices.
  package var cost: Cost?
  /// How long it took; the only part that differs between two equal runs.
  package var time: Time
  /// Hash chain over the global state, hexadecimal.
  package var digest: String

  /// Encoded bytes of all messages of the round.
  package struct Bytes: Sendable, Equatable {
    /// From clients to the server.
    package var up: Int
    /// From the server to clients.
    package var down: Int
    /// In both directions, once, before the first round; counted in that round's record.
    package var setup: Int
    /// What the same messages have as plain tensors; nil where nothing was encoded.
    package var dense: Link?
    /// The fewest bytes that codes knowing all frequencies could take; nil where nothing was
    /// encoded.
    package var entropy: Link?

    /// Bytes in both directions.
    package init(up: Int, down: Int, setup: Int = 0) {
      self.up = up
      self.down = down
      self.setup = setup
    }

    /// Bytes of the two directions.
    package struct Link: Sendable, Equatable {
      /// From clients to the server.
      package var up: Int
      /// From the server to clients.
      package var down: Int

      /// Bytes.
      package init(up: Int, down: Int) {
        self.up = up
        self.down = down
      }
    }
  }

  /// Local training, pooled over the cohort.
  package struct Train: Sendable, Equatable {
    /// Mean training loss per example visited.
    package var loss: Double
    /// Examples visited, counted once per visit.
    package var examples: Int
    /// Optimizer steps of all clients.
    package var steps: Int
    /// Floating-point operations of all clients' passes through networks; nil in records that lack
    /// them.
    package var flops: Double?

    /// Training of one round.
    package init(loss: Double, examples: Int, steps: Int, flops: Double? = nil) {
      self.loss = loss
      self.examples = examples
      self.steps = steps
      self.flops = flops
    }
  }

  /// The generic model on the balanced test set.
  package struct Generic: Sendable, Equatable {
    /// Share of test images classified correctly.
    package var accuracy: Double
    /// Mean cross-entropy.
    package var loss: Double
    /// Mean of the per-class recalls.
    package var balancedAccuracy: Double
    /// Mean of the per-class F1 scores.
    package var macroF1: Double
    /// Recall of each class; NaN for a class without test images.
    package var perClass: [Double]
    /// Groups by cumulative share; nil when all classes are equally frequent.
    package var shots: Shots?
    /// Groups by absolute counts.
    package var shotsAbsolute: Shots?
    /// Expected calibration error in [0, 1], 15 bins of equal width; nil in records that lack it.
    package var ece: Double?

    /// Every measure of a generic model.
    package init(
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
  package struct Shots: Sendable, Equatable {
    /// The rule that made the groups, in words.
    package var rule: String
    /// Frequent classes.
    package var head: Double?
    /// Classes in between.
    package var middle: Double?
    /// Rare classes.
    package var tail: Double?

    /// Three groups and their rule.
    package init(rule: String, head: Double?, middle: Double?, tail: Double?) {
      self.rule = rule
      self.head = head
      self.middle = middle
      self.tail = tail
    }
  }

  /// What the clients get, each on its own local test.
  package struct Personal: Sendable, Equatable {
    /// Unweighted mean over clients.
    package var accuracy: Double
    /// Which model was tested.
    package var model: Model
    /// How unequal clients fare.
    package var fairness: Fairness
    /// Mean over clients of their own model's accuracy with all classes counting alike, held or
    /// not; nil when not measured.
    package var global: Double?
    /// Per class, the mean over the clients that hold it; NaN for a class that none holds.
    ///
    /// Empty when not measured.
    package var perClass: [Double]
    /// Groups of `perClass` by the pooled training images; nil as for the generic model.
    package var shots: Shots?

    /// The model that a client uses.
    package enum Model: String, Sendable {
      /// The client has a model of its own.
      case own
      /// The client uses the generic model.
      case generic
    }

    /// Personal accuracy of one round.
    package init(
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
  package struct Fairness: Sendable, Equatable {
    /// Population standard deviation over clients.
    package var std: Double
    /// 10th percentile over clients.
    package var p10: Double
    /// The worst client.
    package var worst: Double
    /// Mean of the worst tenth of the clients, at least one; nil in records that lack it.
    package var worstDecile: Double?
    /// Share of clients better off than when training alone; nil without that reference.
    package var helped: Double?

    /// Fairness with every entry.
    package init(
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
  package struct Time: Sendable, Equatable {
    /// Of this machine.
    package var wall: Double
    /// Of the simulated federation; nil when it has no clock.
    package var virtual: Double?

    /// Durations of a round.
    package init(wall: Double, virtual: Double? = nil) {
      self.wall = wall
      self.virtual = virtual
    }
  }

  /// A record; the parts without meaning are left out.
  package init(
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
