import Base
import Scenario

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
  /// Models on validation images; nil without such.
  package var validation: Validation?
  /// Clients that never trained for the server; nil without such.
  package var unseen: Personal?
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
    package var perClass: [Double] = []
    /// Groups of `perClass` by the pooled training images; nil as for the generic model.
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

    package init(wall: Double, virtual: Double? = nil) {
      self.wall = wall
      self.virtual = virtual
    }
  }

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

extension RoundRecord {
  /// Who took part in a round on the clock, by what became of them; ascending.
  package struct Clock: Sendable, Equatable {
    /// Messages that the server took in.
    package var completed: [Int]
    /// Vanished.
    package var dropped: [Int]
    /// Came when the round was over.
    package var late: [Int]
    /// Sent, and lost on the way.
    package var lost: [Int]
  }

  /// What devices drew in a round, in joules.
  package struct Energy: Sendable, Equatable {
    package var compute: Double
    package var send: Double
    package var receive: Double
    package var joules: Double { compute + send + receive }
  }

  package struct Cost: Sendable, Equatable {
    /// Bytes to the server.
    package var up: Double
    /// Bytes from the server.
    package var down: Double
    /// Devices at work.
    package var devices: Double
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

  /// Reads the members of the clock; none without one.
  mutating func readClock(_ json: JSON) {
    func clients(_ key: String) -> [Int]? { json["clock"]?[key]?.elements?.compactMap(\.count) }
    if let completed = clients("completed"), let dropped = clients("dropped"),
      let late = clients("late"), let lost = clients("lost")
    {
      clock = Clock(completed: completed, dropped: dropped, late: late, lost: lost)
    }
    if let part = json["energy"], let compute = part["compute"]?.double,
      let send = part["send"]?.double, let receive = part["receive"]?.double
    {
      energy = Energy(compute: compute, send: send, receive: receive)
    }
    if let part = json["cost"], let up = part["up"]?.double, let down = part["down"]?.double,
      let devices = part["devices"]?.double
    {
      cost = Cost(up: up, down: down, devices: devices)
    }
  }
}

extension RoundRecord.Clock {
  fileprivate var json: JSON {
    .object(
      [("completed", completed), ("dropped", dropped), ("late", late), ("lost", lost)].map {
        ($0, .array($1.map(JSON.int)))
      })
  }
}

extension RoundRecord.Energy {
  fileprivate var json: JSON {
    .numbers([("joules", joules), ("compute", compute), ("send", send), ("receive", receive)])
  }
}

extension RoundRecord.Cost {
  fileprivate var json: JSON {
    .numbers([("total", total), ("up", up), ("down", down), ("devices", devices)])
  }
}

extension RoundRecord {
  /// How near uploads came to what was meant; absent where nothing is encoded.
  package struct Compression: Sendable, Equatable {
    /// cos(x̂, x) of all uploads as one vector; nil for zeros.
    package var cosine: Double?
    /// ‖e‖ / ‖x‖, e what clients remember as lost; nil without a memory.
    package var errorRatio: Double?
    /// Share of values that uploads tell.
    package var kept: Double
    /// Seconds that all workers spent on encoding and decoding; differs between equal runs.
    package var seconds: Double

    package init(cosine: Double? = nil, errorRatio: Double? = nil, kept: Double, seconds: Double) {
      self.cosine = cosine
      self.errorRatio = errorRatio
      self.kept = kept
      self.seconds = seconds
    }
  }
}

extension RoundRecord.Compression {
  package var json: JSON {
    .numbers([("kept", kept), ("cosine", cosine), ("errorRatio", errorRatio), ("seconds", seconds)])
  }

  package init?(_ json: JSON) {
    guard let kept = json["kept"]?.double, let seconds = json["seconds"]?.double else { return nil }
    self.init(
      cosine: json["cosine"]?.double, errorRatio: json["errorRatio"]?.double, kept: kept,
      seconds: seconds)
  }
}

extension RoundRecord {
  /// The record as one JSON object; the keys always come in the same order.
  package var json: JSON {
    .known([
      ("round", .int(round)), ("sampled", .array(sampled.map(JSON.int))), ("bytes", bytes.json),
      ("train", train?.json), ("generic", generic?.json), ("personal", personal?.json),
      ("validation", validation?.json), ("unseen", unseen?.json),
      ("privacy", privacy?.json), ("compression", compression?.json), ("clock", clock?.json),
      ("energy", energy?.json), ("cost", cost?.json),
      ("time", .numbers([("wall", time.wall), ("virtual", time.virtual)])),
      ("digest", .string(digest)),
    ])
  }

  /// The record as a line of `rounds.jsonl`, without the newline.
  package var line: String { json.compact }

