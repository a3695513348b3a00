import Base
import Client
import Data
import Federation
import Records
import Report
import Scenario

/// How a scenario spreads its images over clients under one seed, before anything is run.
package struct SplitPreview: Sendable {
  package let name: String
  package let seed: UInt64
  /// The other seeds of the scenario, whose splits are others.
  private let otherSeeds: [UInt64]
  private let data: LabelledData
  private let clients: [Client]
  private let sets: [Images]
  /// The data and the rule in words.
  private let conditions: String

  /// Images of each class that belong to something.
  private struct Images: Sendable {
    let name: String
    let perClass: [Int]

    var total: Int { perClass.reduce(0, +) }
    var classes: Int { perClass.count { $0 > 0 } }
  }

  /// What a client trains on.
  private struct Client: Sendable {
    let number: Int
    let images: Images
    /// How many classes of equal size are as mixed: e^H of the class mix, 0 without images.
    let effectiveClasses: Double
    /// ½ Σ_c |p_kc − p_c|; nil without images.
    let distance: Double?

    init(_ number: Int, _ perClass: [Int], pooled: [Int]) {
      self.number = number
      images = Images(name: "\(number)", perClass: perClass)
      let total = Double(images.total)
      let all = Double(pooled.reduce(0, +))
      guard total > 0 else {
        (effectiveClasses, distance) = (0, nil)
        return
      }
      let shares = perClass.map { Double($0) / total }
      effectiveClasses = exp(shares.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 })
      distance = zip(shares, pooled).reduce(0) { $0 + abs($1.0 - Double($1.1) / all) } / 2
    }
  }

  /// What is odd about the data and the split.
  package let warnings: [String]

  /// Reads the data of a scenario and makes the split of its first seed.
  ///
  /// - Throws: exit 3 when the scenario does not fit the data, 4 when data are missing or corrupt.
  package init(_ scenario: Scenario) throws(Failure) {
    var first = scenario
    first.seeds = Array(scenario.seeds.prefix(1))
    let experiment = try Experiment(first)
    let split = experiment.splits[0]
    name = scenario.name
    seed = scenario.seeds[0]
    otherSeeds = Array(scenario.seeds.dropFirst())
    data = experiment.data
    conditions = experiment.conditions[0]
    warnings = experiment.warnings
    clients = split.clients.indices.map {
      Client($0, split.clientClassCounts[$0], pooled: split.classCounts)
    }
    sets = Self.sets(split, data)
  }

  private static func sets(_ split: Split, _ data: LabelledData) -> [Images] {
    let lists: [(String, [Int]?)] = [
      ("training", split.trainIndices),
      ("clients' own tests", split.holdout.map { $0.flatMap { $0 } }),
      ("validation", split.validation.map { $0.flatMap { $0 } }),
      ("unseen clients", split.unseen.map { $0.clients.flatMap { $0 } }),
      ("unseen clients' own tests", split.unseen?.holdout.map { $0.flatMap { $0 } }),
      ("public", split.publicIndices), ("pre-training", split.pretrainIndices),
    ]
    var sets: [Images] = []
    for case (let name, let list?) in lists where !list.isEmpty || name == "training" {
      sets.append(Images(name: name, perClass: data.train.classCounts(of: list)))
    }
    let used = sets.reduce([Int](repeating: 0, count: data.train.classes)) { sum, set in
      zip(sum, set.perClass).map(+)
    }
    let rest = Images(name: "not used", perClass: zip(data.train.classCounts(), used).map(-))
    if rest.total > 0 { sets.append(rest) }
    return sets + [Images(name: "test set", perClass: data.test.classCounts())]
  }

  private func title(_ label: Int) -> String {
    data.classNames.isEmpty ? "\(label)" : data.classNames[label]
  }
}

// MARK: - In words and numbers

extension SplitPreview {
  /// What the measures mean.
  private static let formulas = [
    "Effective classes: e^H with H = -sum p_kc ln p_kc over the classes c of client k, whose share "
      + "is p_kc.",
    "Distance: total variation between a client's class mix and that of all clients together, "
      + "sum |p_kc - p_c| / 2: 0 alike, 1 nothing in common.",
  ]

  private var lead: [String] {
    let others = otherSeeds.map { "\($0)" }.joined(separator: ", ")
    return [
      "\(name): \(conditions); \(data.train.classes) classes",
      "seed \(seed)" + (others.isEmpty ? "" : " (the scenario has \(others) too: --seed)"),
    ]
  }

  private static let quantiles = [
    ("min", 0), ("10 %", 0.1), ("median", 0.5), ("90 %", 0.9), ("max", 1),
  ]

  /// Each measure over what it is a measure of.
  private var spreads: [(key: String, name: String, values: [Double], decimals: Int)] {
    let held = data.train.classes
    let totals = (0..<held).map { label in clients.reduce(0) { $0 + $1.images.perClass[label] } }
    let holders = (0..<held).map { label in clients.count { $0.images.perClass[label] > 0 } }
    return [
      ("images", "images of a client", clients.map { Double($0.images.total) }, 0),
      ("classes", "classes of a client", clients.map { Double($0.images.classes) }, 0),
      ("effectiveClasses", "effective classes", clients.map(\.effectiveClasses), 2),
      ("distance", "distance from all clients' mix", clients.compactMap(\.distance), 3),
      ("perClass", "images of a class", totals.map(Double.init), 0),
      ("holders", "clients that hold a class", holders.map(Double.init), 0),
    ]
  }

