import Base
import Scenario

/// One line of `rounds.jsonl`: what happened in a round, and how good the models are after it.
///
/// What each number means is said where its key is declared, in `RoundRecord+Keys.swift`. A part
/// that is nil has no meaning in this round (for example, it was not evaluated) and is absent from
/// the file; a number that is not finite is written as null and reads back as NaN. All accuracies
/// are shares in [0, 1].
package struct RoundRecord: Sendable, Equatable {
  package var round = 0
  /// Ascending.
  package var sampled: [Int] = []
  package var bytes = Bytes(up: 0, down: 0)
  package var train: Train?
  package var generic: Generic?
  package var personal: Personal?
  package var validation: Validation?
  /// Clients that never trained for the server.
  package var unseen: Personal?
  package var privacy: Privacy?
  package var compression: Compression?
  package var clock: Clock?
  package var energy: Energy?
  package var cost: Cost?
  /// The only part that differs between two equal runs.
  package var time = Time(wall: 0)
  package var digest = ""

  private init() {}

  package init(
    round: Int, sampled: [Int], bytes: Bytes, train: Train? = nil, generic: Generic? = nil,
    personal: Personal? = nil, time: Time, digest: String
  ) {
    (self.round, self.sampled, self.bytes, self.time) = (round, sampled, bytes, time)
    (self.train, self.generic, self.personal) = (train, generic, personal)
    self.digest = digest
  }

  /// The record as one JSON object; the keys always come in the same order.
  package var json: JSON { Self.keys.json(self) }

  /// The record as a line of `rounds.jsonl`, without the newline.
  package var line: String { json.compact }

  /// Reads a record; nil when a key that is always there is missing or of another type.
  ///
  /// Keys that this version does not know are ignored.
  package init?(_ json: JSON) {
    guard let read = Self.keys.read(json) else { return nil }
    self = read
  }

  /// Nothing yet, to be read into.
  static func blank() -> RoundRecord { RoundRecord() }
}

extension RoundRecord {
  /// Encoded bytes of all messages of the round.
  package struct Bytes: Sendable, Equatable {
    package var up: Int
    package var down: Int
    package var setup: Int
    package var dense: Link?
    package var entropy: Link?

    package init(up: Int, down: Int, setup: Int = 0) {
      (self.up, self.down, self.setup) = (up, down, setup)
    }

    /// Bytes of the two directions.
    package struct Link: Sendable, Equatable {
      package var up: Int
      package var down: Int

      package init(up: Int, down: Int) { (self.up, self.down) = (up, down) }
    }
  }

  /// Local training, pooled over the cohort; nil when nobody trained.
  package struct Train: Sendable, Equatable {
    package var loss: Double
    package var examples: Int
    package var steps: Int
    package var flops: Double?

    package init(loss: Double, examples: Int, steps: Int, flops: Double? = nil) {
      (self.loss, self.examples, self.steps, self.flops) = (loss, examples, steps, flops)
    }
  }

  /// The generic model on the balanced test set.
  package struct Generic: Sendable, Equatable {
    package var accuracy: Double
    package var loss: Double
    package var balancedAccuracy: Double
    package var macroF1: Double
    package var perClass: [Double]
    package var shots: Shots?
    package var shotsAbsolute: Shots?
    package var ece: Double?

    package init(
      accuracy: Double, loss: Double, balancedAccuracy: Double, macroF1: Double, perClass: [Double],
      shots: Shots? = nil, shotsAbsolute: Shots? = nil, ece: Double? = nil
    ) {
      (self.accuracy, self.loss, self.balancedAccuracy) = (accuracy, loss, balancedAccuracy)
      (self.macroF1, self.perClass, self.ece) = (macroF1, perClass, ece)
      (self.shots, self.shotsAbsolute) = (shots, shotsAbsolute)
    }
  }

  /// Mean per-class accuracies of the frequent, middle and rare classes; nil for an empty group.
  package struct Shots: Sendable, Equatable {
    package var rule: String
    package var head: Double?
    package var middle: Double?
    package var tail: Double?

    package init(rule: String, head: Double?, middle: Double?, tail: Double?) {
      (self.rule, self.head, self.middle, self.tail) = (rule, head, middle, tail)
    }
  }

