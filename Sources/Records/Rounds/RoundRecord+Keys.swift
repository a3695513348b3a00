import Base

/// The keys of `rounds.jsonl`.
extension RoundRecord {
  package static let keys = Keys<Self>(
    blank,
    [
      Key(\.round, "round", .count, "The round, from 1; 0 is the state before training."),
      Key(\.sampled, "sampled", .list(.count), "The clients that took part, ascending."),
      Key(\.bytes, "bytes", .object(Bytes.keys), ""),
      Key(
        \.train, "train", .object(Train.keys), "Local training, pooled over the cohort.",
        absent: "nobody trained", isEssential: true),
      Key(
        \.generic, "generic", .object(Generic.keys), "The server's model on the test set.",
        absent: "not evaluated in this round, or the method has no such model", isEssential: true),
      Key(
        \.personal, "personal", .object(Personal.keys),
        "What the clients get, each on its own local test, each client counting the same.",
        absent: "not evaluated in this round, or no client has a local test", isEssential: true),
      Key(
        \.validation, "validation", .object(Validation.keys),
        "Models on the images that clients keep out of training.",
        absent: "the scenario has no evaluation.validation, or not evaluated in this round"),
      Key(
        \.unseen, "unseen", .object(Personal.unseenKeys),
        "As `personal`, of the clients that never train for the server.",
        absent: "the scenario has no evaluation.unseen, or not evaluated in this round"),
      Key(
        \.privacy, "privacy", .object(Privacy.keys), "What privacy cost up to this round.",
        absent: "the strategy has no privacy"),
      Key(
        \.compression, "compression", .object(Compression.keys), "What encoding did to uploads.",
        absent: "nothing is encoded"),
      Key(
        \.clock, "clock", .object(Clock.keys), "Who came in time on the virtual clock.",
        absent: "the scenario has no system"),
      Key(
        \.energy, "energy", .object(Energy.keys), "What devices drew.",
        absent: "the system gives no power of devices"),
      Key(
        \.cost, "cost", .object(Cost.keys), "What the round cost, in the scenario's currency.",
        absent: "the system gives no prices"),
      Key(\.time, "time", .object(Time.keys), ""),
      Key(
        \.digest, "digest", .text,
        "Hash chain over all that training has changed so far, 16 hexadecimal digits: two runs "
          + "with equal digests are the same bit for bit."),
    ])
}

extension RoundRecord.Bytes {
  static let keys = Keys<Self>(
    { Self(up: 0, down: 0) },
    [
      Key(
        \.up, "up", .count, unit: "bytes",
        "Encoded bytes of all messages from clients to the "
          + "server in this round."),
      Key(
        \.down, "down", .count, unit: "bytes",
        "Encoded bytes of all messages from the server to "
          + "clients in this round."),
      Key(
        \.setup, "setup", .count, unit: "bytes",
        "Sent in both directions once, before the first round; counted in that round.", except: 0,
        absent: "nothing was"),
      Key(
        \.dense, "dense", .object(Link.keys), "What the same messages have as plain tensors.",
        absent: "nothing was encoded"),
      Key(
        \.entropy, "entropy", .object(Link.keys),
        "The fewest bytes that codes knowing all frequencies could take.",
        absent: "nothing was encoded"),
    ])
}

extension RoundRecord.Bytes.Link {
  fileprivate static let keys = Keys<Self>(
    { Self(up: 0, down: 0) },
    [
      Key(\.up, "up", .count, unit: "bytes", "From clients to the server."),
      Key(\.down, "down", .count, unit: "bytes", "From the server to clients."),
    ])
}

extension RoundRecord.Train {
  fileprivate static let keys = Keys<Self>(
    { Self(loss: 0, examples: 0, steps: 0) },
    [
      Key(\.loss, "loss", .measure, "Mean training loss per example visited."),
      Key(\.examples, "examples", .count, "Examples visited, counted once per visit."),
      Key(\.steps, "steps", .count, "Optimizer steps of all clients."),
      Key(
        \.flops, "flops", .measure, unit: "FLOP",
        "Floating-point operations of all clients' passes through networks.",
        absent: "an early version wrote the record"),
    ])
}

