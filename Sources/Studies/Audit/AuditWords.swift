import Base

/// Texts that the page and the tables share.
enum AuditWords {
  /// An attack and what the gradient was protected by.
  static func title(_ attack: AuditSettings.Attack, _ defence: GradientDefence?) -> String {
    guard let defence else { return attack.rawValue }
    return "\(attack.rawValue), σ = \(JSON.number(defence.noise).compact)"
  }

  /// Three digits of a number of any size: 0.0123, 4.56, 1.2e-07.
  static func short(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return NumberText.fixed(value, 0) }
    let size = Int(clamping: log10(abs(value)).rounded(.down))
    if size >= -3, size < 6 { return NumberText.fixed(value, max(0, 2 - size)) }
    var scaled = value
    for _ in 0..<abs(size) { scaled = size < 0 ? scaled * 10 : scaled / 10 }
    return NumberText.fixed(scaled, 1) + "e\(size)"
  }
}