  /// Reads a record; nil when a key that is always there is missing or of another type.
  ///
  /// Keys that this version does not know are ignored.
  package init?(_ json: JSON) {
    guard let round = json["round"]?.count, let sampled = json["sampled"]?.elements,
      let up = json["bytes"]?["up"]?.count, let down = json["bytes"]?["down"]?.count,
      let wall = json["time"]?["wall"]?.measure, let digest = json["digest"]?.text
    else { return nil }
    let clients = sampled.compactMap(\.count)
    guard clients.count == sampled.count else { return nil }
    self.init(
      round: round, sampled: clients, bytes: Bytes(up: up, down: down, json["bytes"]),
      time: Time(wall: wall, virtual: json["time"]?["virtual"]?.measure), digest: digest)
    if let part = json["train"] {
      guard let loss = part["loss"]?.measure, let examples = part["examples"]?.count,
        let steps = part["steps"]?.count
      else { return nil }
      train = Train(loss: loss, examples: examples, steps: steps, flops: part["flops"]?.measure)
    }
    if let part = json["generic"] {
      guard let read = Generic(part) else { return nil }
      generic = read
    }
    if let part = json["personal"] {
      guard let read = Personal(part) else { return nil }
      personal = read
    }
    validation = json["validation"].flatMap(Validation.init)
    unseen = json["unseen"].flatMap(Personal.init)
    privacy = json["privacy"].flatMap(Privacy.init)
    compression = json["compression"].flatMap(Compression.init)
    readClock(json)
  }
}

extension RoundRecord.Generic {
  fileprivate var json: JSON {
    .known([
      ("accuracy", .number(accuracy)), ("loss", .number(loss)),
      ("balancedAccuracy", .number(balancedAccuracy)), ("macroF1", .number(macroF1)),
      ("perClass", .array(perClass.map(JSON.number))), ("shots", shots?.json),
      ("shotsAbsolute", shotsAbsolute?.json), ("ece", ece.map(JSON.number)),
    ])
  }

  fileprivate init?(_ json: JSON) {
    guard let accuracy = json["accuracy"]?.measure, let loss = json["loss"]?.measure,
      let balanced = json["balancedAccuracy"]?.measure, let macroF1 = json["macroF1"]?.measure,
      let classes = json["perClass"]?.elements
    else { return nil }
    let recalls = classes.compactMap(\.measure)
    guard recalls.count == classes.count else { return nil }
    self.init(
      accuracy: accuracy, loss: loss, balancedAccuracy: balanced, macroF1: macroF1,
      perClass: recalls, shots: json["shots"].flatMap(RoundRecord.Shots.init),
      shotsAbsolute: json["shotsAbsolute"].flatMap(RoundRecord.Shots.init),
      ece: json["ece"]?.measure)
  }
}

extension RoundRecord.Shots {
  fileprivate var json: JSON {
    .known([
      ("rule", .string(rule)), ("head", head.map(JSON.number)), ("middle", middle.map(JSON.number)),
      ("tail", tail.map(JSON.number)),
    ])
  }

  fileprivate init?(_ json: JSON) {
    guard let rule = json["rule"]?.text else { return nil }
    self.init(
      rule: rule, head: json["head"]?.measure, middle: json["middle"]?.measure,
      tail: json["tail"]?.measure)
  }
}

extension RoundRecord.Personal {
  fileprivate var json: JSON {
    .known([
      ("accuracy", .number(accuracy)), ("model", .string(model.rawValue)),
      (
        "fairness",
        .numbers([
          ("std", fairness.std), ("p10", fairness.p10), ("worst", fairness.worst),
          ("worstDecile", fairness.worstDecile), ("helped", fairness.helped),
        ])
      ), ("global", global.map(JSON.number)),
      ("perClass", perClass.isEmpty ? nil : .array(perClass.map(JSON.number))),
      ("shots", shots?.json),
    ])
  }

  fileprivate init?(_ json: JSON) {
    guard let accuracy = json["accuracy"]?.measure,
      let model = json["model"]?.text.flatMap(Model.init), let part = json["fairness"],
      let std = part["std"]?.measure, let p10 = part["p10"]?.measure,
      let worst = part["worst"]?.measure
    else { return nil }
    self.init(
      accuracy: accuracy, model: model,
      fairness: RoundRecord.Fairness(
        std: std, p10: p10, worst: worst, worstDecile: part["worstDecile"]?.measure,
        helped: part["helped"]?.measure))
    global = json["global"]?.measure
    perClass = json["perClass"]?.elements?.compactMap(\.measure) ?? []
    shots = json["shots"].flatMap(RoundRecord.Shots.init)
  }
}

extension JSON {
  /// A number, or NaN for null; nil for anything else.
  fileprivate var measure: Double? { isNull ? .nan : double }