extension RoundRecord.Generic {
  fileprivate static let keys = Keys<Self>(
    { Self(accuracy: 0, loss: 0, balancedAccuracy: 0, macroF1: 0, perClass: []) },
    [
      Key(
        \.accuracy, "accuracy", .measure, unit: "share",
        "Share of test images classified correctly."),
      Key(\.loss, "loss", .measure, "Mean cross-entropy on the test set."),
      Key(
        \.balancedAccuracy, "balancedAccuracy", .measure, unit: "share",
        "Mean of the recalls of all classes."),
      Key(
        \.macroF1, "macroF1", .measure, unit: "share", "Mean of the F1 scores of all classes."),
      Key(
        \.perClass, "perClass", .list(.measure), unit: "share",
        "Recall of each class; null for a class without test images."),
      Key(
        \.shots, "shots", .object(RoundRecord.Shots.keys),
        "Classes in three groups by cumulative share of training images.",
        absent: "all classes are equally frequent"),
      Key(
        \.shotsAbsolute, "shotsAbsolute", .object(RoundRecord.Shots.keys),
        "Classes in three groups by their number of training images.",
        absent: "an early version wrote the record"),
      Key(
        \.ece, "ece", .measure, unit: "share",
        "Expected calibration error, 15 bins of equal width.",
        absent: "an early version wrote the record"),
    ])
}

extension RoundRecord.Shots {
  fileprivate static let keys = Keys<Self>(
    { Self(rule: "", head: nil, middle: nil, tail: nil) },
    [
      Key(\.rule, "rule", .text, "The rule that made the groups."),
      Key(\.head, "head", .measure, unit: "share", meaning("frequent"), absent: absence),
      Key(\.middle, "middle", .measure, unit: "share", meaning("middle"), absent: absence),
      Key(\.tail, "tail", .measure, unit: "share", meaning("rare"), absent: absence),
    ])

  private static let absence = "the group has no class with test images"

  private static func meaning(_ group: String) -> String {
    "Mean of the recalls of the \(group) classes."
  }
}

extension RoundRecord.Personal {
  fileprivate static let keys = Keys<Self>(
    {
      Self(
        accuracy: 0, model: .generic, fairness: RoundRecord.Fairness(std: 0, p10: 0, worst: 0))
    },
    common + [
      Key(\.fairness, "fairness", .object(RoundRecord.Fairness.keys), ""),
      Key(
        \.global, "global", .measure, unit: "share",
        "Mean over clients of their own model's accuracy with all classes counting alike, held or "
          + "not.", absent: "clients have no models of their own"),
      Key(
        \.perClass, "perClass", .list(.measure), unit: "share",
        "Of each class, mean accuracy over the clients that hold it; null for none.", except: [],
        absent: "not measured"),
      Key(
        \.shots, "shots", .object(RoundRecord.Shots.keys),
        "`perClass` in three groups by the training images of all clients.",
        absent: "all classes are equally frequent"),
    ])

  /// Clients that never train for the server: nothing to compare with, and no model of all classes.
  fileprivate static let unseenKeys = Keys<Self>(
    {
      Self(
        accuracy: 0, model: .generic, fairness: RoundRecord.Fairness(std: 0, p10: 0, worst: 0))
    },
    common + [Key(\.fairness, "fairness", .object(RoundRecord.Fairness.spread), "")])

  private static let common: [Key<Self>] = [
    Key(
      \.accuracy, "accuracy", .measure, unit: "share",
      "Mean over clients of the accuracy on the local test."),
    Key(
      \.model, "model", .word("own", "generic"),
      "Whose model was tested: the client's own, or the generic one for want of it."),
  ]
}

extension RoundRecord.Fairness {
  fileprivate static let keys = Keys<Self>(
    { Self(std: 0, p10: 0, worst: 0) },
    spreadKeys + [
      Key(
        \.helped, "helped", .measure, unit: "share",
        "Share of clients that are better off than when training alone.",
        absent: "the scenario has no local-only strategy to compare with")
    ])

  /// How far clients are apart.
  fileprivate static let spread = Keys<Self>({ Self(std: 0, p10: 0, worst: 0) }, spreadKeys)

  private static let spreadKeys: [Key<Self>] = [
    Key(
      \.std, "std", .measure, unit: "share", "Standard deviation of accuracy over all clients."),
    Key(\.p10, "p10", .measure, unit: "share", "10th percentile of accuracy over clients."),
    Key(\.worst, "worst", .measure, unit: "share", "Accuracy of the worst client."),
    Key(
      \.worstDecile, "worstDecile", .measure, unit: "share",
      "Mean accuracy of the worst tenth of the clients, at least one.",
      absent: "an early version wrote the record"),
  ]
}

