import Aggregation
import Base

/// The section `system`: devices, links and the server's patience, in virtual time.
extension ScenarioFields {
  static let system = Part(
    "system", .object(SystemSettings(), systemSettings), .optional,
    "Devices and links of a simulated federation: rounds get a duration in virtual seconds. "
      + "Without it there is no clock, but for asynchronous methods, which run on its defaults.",
    synonyms: ["devices", "clock", "simulation", "heterogeneity"]
  ).ifGiven

  private static let systemSettings: [Setting<SystemSettings>] = [
    Setting(
      \.compute, "compute", .union(compute), .value([:]), "How fast devices compute.",
      synonyms: ["speed", "devices"]),
    Setting(
      \.network, "network", .object(SystemSettings.Network(), network), .value([:]),
      "The links between clients and server.", synonyms: ["links", "bandwidth"]),
    Setting(
      \.availability, "availability", .union(availability), .value("always"),
      "Which clients can be asked."),
    share(
      \.dropout, "dropout",
      "Share of clients that vanish in the middle of a round; nothing comes back."),
    share(\.loss, "loss", "Share of uploads that are sent, counted and lost."),
    Setting(
      \.deadline, "deadline", .quantity(.duration, 0, 1e12, exclusiveMinimum: true), .optional,
      "A synchronous round ends so long after its start, whoever is missing.",
      synonyms: ["timeout", "round_deadline"]),
    Setting(
      \.overSelection, "overSelection", .number(from: 1, to: 100), .value(1),
      "So many times a cohort is drawn, and the first arrivals that make a cohort are taken.",
      synonyms: ["over_selection", "overcommit", "over_commitment", "oversampling"]),
    Setting(
      \.stragglers, "stragglers", .choice(), .value("drop"),
      "What becomes of clients that would miss the deadline: nothing, or they make fewer steps.",
      synonyms: ["straggler"]),
    Setting(
      \.energy, "energy",
      .object(
        SystemSettings.Energy(),
        [
          amount(\.computeWatts, "computeWatts", unit: "W", "Power of a device that computes."),
          amount(\.sendWatts, "sendWatts", unit: "W", "Power of a device that sends."),
          amount(\.receiveWatts, "receiveWatts", unit: "W", "Power of a device that receives."),
        ]), .optional,
      "What devices draw while they work; each round's record then has their joules.",
      synonyms: ["power"]),
    Setting(
      \.cost, "cost",
      .object(
        SystemSettings.Cost(),
        [
          amount(
            \.perGigabyteUp, "perGigabyteUp", "Price of 10^9 bytes from clients to the server."),
          amount(
            \.perGigabyteDown, "perGigabyteDown", "Price of 10^9 bytes from server to clients."),
          amount(\.perDeviceHour, "perDeviceHour", "Price of an hour of a device that works."),
        ]), .optional, "Prices in any currency; each round's record then has its cost.",
      synonyms: ["price", "prices"]),
  ]

  private static func share(
    _ path: any WritableKeyPath<SystemSettings, Double> & Sendable, _ name: String,
    _ summary: String
  ) -> Setting<SystemSettings> {
    Setting(path, name, .number(from: 0, to: 0.99), .value(0), summary)
  }

  private static func amount<Root>(
    _ path: any WritableKeyPath<Root, Double> & Sendable, _ name: String, unit: String? = nil,
    _ summary: String
  ) -> Setting<Root> {
    Setting(path, name, .number(from: 0, to: 1e12), .value(0), unit: unit, summary)
  }

  private static func median(_ summary: String) -> Part<Double> {
    Part("speed", .speed, .value("20 GFLOP/s"), summary, synonyms: ["flops", "median"])
  }

