import Accounting
import Base
import Report

/// What `fedsim privacy local` answers: how good a mean is of reports that are private by
/// themselves.
struct LocalPrinter {
  private let options: PrivacyOptions
  private let report: PrivUnitG
  /// σ of Gaussian noise for the same ε and δ, with clip norm 1.
  private let gaussian: Double

  /// ε that reports may have.
  static let epsilons = 1e-3...100.0

  init(_ options: PrivacyOptions) {
    self.options = options
    report = PrivUnitG(epsilon: options.epsilon)
    // Who replaces a vector moves the sum by two clips.
    gaussian = 2 / GaussianMechanism(epsilon: options.epsilon, delta: options.delta).shift
  }

  private func error(_ deviation: Double) -> Double {
    LocalReports.meanError(
      dimension: options.dimension, variance: deviation * deviation, clients: options.cohort)
  }

  var json: JSON {
    .object([
      ("schema", 1), ("status", "ok"), ("question", "local"),
      ("epsilon", .number(options.epsilon)), ("delta", .number(options.delta)),
      ("dimension", .int(options.dimension)), ("cohort", .int(options.cohort)),
      (
        "privunit",
        [
          "probability": .number(report.probability), "threshold": .number(report.threshold),
          "deviation": .number(report.scale), "meanError": .number(error(report.scale)),
        ]
      ), ("gaussian", ["deviation": .number(gaussian), "meanError": .number(error(gaussian))]),
      ("neighbours", "replace-one"), ("unit", "client"),
    ])
  }

  var text: String {
    func words(_ deviation: Double) -> String {
      "deviation \(NumberText.fixed(deviation, 4)) clip norms per coordinate; the error of the "
        + "mean is \(NumberText.fixed(error(deviation), 2)) clip norms long"
    }
    let least = min(error(report.scale), error(gaussian))
    var rows = [
      ("PrivUnitG", words(report.scale) + ", delta 0"),
      ("Gaussian", words(gaussian) + ", delta \(JSON.number(options.delta).compact)"),
      (
        "reports",
        "\(options.cohort) of \(options.dimension) numbers each, one release at epsilon "
          + JSON.number(options.epsilon).compact
      ), ("unit of privacy", "one client, from whoever receives its report"),
      ("neighbours", "one report's data replaced"),
    ]
    if least >= 1 {
      rows.insert(
        ("reading", "the mean itself is at most 1 clip norm long: its error hides it"), at: 2)
    }
    return Table.terms(rows, room: 15).lines(.list).joined(separator: "\n")
  }
}

/// What `fedsim privacy shuffle` answers: what a shuffler makes of reports that are private by
/// themselves.
struct ShufflePrinter {
  private let options: PrivacyOptions
  private let epsilon: Double
  private let closedForm: Double?

  /// Most reports; the sums of so many take more than half a minute.
  static let mostClients = 1_000_000
  /// ε₀ that reports may have.
  static let largestEpsilon = 40.0

  init(_ options: PrivacyOptions) {
    self.options = options
    let shuffle = ShuffleAmplification(
      clients: options.population, localEpsilon: options.epsilon)
    epsilon = shuffle.epsilon(delta: options.delta)
    closedForm = shuffle.closedForm(delta: options.delta)
  }

  /// Whether names would have told next to nothing more.
  private var gainsNothing: Bool { epsilon > 0.99 * options.epsilon }

  var json: JSON {
    .object([
      ("schema", 1), ("status", "ok"), ("question", "shuffle"),
      ("population", .int(options.population)), ("localEpsilon", .number(options.epsilon)),
      ("delta", .number(options.delta)), ("epsilon", .number(epsilon)),
      ("closedForm", closedForm.map { .number($0) } ?? .null), ("neighbours", "replace-one"),
      ("unit", "client"),
    ])
  }

  var text: String {
    let closed = closedForm.map(PrivacyPrinter.up) ?? "does not hold for so few reports"
    var rows = [
      (
        "epsilon",
        "\(PrivacyPrinter.up(epsilon)) at delta \(JSON.number(options.delta).compact), by the "
          + "clones' reduction (arXiv:2012.12803)"
      ), ("closed form", closed),
      (
        "reports",
        "\(options.population), each with epsilon \(JSON.number(options.epsilon).compact) by "
          + "itself, without names"
      ), ("unit of privacy", "one client, from whoever receives the shuffled reports"),
      ("neighbours", "one report's data replaced; one release, and a shuffler that is trusted"),
    ]
    if gainsNothing {
      rows.insert(("reading", "shuffling gains nothing here"), at: 2)
    }
    return Table.terms(rows, room: 15).lines(.list).joined(separator: "\n")
  }
}