  /// What the clients get, each on its own local test.
  package struct Personal: Sendable, Equatable {
    package var accuracy: Double
    package var model: Model
    package var fairness: Fairness
    package var global: Double?
    /// Empty when not measured.
    package var perClass: [Double] = []
    package var shots: Shots?

    /// The model that a client uses.
    package enum Model: String, Sendable {
      /// The client has a model of its own.
      case own
      /// The client uses the generic model.
      case generic
    }

    package init(
      accuracy: Double, model: Model, fairness: Fairness, global: Double? = nil,
      perClass: [Double] = [], shots: Shots? = nil
    ) {
      (self.accuracy, self.model, self.fairness) = (accuracy, model, fairness)
      (self.global, self.perClass, self.shots) = (global, perClass, shots)
    }
  }

  /// How unequal clients fare; each client counts the same.
  package struct Fairness: Sendable, Equatable {
    package var std: Double
    package var p10: Double
    package var worst: Double
    package var worstDecile: Double?
    package var helped: Double?

    package init(
      std: Double, p10: Double, worst: Double, worstDecile: Double? = nil, helped: Double? = nil
    ) {
      (self.std, self.p10, self.worst) = (std, p10, worst)
      (self.worstDecile, self.helped) = (worstDecile, helped)
    }
  }

  /// Durations in seconds.
  package struct Time: Sendable, Equatable {
    package var wall: Double
    package var virtual: Double?

    package init(wall: Double, virtual: Double? = nil) {
      (self.wall, self.virtual) = (wall, virtual)
    }
  }

  /// What privacy cost up to this round, and what it did to this round's training.
  package struct Privacy: Sendable, Equatable {
    package var epsilonMax: Double
    package var epsilonMedian: Double
    package var delta: Double
    package var accountant: String
    package var hasGuarantee: Bool
    package var clipped: Double?
    package var norm: Double?
    package var noiseToSignal: Double?
    package var clip: Double
    package var error: Double?
    package var stopped: [Int]

    package init(
      epsilonMax: Double, epsilonMedian: Double, delta: Double, accountant: String,
      hasGuarantee: Bool, clipped: Double? = nil, norm: Double? = nil, noiseToSignal: Double? = nil,
      clip: Double, error: Double? = nil, stopped: [Int]
    ) {
      (self.epsilonMax, self.epsilonMedian, self.delta) = (epsilonMax, epsilonMedian, delta)
      (self.accountant, self.hasGuarantee, self.stopped) = (accountant, hasGuarantee, stopped)
      (self.clipped, self.norm, self.noiseToSignal) = (clipped, norm, noiseToSignal)
      (self.clip, self.error) = (clip, error)
    }
  }

  /// How near uploads came to what was meant; absent where nothing is encoded.
  package struct Compression: Sendable, Equatable {
    package var cosine: Double?
    package var errorRatio: Double?
    package var kept: Double
    /// Differs between equal runs.
    package var seconds: Double

    package init(cosine: Double? = nil, errorRatio: Double? = nil, kept: Double, seconds: Double) {
      (self.cosine, self.errorRatio, self.kept, self.seconds) = (cosine, errorRatio, kept, seconds)
    }
  }

  /// Who took part in a round on the clock, by what became of them; ascending.
  package struct Clock: Sendable, Equatable {
    package var completed: [Int] = []
    package var dropped: [Int] = []
    package var late: [Int] = []
    package var lost: [Int] = []
  }

  /// What devices drew in a round, in joules.
  package struct Energy: Sendable, Equatable {
    package var compute = 0.0
    package var send = 0.0
    package var receive = 0.0
    package var joules: Double { compute + send + receive }
  }

  package struct Cost: Sendable, Equatable {
    package var up = 0.0
    package var down = 0.0
    package var devices = 0.0
    package var total: Double { up + down + devices }
  }

  /// Puts what the clock saw into the record.
  package mutating func note(_ outcome: ClockOutcome?, _ settings: SystemSettings) {
    guard let outcome else { return }
    time.virtual = outcome.end
    clock = Clock(
      completed: outcome.completed.sorted(), dropped: outcome.dropped.sorted(),
      late: outcome.late.sorted(), lost: outcome.lost.sorted())
    if let power = settings.energy {
      energy = Energy(
        compute: power.computeWatts * outcome.computing, send: power.sendWatts * outcome.sending,
        receive: power.receiveWatts * outcome.receiving)
    }
    if let price = settings.cost {
      cost = Cost(
        up: price.perGigabyteUp * Double(bytes.up) / 1e9,
        down: price.perGigabyteDown * Double(bytes.down) / 1e9,
        devices: price.perDeviceHour * outcome.working / 3600)
    }
  }
}
