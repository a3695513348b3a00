/// The versions that a run folder records.
public enum FedsimVersion {
  /// The program's version.
  public static let current = "0.1"
  /// The scenario format's version: the value of `fedsim` in a scenario.
  public static let scenarioFormat = 1
}