  /// An object of the members that have a value.
  package static func known(_ members: [(String, JSON?)]) -> JSON {
    .object(members.compactMap { key, value in value.map { (key, $0) } })
  }

  /// An object of the numbers that are not nil.
  package static func numbers(_ members: [(String, Double?)]) -> JSON {
    known(members.map { ($0, $1.map(JSON.number)) })
  }
}

extension RoundRecord.Bytes {
  /// `setup` is there only where something was sent before the first round.
  fileprivate var json: JSON {
    func both(_ link: Link) -> JSON { ["up": .int(link.up), "down": .int(link.down)] }
    return .known([
      ("up", .int(up)), ("down", .int(down)), ("setup", setup > 0 ? .int(setup) : nil),
      ("dense", dense.map(both)), ("entropy", entropy.map(both)),
    ])
  }

  fileprivate init(up: Int, down: Int, _ json: JSON?) {
    func link(_ key: String) -> Link? {
      guard let up = json?[key]?["up"]?.count, let down = json?[key]?["down"]?.count else {
        return nil
      }
      return Link(up: up, down: down)
    }
    self.init(up: up, down: down, setup: json?["setup"]?.count ?? 0)
    dense = link("dense")
    entropy = link("entropy")
  }
}

extension RoundRecord.Train {
  fileprivate var json: JSON {
    .known([
      ("loss", .number(loss)), ("examples", .int(examples)), ("steps", .int(steps)),
      ("flops", flops.map(JSON.number)),
    ])
  }
}

extension RoundRecord {
  /// What privacy cost up to this round, and what it did to this round's training.
  package struct Privacy: Sendable, Equatable {
    /// The largest ε over clients, or that of the server's releases; infinite without noise.
    package var epsilonMax: Double
    /// The median over clients that released something.
    package var epsilonMedian: Double
    /// δ.
    package var delta: Double
    /// "pld" or "rdp".
    package var accountant: String
    /// Whether the ε means anything: nothing left a client unprotected.
    package var hasGuarantee: Bool
    /// Share of examples, or of messages, that were scaled down; nil when there was none.
    package var clipped: Double?
    /// Mean norm before clipping.
    package var norm: Double?
    /// Expected norm of the noise over the norm of the sum that it was added to, both summed up
    /// over the round's releases.
    package var noiseToSignal: Double?
    package var clip: Double
    /// Mean norm of the hidden error; nil without error feedback.
    package var error: Double?
    /// Clients of the cohort whose budget was used up.
    package var stopped: [Int]

    package init(
      epsilonMax: Double, epsilonMedian: Double, delta: Double, accountant: String,
      hasGuarantee: Bool, clipped: Double? = nil, norm: Double? = nil, noiseToSignal: Double? = nil,
      clip: Double, error: Double? = nil, stopped: [Int]
    ) {
      self.epsilonMax = epsilonMax
      self.epsilonMedian = epsilonMedian
      self.delta = delta
      self.accountant = accountant
      self.hasGuarantee = hasGuarantee
      self.clipped = clipped
      self.norm = norm
      self.noiseToSignal = noiseToSignal
      self.clip = clip
      self.error = error
      self.stopped = stopped
    }
  }
}

extension RoundRecord.Privacy {
  package var json: JSON {
    .known([
      ("epsilon", ["max": .number(epsilonMax), "median": .number(epsilonMedian)]),
      ("delta", .number(delta)), ("accountant", .string(accountant)),
      ("guarantee", .bool(hasGuarantee)), ("clip", .number(clip)),
      ("clipped", clipped.map(JSON.number)), ("norm", norm.map(JSON.number)),
      ("noiseToSignal", noiseToSignal.map(JSON.number)), ("error", error.map(JSON.number)),
      ("stopped", stopped.isEmpty ? nil : .array(stopped.map(JSON.int))),
    ])
  }

  package init?(_ json: JSON) {
    func number(_ json: JSON?) -> Double? { json.flatMap { $0.isNull ? .infinity : $0.double } }
    guard let largest = number(json["epsilon"]?["max"]),
      let median = number(json["epsilon"]?["median"]), let delta = json["delta"]?.double,
      let accountant = json["accountant"]?.text, let guarantee = json["guarantee"]?.truth
    else { return nil }
    self.init(
      epsilonMax: largest, epsilonMedian: median, delta: delta, accountant: accountant,
      hasGuarantee: guarantee, clipped: json["clipped"]?.double, norm: json["norm"]?.double,
      noiseToSignal: json["noiseToSignal"]?.double, clip: json["clip"]?.double ?? .infinity,
      error: json["error"]?.double, stopped: json["stopped"]?.elements?.compactMap(\.count) ?? [])
  }
}