  private var summary: Table {
    var columns: [Column<(key: String, name: String, values: [Double], decimals: Int)>] = [
      .words("") { $0.name }
    ]
    for (title, share) in Self.quantiles {
      columns.append(
        Column(title) { .number(Metrics.percentile($0.values, share), $0.decimals) })
    }
    return Table(
      "Clients and classes", of: spreads, columns: columns,
      note: Self.formulas.joined(separator: " "))
  }

  private var setTable: Table {
    func spread(_ title: String, _ share: Double) -> Column<Images> {
      Column(title) { .number(Metrics.percentile($0.perClass.map(Double.init), share), 0) }
    }
    return Table(
      "Images", of: sets,
      columns: [
        .words("set") { $0.name }, Column("images") { .count($0.total) },
        Column("classes") { .count($0.classes) }, spread("smallest class", 0),
        spread("median", 0.5),
        spread("largest class", 1),
      ])
  }

  /// A row for each client; with its classes where they are few.
  private func clientTable(hasClasses: Bool) -> Table {
    var columns: [Column<Client>] = [
      .words("client") { $0.images.name }, Column("images") { .count($0.images.total) },
      Column("classes") { .count($0.images.classes) },
      Column("effective") { .number($0.effectiveClasses, 2) },
      Column("distance") { .number($0.distance, 3) },
    ]
    for label in 0..<(hasClasses ? data.train.classes : 0) {
      columns.append(
        Column(NumberText.shortened(title(label), 10)) { .count($0.images.perClass[label]) })
    }
    return Table("Clients", of: clients, columns: columns)
  }

  /// More clients than these are shown by their quantiles alone, and so are more classes.
  private static let most = (clients: 40, classes: 20)

  /// The lines, each at most `width` columns (at least 60, at most 120).
  package func text(width: Int) -> String {
    let layout = TerminalLayout(width: TerminalLayout.readable(width), names: 8...32)
    var lines = TextLines.wrapped(lead, layout.width) + [""] + summary.lines(layout) + [""]
    lines += setTable.lines(layout) + [""]
    if clients.count <= Self.most.clients {
      lines += clientTable(hasClasses: data.train.classes <= Self.most.classes).lines(layout) + [""]
    } else {
      lines += ["\(clients.count) clients: --html FILE shows each, --format json counts them", ""]
    }
    return (lines + TextLines.wrapped(Self.formulas, layout.width)).joined(separator: "\n")
  }

  /// Every number.
  package var json: [(String, JSON)] {
    func counts(_ images: Images) -> JSON { .array(images.perClass.map(JSON.int)) }
    return [
      ("name", .string(name)), ("data", .string(data.title)), ("conditions", .string(conditions)),
      ("seed", JSON(.number("\(seed)"))), ("classes", .int(data.train.classes)),
      ("classNames", data.classNames.isEmpty ? .null : .array(data.classNames.map(JSON.string))),
      ("formulas", .array(Self.formulas.map(JSON.string))),
      (
        "summary",
        .object(
          spreads.map { spread in
            (
              spread.key,
              .object(
                [("min", 0), ("median", 0.5), ("max", 1)].map { key, share in
                  let value = Metrics.percentile(spread.values, share)
                  return (key, value.isFinite ? .number(value) : .null)
                })
            )
          })
      ),
      (
        "sets",
        .array(
          sets.map {
            ["set": .string($0.name), "images": .int($0.total), "perClass": counts($0)]
          })
      ),
      (
        "clients",
        .array(
          clients.map { client in
            [
              "client": .int(client.number), "images": .int(client.images.total),
              "classes": .int(client.images.classes),
              "effectiveClasses": .number(client.effectiveClasses),
              "distance": client.distance.map(JSON.number) ?? .null,
              "perClass": counts(client.images),
            ]
          })
      ),
    ]
  }
}

// MARK: - As a figure

extension SplitPreview {
  /// Clients down, classes across.
  package var plot: Plot {
    let classes = data.train.classes
    let most = clients.reduce(1) { max($0, $1.images.perClass.max() ?? 0) }
    let column = classes <= 12 ? 62.0 : classes <= 40 ? 30 : 9
    let row = clients.count <= 40 ? 22.0 : clients.count <= 120 ? 12 : 4
    var cells: [(column: Int, row: Int, strength: Double, text: String)] = []
    for client in clients {
      for (label, count) in client.images.perClass.enumerated() where count > 0 {
        // Square roots: the tail of a long tail is seen, too.
        let strength = (Double(count) / Double(most)).squareRoot()
        let text = column >= 30 && row >= 22 && count < 100_000 ? "\(count)" : ""
        cells.append((label, client.number, strength, text))
      }
    }
    return Plot(
      title: "Training images by client and class",
      description: "A row for each of \(clients.count) clients, a column for each of \(classes) "
        + "classes; the stronger a cell, the more images, by the square root, up to \(most). "
        + "An empty cell is none.",
      x: Plot.Axis(
        "class", names: (0..<classes).map(title), slot: column, every: Self.step(classes, 40)),
      y: Plot.Axis(
        "client", names: clients.map(\.images.name), slot: row,
        every: Self.step(clients.count, 40)),
      marks: [.cells(cells)])
  }

  /// The least of 1, 2, 5, 10, … at which at most so many names are shown.
  private static func step(_ count: Int, _ most: Int) -> Int {
    var step = 1
    for factor in [2, 5, 10, 20, 50, 100, 200, 500, 1000] where count > most * step {
      step = factor
    }
    return max(step, count / 1000)
  }

  package var page: Page {
    Page(
      title: "Split of \(name)", lead: lead,
      sections: [
        Page.Section(
          "Spread", [.table(summary), .table(setTable)]),
        Page.Section("Clients", [.plots([plot]), .note(plot.description)]),
        Page.Section(
          "Numbers", [.details("each client", [.table(clientTable(hasClasses: false))])]),
      ])
  }
}
