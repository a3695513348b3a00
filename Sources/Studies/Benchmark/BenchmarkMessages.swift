import Base

extension MessageCatalogue {
  package static let benchmarks: [Entry] = [
    Entry(
      "E1022", "self-test failed", "doctor's training of a small model failed: a bug.",
      "Report it with the output of fedsim version."),
    Entry(
      "E2008", "a workload does not fit in memory",
      "bench would need more memory than is free. Nothing was allocated.",
      "Lower --clients, --samples or --threads, or end other programs."),
  ]
}