  private static let compute = Cases<SystemSettings.Compute>(
    "kind", default: "constant",
    synonyms: ["log-normal": "lognormal", "uniform": "constant", "file": "table"],
    [
      Case("constant", "All devices alike.", median("Speed of every device.")) {
        .constant(speed: $0)
      },
      Case(
        "lognormal", "speed · exp(sigma · z), z of each client from N(0, 1).",
        median("Median of the speeds."),
        Part(
          "sigma", .number(from: 0, to: 10), .value(0.6), "Standard deviation of the logarithm.",
          synonyms: ["std", "scale"])
      ) { .logNormal(median: $0, sigma: $1) },
      Case(
        "zipf", "speed · (rank / middle rank)^(-exponent), ranks of clients by lot: few are fast.",
        median("Speed of the client in the middle."),
        Part(
          "exponent", .number(above: 0, to: 10), .value(1.2), "How fast speeds fall with the rank.",
          synonyms: ["a", "s"])
      ) { .zipf(median: $0, exponent: $1) },
      Case(
        "table", "A speed for each client.",
        Part(
          "path", .text(.path), .optional, "A text file with one speed per line, client 0 first.",
          excludes: "values"
        ).ifGiven,
        Part(
          "values", .list(of: .speed, counts: 1...1_000_000, unique: false), .optional,
          "The speeds themselves.", synonyms: ["speeds"], excludes: "path"
        ).ifGiven
      ) { path, values in path.map { .table(path: $0) } ?? .values(values ?? []) },
    ])

  private static let network: [Setting<SystemSettings.Network>] = [
    Setting(
      \.up, "up", .quantity(.bandwidth, 1, 1e18), .value("10 Mbit/s"),
      "From a client to the server; the median with sigma > 0.", synonyms: ["upload", "uplink"]),
    Setting(
      \.down, "down", .quantity(.bandwidth, 1, 1e18), .value("50 Mbit/s"),
      "From server to client; the median with sigma > 0.", synonyms: ["download", "downlink"]),
    Setting(
      \.latency, "latency", .quantity(.duration, 0, 1e9), .value("40 ms"),
      "Of each message, before its first byte.", synonyms: ["delay", "ping"]),
    Setting(
      \.sigma, "sigma", .number(from: 0, to: 10), .value(0),
      "Log-normal spread over clients: both directions of a link have the same factor "
        + "exp(sigma · z)."),
  ]

  private static let availability = Cases<SystemSettings.Availability>(
    "kind", default: "always", shorthand: true,
    synonyms: ["file": "trace", "bernoulli": "rate", "coin": "rate", "none": "always"],
    [
      Case("always", "All, always.", .always),
      Case(
        "rate", "A coin for each client in each round, or whenever an asynchronous server asks.",
        Part(
          "rate", .number(from: 0.001, to: 1), .required, "Probability of being there.",
          synonyms: ["probability", "p"])
      ) { .rate($0) },
      Case(
        "trace", "Windows of time from a file; a client without any is always away.",
        Part(
          "path", .text(.path), .required,
          "A CSV file with the header client,from,to; times in virtual seconds.", synonyms: ["file"]
        )
      ) { .trace(path: $0) },
    ])
}

/// Checks of `system`.
extension ScenarioChecks {
  /// What the section alone shows to be wrong.
  mutating func checkSystem() {
    if text("system.compute.kind") == "table" {
      let values = values["system.compute.values"]?.elements
      if values == nil, text("system.compute.path") == nil {
        error(
          "E3360", "system.compute", "found a table without speeds",
          hint: "give \"path\" or \"values\"")
      }
      if let values, let clients = int("federation.clients"), values.count != clients {
        error(
          "E3361", "system.compute.values",
          "found \(values.count) speeds; federation.clients is \(clients)",
          hint: "give one speed for each client")
      }
    }
    let deadline = number("system.deadline")
    if text("system.stragglers") == "partial", deadline == nil {
      error(
        "E3362", "system.stragglers",
        "found \"partial\" without a deadline that stragglers could meet",
        hint: "give \"deadline\": \"60 s\"")
    }
    if let deadline, let latency = number("system.network.latency"), deadline <= 2 * latency {
      warn(
        "W3062", "system.deadline",
        "\(JSON.number(deadline).compact) s is no more than two latencies: every client that "
          + "receives and sends comes too late")
    }
  }

