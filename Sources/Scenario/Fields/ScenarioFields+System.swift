import Base

/// The section `system`: devices, links and the server's patience, in virtual time.
extension ScenarioFields {
  package static let system = Field(
    "system", .object(systemFields), .optional,
    "Devices and links of a simulated federation: rounds get a duration in virtual seconds. "
      + "Without it there is no clock, but for asynchronous methods, which run on its defaults.",
    synonyms: ["devices", "clock", "simulation", "heterogeneity"])

  private static let systemFields: [Field] = [
    Field(
      "compute", .union(compute), .value([:]), "How fast devices compute.",
      synonyms: ["speed", "devices"]),
    Field(
      "network", .object(network), .value([:]), "The links between clients and server.",
      synonyms: ["links", "bandwidth"]),
    Field("availability", .union(availability), .value("always"), "Which clients can be asked."),
    share("dropout", "Share of clients that vanish in the middle of a round; nothing comes back."),
    share("loss", "Share of uploads that are sent, counted and lost."),
    Field(
      "deadline", .quantity(.duration, 0, 1e12, exclusiveMinimum: true), .optional,
      "A synchronous round ends so long after its start, whoever is missing.",
      synonyms: ["timeout", "round_deadline"]),
    Field(
      "overSelection", .number(from: 1, to: 100), .value(1),
      "So many times a cohort is drawn, and the first arrivals that make a cohort are taken.",
      synonyms: ["over_selection", "overcommit", "over_commitment", "oversampling"]),
    Field(
      "stragglers", .choice(of: SystemSettings.Stragglers.self), .value("drop"),
      "What becomes of clients that would miss the deadline: nothing, or they make fewer steps.",
      synonyms: ["straggler"]),
    Field(
      "energy",
      .object([
        amount("computeWatts", unit: "W", "Power of a device that computes."),
        amount("sendWatts", unit: "W", "Power of a device that sends."),
        amount("receiveWatts", unit: "W", "Power of a device that receives."),
      ]), .optional,
      "What devices draw while they work; each round's record then has their joules.",
      synonyms: ["power"]),
    Field(
      "cost",
      .object([
        amount("perGigabyteUp", "Price of 10^9 bytes from clients to the server."),
        amount("perGigabyteDown", "Price of 10^9 bytes from the server to clients."),
        amount("perDeviceHour", "Price of an hour of a device that works."),
      ]), .optional, "Prices in any currency; each round's record then has its cost.",
      synonyms: ["price", "prices"]),
  ]

  private static func share(_ name: String, _ summary: String) -> Field {
    Field(name, .number(from: 0, to: 0.99), .value(0), summary)
  }

  private static func amount(_ name: String, unit: String? = nil, _ summary: String) -> Field {
    Field(name, .number(from: 0, to: 1e12), .value(0), unit: unit, summary)
  }

  private static func median(_ summary: String) -> Field {
    Field("speed", .speed, .value("20 GFLOP/s"), summary, synonyms: ["flops", "median"])
  }

  private static let compute = Union(
    "kind", default: "constant",
    synonyms: ["log-normal": "lognormal", "uniform": "constant", "file": "table"],
    [
      Variant("constant", "All devices alike.", [median("Speed of every device.")]),
      Variant(
        "lognormal", "speed · exp(sigma · z), z of each client from N(0, 1).",
        [
          median("Median of the speeds."),
          Field(
            "sigma", .number(from: 0, to: 10), .value(0.6), "Standard deviation of the logarithm.",
            synonyms: ["std", "scale"]),
        ]),
      Variant(
        "zipf", "speed · (rank / middle rank)^(-exponent), ranks of clients by lot: few are fast.",
        [
          median("Speed of the client in the middle."),
          Field(
            "exponent", .number(above: 0, to: 10), .value(1.2),
            "How fast speeds fall with the rank.", synonyms: ["a", "s"]),
        ]),
      Variant(
        "table", "A speed for each client.",
        [
          Field(
            "path", .text(.path), .optional, "A text file with one speed per line, client 0 first.",
            excludes: "values"),
          Field(
            "values", .list(of: .speed, counts: 1...1_000_000, unique: false), .optional,
            "The speeds themselves.", synonyms: ["speeds"], excludes: "path"),
        ]),
    ])

  private static let network: [Field] = [
    Field(
      "up", .quantity(.bandwidth, 1, 1e18), .value("10 Mbit/s"),
      "From a client to the server; the median with sigma > 0.", synonyms: ["upload", "uplink"]),
    Field(
      "down", .quantity(.bandwidth, 1, 1e18), .value("50 Mbit/s"),
      "From the server to a client; the median with sigma > 0.",
      synonyms: ["download", "downlink"]),
    Field(
      "latency", .quantity(.duration, 0, 1e9), .value("40 ms"),
      "Of each message, before its first byte.", synonyms: ["delay", "ping"]),
    Field(
      "sigma", .number(from: 0, to: 10), .value(0),
      "Log-normal spread over clients: both directions of a link have the same factor "
        + "exp(sigma · z)."),
  ]

  private static let availability = Union(
    "kind", default: "always", shorthand: true,
    synonyms: ["file": "trace", "bernoulli": "rate", "coin": "rate", "none": "always"],
    [
      Variant("always", "All, always."),
      Variant(
        "rate", "A coin for each client in each round, or whenever an asynchronous server asks.",
        [
          Field(
            "rate", .number(from: 0.001, to: 1), .required, "Probability of being there.",
            synonyms: ["probability", "p"])
        ]),
      Variant(
        "trace", "Windows of time from a file; a client without any is always away.",
        [
          Field(
            "path", .text(.path), .required,
            "A CSV file with the header client,from,to; times in virtual seconds.",
            synonyms: ["file"])
        ]),
    ])
}