extension RoundRecord.Privacy {
  package static let keys = Keys<Self>(
    {
      Self(
        epsilonMax: 0, epsilonMedian: 0, delta: 0, accountant: "", hasGuarantee: false,
        clip: .infinity, stopped: [])
    },
    [
      .group(
        "epsilon",
        [
          Key(
            \.epsilonMax, "max", .limit,
            "The largest ε over clients, or that of the server's releases; null: no limit."),
          Key(
            \.epsilonMedian, "median", .limit,
            "The median ε over clients that released something; null: no limit."),
        ]), Key(\.delta, "delta", .number, "δ of the guarantee."),
      Key(
        \.accountant, "accountant", .text,
        "Who computed ε: pld (privacy loss distributions), or rdp (Rényi divergences, an upper "
          + "bound) between evaluations."),
      Key(
        \.hasGuarantee, "guarantee", .flag,
        "Whether ε means anything: nothing left a client unprotected."),
      Key(
        \.clip, "clip", .number, "The bound on the norm of a gradient or a message in this round.",
        except: .infinity, absent: "an early version wrote the record"),
      Key(
        \.clipped, "clipped", .number, unit: "share",
        "Share of gradients, or of messages, that were scaled down.", absent: idle),
      Key(\.norm, "norm", .number, "Their mean norm before clipping.", absent: idle),
      Key(
        \.noiseToSignal, "noiseToSignal", .number,
        "Expected norm of the noise over the norm of the sum that it was added to, over the "
          + "round's releases.", absent: idle),
      Key(
        \.error, "error", .number, "Mean norm of what error feedback keeps.",
        absent: "no error feedback, or " + idle),
      Key(
        \.stopped, "stopped", .list(.count), "Clients of the cohort whose budget was used up.",
        except: [], absent: "there is none"),
    ])

  private static let idle = "nobody trained"
}

extension RoundRecord.Compression {
  fileprivate static let keys = Keys<Self>(
    { Self(kept: 0, seconds: 0) },
    [
      Key(\.kept, "kept", .number, unit: "share", "Share of values that uploads tell."),
      Key(
        \.cosine, "cosine", .number, "cos(x̂, x) of all uploads as one vector.",
        absent: "they are zero"),
      Key(
        \.errorRatio, "errorRatio", .number,
        "‖e‖ / ‖x‖, e being what clients remember as lost.", absent: "there is no memory"),
      Key(
        \.seconds, "seconds", .number, unit: "s",
        "Wall time that all workers spent on encoding and decoding; differs between equal runs."),
    ])
}

extension RoundRecord.Clock {
  fileprivate static let keys = Keys<Self>(
    { Self() },
    [
      Key(\.completed, "completed", .list(.count), "Clients whose messages the server took in."),
      Key(\.dropped, "dropped", .list(.count), "Clients that vanished."),
      Key(\.late, "late", .list(.count), "Clients that came when the round was over."),
      Key(\.lost, "lost", .list(.count), "Clients whose messages were lost on the way."),
    ])
}

extension RoundRecord.Energy {
  fileprivate static let keys = Keys<Self>(
    { Self() },
    [
      Key("joules", .number, unit: "J", "All of it.") { $0.joules },
      Key(\.compute, "compute", .number, unit: "J", "Drawn while computing."),
      Key(\.send, "send", .number, unit: "J", "Drawn while sending."),
      Key(\.receive, "receive", .number, unit: "J", "Drawn while receiving."),
    ])
}

extension RoundRecord.Cost {
  fileprivate static let keys = Keys<Self>(
    { Self() },
    [
      Key("total", .number, unit: "currency", "All of it.") { $0.total },
      Key(\.up, "up", .number, unit: "currency", "Of bytes to the server."),
      Key(\.down, "down", .number, unit: "currency", "Of bytes from the server."),
      Key(\.devices, "devices", .number, unit: "currency", "Of devices at work."),
    ])
}

extension RoundRecord.Time {
  fileprivate static let keys = Keys<Self>(
    { Self(wall: 0) },
    [
      Key(
        \.wall, "wall", .measure, unit: "s",
        "Wall time of the round with its evaluation; differs between equal runs."),
      Key(
        \.virtual, "virtual", .measure, unit: "s",
        "When the round ended on the virtual clock, since the first began.",
        absent: "the scenario has no system"),
    ])
}
