/// The section `limits`: what a run may take of this machine.
extension ScenarioFields {
  static let limits = Part(
    "limits",
    .object(
      LimitSettings(),
      [
        Setting(
          \.wallTime, "wallTime", .quantity(.duration, 0, 1e12, exclusiveMinimum: true), .optional,
          "Of one call of run or resume: it stops after the round after which the next would not "
            + "fit.", synonyms: ["time", "walltime", "maxTime", "timeout", "hours"]),
        Setting(
          \.memory, "memory", .quantity(.storage, 0, 1e18, exclusiveMinimum: true), .optional,
          "Of the process: it stops after the round in which its largest size passed the limit.",
          synonyms: ["ram", "maxMemory", "mem"]),
        Setting(
          \.disk, "disk", .quantity(.storage, 0, 1e18, exclusiveMinimum: true), .optional,
          "Of the run folder, with the models that are still to be written.",
          synonyms: ["maxDisk", "storage"]),
      ]), .optional,
    "What a run may take of this machine. At a limit it writes a checkpoint and ends with exit 6; "
      + "resume goes on. Limits change no result and are no part of what a run folder belongs to.",
    synonyms: ["limit", "budget", "resources"]
  ).ifGiven
}
