import Aggregation
import Base
import Tensor

/// Checks of `strategies`.
extension ScenarioChecks {
  mutating func checkStrategies() {
    var labels: [String: Int] = [:]
    var seen: [String: Int] = [:]
    for index in 0..<1000 {
      let path = "strategies[\(index)]"
      // Gaps are strategies that have problems of their own.
      guard lines[path] != nil else { break }
      guard let kind = text("\(path).kind") else { continue }
      if let label = text("\(path).label") {
        // Some file systems do not tell capitals from small letters.
        if let first = labels[label.lowercased()] {
          error(
            "E3203", "\(path).label",
            "found \"\(label)\"; strategies[\(first)] already has this label",
            hint: "labels name folders and must differ")
        } else {
          labels[label.lowercased()] = index
        }
      }
      guard let info = infos.first(where: { $0.kind == kind }) else { continue }
      checkDegenerate(info, at: path)
      checkOptimizer(kind, at: path)
      checkTrainedNetwork(kind, at: path)
      checkOwnClient(at: path)
      let settings = values.keys.filter { key in
        let name = String(key.dropFirst(path.count + 1))
        return key.hasPrefix("\(path).") && name != "label"
          && !(name.hasPrefix("client.") && values[key] == values[name])
      }.sorted().map { "\($0.dropFirst(path.count))=\(values[$0]?.compact ?? "")" }
      if let first = seen.updateValue(index, forKey: "\(kind) \(settings)") {
        warn(
          "W3008", path, "the same method and settings as strategies[\(first)]",
          hint: "both runs will have the same results")
      }
      if let spec = optimizer(at: path), let caution = StrategyRegistry[kind]?.caution(about: spec)
      {
        warn("W3005", path, caution.warning, hint: caution.hint)
      }
    }
  }

  /// A section of its own that says nothing else than the scenario's.
  private mutating func checkOwnClient(at path: String) {
    let own = values.keys.filter { $0.hasPrefix("\(path).client.") }
    let common = values.keys.filter { $0.hasPrefix("client.") }
    guard lines["\(path).client"] != nil, own.count == common.count,
      own.allSatisfy({ values[$0] == values[String($0.dropFirst(path.count + 1))] })
    else { return }
    warn(
      "W3021", "\(path).client", "no effect: it says what the scenario's client says",
      hint: "leave it out")
  }

  /// The optimizer of a strategy's clients as far as methods judge it; nil when its kind is not
  /// valid.
  private func optimizer(at strategy: String) -> OptimizerSpec? {
    let path = "\(clientSection(of: strategy)).optimizer"
    guard let kind = text("\(path).kind").flatMap(OptimizerSpec.Kind.init) else { return nil }
    return OptimizerSpec(
      kind: kind, learningRate: number("\(path).learningRate") ?? 0.1,
      momentum: number("\(path).momentum") ?? 0,
      nesterov: values["\(path).nesterov"]?.truth ?? false)
  }

  /// Some methods' equations hold for some optimizers only; each objection is reported once.
  private mutating func checkOptimizer(_ kind: String, at strategy: String) {
    let path = "\(clientSection(of: strategy)).optimizer.kind"
    guard let type = StrategyRegistry[kind], let spec = optimizer(at: strategy) else { return }
    func complaint(about kind: OptimizerSpec.Kind) -> String? {
      var other = spec
      other.kind = kind
      return type.objection(to: other)
    }
    guard let objection = complaint(about: spec.kind) else { return }
    let message = "found \"\(spec.kind.rawValue)\"; \(objection)"
    guard
      !problems.contains(where: {
        $0.code == "E3302" && $0.message == message && $0.path == "$.\(path)"
      })
    else { return }
    let other = OptimizerSpec.Kind.allCases.first { complaint(about: $0) == nil }
    error("E3302", path, message, suggestion: other.map { "\"\($0.rawValue)\"" })
  }

  private mutating func checkDegenerate(_ info: MethodInfo, at path: String) {
    for field in info.fields {
      guard let degenerate = field.degenerate, let value = values["\(path).\(field.name)"],
        JSON.sameNumber(value, degenerate.value.json)
      else { continue }
      warn(
        "W3002", "\(path).\(field.name)",
        "\(field.name) = \(value.compact): \(info.kind) equals \(degenerate.equals)",
        hint: "the paper's value is \(field.initial.json.compact)")
    }
  }
}

extension JSON {
  /// Equal as numbers (0, 0.0 and -0 are one), or equal as they stand.
  fileprivate static func sameNumber(_ a: JSON, _ b: JSON) -> Bool {
    if let x = a.double, let y = b.double { return x == y }
    return a == b
  }
}
