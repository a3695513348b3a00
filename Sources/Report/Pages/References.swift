import Aggregation
import Base
import Records

extension ReportInput.Reference {
  /// What the folders' methods, protections and codecs, and the report's measures, come from.
  package static func all(_ folders: [RunFolder], _ input: ReportInput) -> [ReportInput.Reference] {
    var list: [ReportInput.Reference] = []
    func add(_ title: String, _ source: String) {
      let entry = ReportInput.Reference(title: title, source: source)
      if !list.contains(entry) { list.append(entry) }
    }
    var codecs: Set<String> = []
    for folder in folders {
      for settings in folder.resolved["strategies"]?.elements ?? [] {
        let kind = settings["kind"]?.text ?? ""
        if let info = StrategyRegistry[kind]?.info { add(info.title, info.source) }
        codecs.formUnion(kinds(settings["compression"]))
      }
      codecs.formUnion(kinds(folder.resolved["compression"]))
    }
    for (kind, title, source) in codecSources where codecs.contains(kind) { add(title, source) }
    if input.strategies.contains(where: { $0.runs.contains { $0.lastPrivacy != nil } }) {
      for (title, source) in privacySources { add(title, source) }
    }
    if !input.comparisons.isEmpty { for (title, source) in testSources { add(title, source) } }
    if !input.diagnostics.isEmpty {
      add("Calibration error", "Guo, Pleiss, Sun and Weinberger, ICML 2017, arXiv:1706.04599")
      if input.diagnostics.contains(where: { $0.models.contains { $0.collapse != nil } }) {
        add("Neural collapse", "Papyan, Han and Donoho, PNAS 2020, arXiv:2008.08186")
      }
    }
    return list
  }

  /// Every `kind` below a node.
  private static func kinds(_ json: JSON?) -> Set<String> {
    guard let json else { return [] }
    var found: Set<String> = []
    if let kind = json["kind"]?.text { found.insert(kind) }
    for member in json.members ?? [] { found.formUnion(kinds(member.value)) }
    for element in json.elements ?? [] { found.formUnion(kinds(element)) }
    return found
  }

  private static let codecSources = [
    ("natural", "Natural compression", "Horváth et al., arXiv:1905.10988"),
    ("qsgd", "QSGD", "Alistarh, Grubic, Li, Tomioka and Vojnovic, NeurIPS 2017"),
    ("ternary", "TernGrad", "Wen et al., NeurIPS 2017"),
    ("low-rank", "PowerSGD", "Vogels, Karimireddy and Jaggi, NeurIPS 2019"),
    ("dgc", "Deep gradient compression", "Lin, Han, Mao, Wang and Dally, ICLR 2018"),
  ]

  private static let privacySources = [
    (
      "Privacy loss distributions",
      "Koskela, Jälkö and Honkela 2020, arXiv:1906.03049; Doroshenko et al. 2022, arXiv:2207.04380"
    ),
    (
      "Rényi differential privacy",
      "Mironov 2017, arXiv:1702.07476; Mironov, Talwar and Zhang 2019, arXiv:1908.10530"
    ),
  ]

  private static let testSources = [
    ("Sign-flip test", "Fisher, The Design of Experiments, 1935, section 21"),
    ("Signed-rank test", "Wilcoxon, Individual comparisons by ranking methods, 1945"),
    (
      "Correction for several tests",
      "Holm, A simple sequentially rejective multiple test procedure, 1979"
    ),
  ]
}