  /// The clock against methods and their privacy; the scenario is valid otherwise.
  mutating func checkClock(_ scenario: Scenario) {
    let federation = scenario.federation
    if let system = scenario.system, system.overSelection > 1,
      (system.overSelection * federation.expectedCohort).rounded() > Double(federation.clients)
    {
      warn(
        "W3061", "system.overSelection",
        "\(JSON.number(system.overSelection).compact) cohorts are more than all "
          + "\(federation.clients) clients")
    }
    let chooses = federation.sampling.readsLosses || federation.sampling.isScheduled
    if let system = scenario.system, chooses,
      system.availability != .always || system.overSelection > 1
    {
      error(
        "E3365", "system",
        "found federation.sampling \"\(federation.sampling.word)\"; it chooses a cohort among all "
          + "clients, without availability and overSelection",
        hint: "set federation.sampling to \"uniform\" or \"poisson\"")
    }
    for method in scenario.methods {
      let isAsynchronous = method.type.needs.contains(.clock)
      if let system = scenario.system, isAsynchronous,
        system.deadline != nil || system.overSelection > 1
      {
        warn(
          "W3060", method.path,
          "\(method.label) is asynchronous: system.deadline, overSelection and stragglers do not "
            + "apply to it")
      }
      if let system = scenario.system, isAsynchronous { checkArrivals(system, method) }
      if isAsynchronous, federation.sampling.readsLosses {
        warn(
          "W3063", method.path,
          "\(method.label) is asynchronous: federation.sampling does not choose its clients")
      }
      let link = method.choice.compression
      if link?.uplink?.sumsFirst == true, isAsynchronous || scenario.system?.holdsResults == true {
        error(
          "E3364", method.path,
          "\(method.label): ef21 and sums of factors need every message of a cohort; "
            + (isAsynchronous ? "an asynchronous method has no cohorts" : "some may be late"),
          hint: "take \"feedback\": \"ef-sgd\", and \"sums\": \"updates\"")
      }
      if isAsynchronous, link?.downlink?.memory == .shadow || link?.uplink?.layerwise != nil {
        error(
          "E3364", method.path,
          "\(method.label): a shadow model and layer-wise strengths go from round to round, and an "
            + "asynchronous method sends whenever somebody is idle",
          hint: "set \"shadow\" to false and leave layerwise out")
      }
      if let privacy = method.choice.privacy, !privacy.isInert, let mechanism = privacy.clientLevel
      {
        checkClock(mechanism, method)
      }
    }
  }

  /// A round of an asynchronous method lasts until as many messages have arrived as a cohort has
  /// clients, whatever is started in vain before.
  private mutating func checkArrivals(_ system: SystemSettings, _ method: CheckedMethod) {
    let starts = 1 / ((1 - system.dropout) * (1 - system.loss))
    guard starts >= 5 else { return }
    warn(
      "W3013", method.path,
      "\(method.label) is asynchronous: with this dropout and loss each message that arrives takes "
        + "\(NumberText.short(starts)) starts, and a round is that much slower to simulate",
      hint: "lower system.dropout or system.loss, or federation.rounds")
  }

  /// Client-level privacy is accounted for cohorts that are drawn and not selected by speed.
  private mutating func checkClock(
    _ mechanism: PrivacySettings.ClientMechanism, _ method: CheckedMethod
  ) {
    var reasons: [String] = []
    if method.type.needs.contains(.clock) {
      reasons.append("an asynchronous method has no drawn cohorts")
    }
    if let system = method.scenario.system {
      if system.overSelection > 1 { reasons.append("overSelection prefers fast clients") }
      if system.deadline != nil { reasons.append("deadline leaves slow clients out") }
      if system.availability != .always { reasons.append("availability changes who is drawn") }
      if mechanism.placement == .distributed, system.dropout > 0 || system.loss > 0 {
        reasons.append("shares of the noise go missing with dropout and loss")
      }
    }
    for reason in reasons {
      error(
        "E3363", method.path,
        "\(method.label): no accountant for client-level privacy here: \(reason)",
        hint: "leave it out, or set privacy.unit to \"example\"")
    }
  }
}
