/// Numbers, times and sizes as people read them; independent of any locale.
public enum NumberText {
  /// `value` with exactly `decimals` digits after the point, half away from zero; "-" when it is
  /// nil or not finite.
  public static func fixed(_ value: Double?, _ decimals: Int, plus: Bool = false) -> String {
    guard let value, value.isFinite else { return "-" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 9e15 else { return value.description }
    var digits = String(Int(clamping: scaled))
    if digits.utf8.count <= decimals {
      digits = String(repeating: "0", count: decimals + 1 - digits.utf8.count) + digits
    }
    let sign = value < 0 && scaled > 0 ? "-" : plus ? "+" : ""
    let whole = digits.dropLast(decimals)
    return sign + whole + (decimals > 0 ? "." + digits.suffix(decimals) : "")
  }

  /// A share as per cent without the sign: 0.2112 → "21.1".
  public static func percent(_ share: Double?, _ decimals: Int = 1) -> String {
    fixed(share.map { $0 * 100 }, decimals)
  }

  /// Bytes as megabytes of 10⁶ bytes, with at most three meaningful digits after a small number.
  public static func megabytes(_ bytes: Double?) -> String {
    guard let bytes else { return "-" }
    let value = bytes / 1e6
    return fixed(value, abs(value) >= 100 || value == 0 ? 0 : abs(value) >= 1 ? 1 : 3)
  }

  /// An ε with `decimals` digits after the point, and never fewer than two that count: "5.86",
  /// "0.0024", "1.2e-07"; a 0 is 0.
  public static func epsilon(_ value: Double?, _ decimals: Int = 2) -> String {
    guard let value, value.isFinite, value > 0 else {
      return value == 0 ? "0" : fixed(value, decimals)
    }
    var (mantissa, exponent) = (value, 0)
    while mantissa < 1 {
      mantissa *= 10
      exponent += 1
    }
    // Rounding may carry: 0.00996 has its first digit at the second place, and prints 0.010.
    if exponent + 1 <= decimals { return fixed(value, decimals) }
    if exponent <= 4 { return fixed(value, exponent + 1) }
    let digits = fixed(mantissa, 1)
    if digits == "10.0" { return "1.0e-" + two(exponent - 1) }
    return digits + "e-" + two(exponent)
  }

  /// A number with so many digits that count, in powers of ten where it would be long: "0.41308",
  /// "12345", "1.2346e+07".
  package static func significant(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, value != 0 else { return fixed(value, 0) }
    var power = Int(clamping: log10(abs(value)).rounded(.down))
    // Rounding may carry: 9.99996 has one digit more before the point.
    let half = 0.5 * pow(10, Double(power - digits + 1))
    if abs(value) + half >= pow(10, Double(power + 1)) { power += 1 }
    if (-4..<6).contains(power) { return fixed(value, max(0, digits - 1 - power)) }
    let mantissa = value / pow(10, Double(power))
    return fixed(mantissa, digits - 1) + "e" + (power < 0 ? "-" : "+") + two(abs(power))
  }

  /// A number as it would stand in a scenario: "0.05".
  package static func plain(_ value: Double) -> String { JSON.number(value).compact }

  /// About three digits, whatever the size: "8.12", "2.3e+07".
  package static func short(_ value: Double) -> String {
    guard value.isFinite, abs(value) >= 1e5 else { return fixed(value, 2) }
    var (mantissa, exponent) = (value, 0)
    while abs(mantissa) >= 10 {
      mantissa /= 10
      exponent += 1
    }
    return fixed(mantissa, 1) + "e+" + (exponent < 10 ? "0" : "") + "\(exponent)"
  }

  /// Floating-point operations, or those per second with `suffix` "/s": "1.24 PFLOP".
  public static func operations(_ count: Double?, suffix: String = "") -> String {
    guard var value = count, value.isFinite else { return "-" }
    for unit in ["", "k", "M", "G", "T", "P"] {
      if abs(value) < 1000 || unit == "P" {
        return fixed(value, abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : 2) + " \(unit)FLOP"
          + suffix
      }
      value /= 1000
    }
    return "-"
  }

  /// Bytes of memory or disk: "3.1 GiB", "12 MiB", "512 B".
  public static func storage(_ bytes: Double?) -> String {
    guard let bytes, bytes.isFinite else { return "-" }
    var value = bytes
    for unit in ["B", "KiB", "MiB", "GiB"] {
      if abs(value) < 1024 || unit == "GiB" {
        return fixed(value, unit == "B" || abs(value) >= 100 ? 0 : 1) + " " + unit
      }
      value /= 1024
    }
    return "-"
  }

  /// Seconds as hours, minutes and seconds: 645 → "0:10:45"; "-" when unknown.
  public static func duration(_ seconds: Double?) -> String {
    guard let seconds, seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "-" }
    let whole = Int(clamping: seconds.rounded())
    return "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
  }

  /// Seconds since 1970 as UTC in ISO 8601: "2025-06-01T12:03:44Z".
  ///
  /// - Source: days to civil date after Howard Hinnant, "chrono-compatible low-level date
  ///   algorithms"; proleptic Gregorian, no leap seconds.
  public static func timestamp(_ seconds: Double) -> String {
    guard seconds.isFinite, abs(seconds) < 2e11 else { return "-" }
    let total = Int(clamping: seconds.rounded(.down))
    let second = ((total % 86_400) + 86_400) % 86_400
    let shifted = (total - second) / 86_400 + 719_468  // days since 0000-03-01
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let date = "\(year)-\(two(month))-\(two(day))"
    return date + "T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
  }

  /// The text, or its beginning and its end around "…" if it is longer than `width` ≥ 1 columns:
  /// names that differ at one end stay different.
  public static func shortened(_ text: String, _ width: Int) -> String {
    guard text.count > width else { return text }
    let tail = (width - 1) / 2
    return text.prefix(max(0, width - 1 - tail)) + "…" + text.suffix(tail)
  }

  private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
