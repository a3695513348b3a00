/// `fedsim privacy` with numbers at all ends of their ranges.
enum CalculatorKind {
  private static let rates = [
    "0", "1", "0.01", "0.5", "1e-3", "1e-6", "1e-9", "1e-12", "1e-18", "1e-300", "5e-324",
    "0.9999999999999999", "0.999", "1.0000000000000002", "-0.1", "-0",
  ]
  private static let noises = [
    "0", "0.01", "0.05", "0.1", "0.3", "0.5", "1", "1.1", "4", "40", "1000", "1e6", "1e9", "1e18",
    "1e300", "1e-3", "1e-9", "1e-300", "5e-324", "-1",
  ]
  private static let steps = [
    "1", "2", "3", "10", "100", "1000", "2500", "1000000", "1000000000", "1000000001", "0", "-1",
    "9223372036854775807", "1e3",
  ]
  private static let epsilons = [
    "0", "1", "8", "0.1", "1e-3", "1e-9", "1e-300", "32", "100", "1000", "1e6", "1e12", "1e300",
    "-1",
  ]
  private static let deltas = [
    "1e-5", "1e-9", "1e-15", "1e-30", "1e-100", "1e-300", "5e-324", "0.5", "0.9", "0.999999",
    "0.9999999999999999", "1", "0", "-1e-5", "1e-3",
  ]

  static func make(seed: UInt64, number: Int) -> FuzzCase {
    var tried = FuzzCase(.calculator, seed: seed, number: number)
    var dice = tried.dice
    let verb = dice.pick(["epsilon", "epsilon", "noise", "steps", "plan", "local", "shuffle"])
    var words = ["privacy", verb]
    func option(_ name: String, _ values: [String]) {
      let text = dice.chance(0.03) ? dice.pick(Extremes.all) : dice.pick(values)
      if !dice.chance(0.01) { words += ["--\(name)", text] }
    }
    if verb == "plan" {
      option("examples", ["1", "2", "10", "1000", "50000", "1000000000", "9223372036854775807"])
      option("steps", steps)
      option("epsilon", epsilons)
      option("delta", deltas)
      if dice.chance(0.5) {
        option("batches", ["1", "1,2,4", "64,1024", "1000000000", "0", "", "1,1", "50000", "a,b"])
      }
    } else if verb == "local" || verb == "shuffle" {
      option("epsilon", epsilons)
      option("delta", deltas)
      if verb == "local" {
        option("dimension", ["1", "1000", "1000000000000", "0"])
        option("cohort", ["1", "100", "1000000000000", "0"])
      } else {
        option("population", ["1", "2", "100", "5000", "0", "1000001"])
      }
    } else if ["epsilon", "noise"].contains(verb), dice.chance(0.3) {
      option("mechanism", ["banded", "banded", "banded-inverse", "tree"])
      option("rounds", ["1", "2", "10", "64", "300", "0", "20000", "20001"])
      if dice.chance(0.6) { option("bands", ["1", "2", "5", "20", "300", "0"]) }
      if dice.chance(0.8) { option("separation", ["1", "2", "5", "20", "1000000", "0"]) }
      if dice.chance(0.4) { option("participations", ["1", "3", "1000000", "0"]) }
      if dice.chance(0.4) {
        words += ["--sampling", "cyclic"]
        option("population", ["1", "100", "1000000000", "0"])
        option("cohort", ["1", "5", "100", "0"])
      }
      if verb == "noise" { option("epsilon", epsilons) } else { option("noise", noises) }
      option("delta", deltas)
    } else {
      option("rate", rates)
      if verb != "noise" { option("noise", noises) }
      if verb != "steps" { option("steps", steps) }
      if verb != "epsilon" { option("epsilon", epsilons) }
      option("delta", deltas)
    }
    if dice.chance(0.4) { option("sampling", ["poisson", "without-replacement"]) }
    if dice.chance(0.2) { option("unit", ["example", "client"]) }
    if dice.chance(0.4) { words += ["--format", "json"] }
    tried.steps = [Step(words)]
    return tried
  }
}
