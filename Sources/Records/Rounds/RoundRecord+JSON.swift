import Base

extension RoundRecord {
  /// The record as one JSON object; the keys always come in the same order.
  package var json: JSON {
    var members: [(String, JSON)] = [
      ("round", .int(round)), ("sampled", .array(sampled.map(JSON.int))), ("bytes", bytes.json),
    ]
    if let train { members.append(("train", train.json)) }
    if let generic { members.append(("generic", generic.json)) }
    if let personal { members.append(("personal", personal.json)) }
    if let privacy { members.append(("privacy", privacy.json)) }
    if let compression { members.append(("compression", compression.json)) }
    members += clockMembers
    var times: [(String, JSON)] = [("wall", .number(time.wall))]
    if let virtual = time.virtual { times.append(("virtual", .number(virtual))) }
    members.append(("time", .object(times)))
    members.append(("digest", .string(digest)))
    return .object(members)
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
    privacy = json["privacy"].flatMap(Privacy.init)
    compression = json["compression"].flatMap(Compression.init)
    readClock(json)
  }
}

extension RoundRecord.Generic {
  fileprivate var json: JSON {
    var members: [(String, JSON)] = [
      ("accuracy", .number(accuracy)), ("loss", .number(loss)),
      ("balancedAccuracy", .number(balancedAccuracy)), ("macroF1", .number(macroF1)),
      ("perClass", .array(perClass.map(JSON.number))),
    ]
    if let shots { members.append(("shots", shots.json)) }
    if let shotsAbsolute { members.append(("shotsAbsolute", shotsAbsolute.json)) }
    if let ece { members.append(("ece", .number(ece))) }
    return .object(members)
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
    var members: [(String, JSON)] = [("rule", .string(rule))]
    for (key, value) in [("head", head), ("middle", middle), ("tail", tail)] {
      if let value { members.append((key, .number(value))) }
    }
    return .object(members)
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
    var spread: [(String, JSON)] = [
      ("std", .number(fairness.std)), ("p10", .number(fairness.p10)),
      ("worst", .number(fairness.worst)),
    ]
    if let decile = fairness.worstDecile { spread.append(("worstDecile", .number(decile))) }
    if let helped = fairness.helped { spread.append(("helped", .number(helped))) }
    var members: [(String, JSON)] = [
      ("accuracy", .number(accuracy)), ("model", .string(model.rawValue)),
      ("fairness", .object(spread)),
    ]
    if let global { members.append(("global", .number(global))) }
    if !perClass.isEmpty { members.append(("perClass", .array(perClass.map(JSON.number)))) }
    if let shots { members.append(("shots", shots.json)) }
    return .object(members)
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
}

extension RoundRecord.Bytes {
  /// `setup` is there only where something was sent before the first round.
  fileprivate var json: JSON {
    var members: [(String, JSON)] = [("up", .int(up)), ("down", .int(down))]
    if setup > 0 { members.append(("setup", .int(setup))) }
    for (key, link) in [("dense", dense), ("entropy", entropy)] {
      if let link {
        members.append((key, .object([("up", .int(link.up)), ("down", .int(link.down))])))
      }
    }
    return .object(members)
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
    var members: [(String, JSON)] = [
      ("loss", .number(loss)), ("examples", .int(examples)), ("steps", .int(steps)),
    ]
    if let flops { members.append(("flops", .number(flops))) }
    return .object(members)
  }
}
