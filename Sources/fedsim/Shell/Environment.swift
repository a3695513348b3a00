import Base

/// Environment variables without Foundation.
enum Environment {
  /// The value of a variable, or nil.
  static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
