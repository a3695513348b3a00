import Base
import Federation
import Studies
import Tensor

/// The options of `fedsim doctor`.
package struct DoctorOptions: Equatable {
  package let format: OutputFormat
  package let isQuiet: Bool

  package init(_ invocation: Invocation) throws(Failure) {
    try invocation.noOperands()
    format = invocation.format
    isQuiet = invocation.isQuiet
  }
}

/// `fedsim doctor`: what this machine is, how fast it is, and whether it repeats itself.
package enum DoctorCommand {
  package static func run(_ options: DoctorOptions) throws -> ExitCode {
    let facts = MachineFacts.current
    if let failure = facts.blas.failure {
      throw Failure(
        .dataMissingOrCorrupt, "E1020", failure,
        hint: "install OpenBLAS (Debian: apt-get install libopenblas-dev)")
    }
    let probe = try MachineProbe.measure(threads: facts.cores)
    switch options.format {
    case .json:
      var json = facts.json
      json["status"] = .string(probe.isDeterministic ? "ok" : "error")
      json["gflops"] = [
        "oneThread": .number(probe.productOneThread),
        "allThreads": .number(probe.productAllThreads), "threads": .int(probe.threads),
      ]
      json["deterministic"] = .bool(probe.isDeterministic)
      Console.print(json)
    case .text: Console.print(terms(facts, probe))
    }
    return probe.isDeterministic ? .done : .mismatch
  }

  private static func terms(_ facts: MachineFacts, _ probe: MachineProbe) -> [(
    name: String, words: String
  )] {
    var terms = [
      ("fedsim", "\(FedsimVersion.current), \(facts.build) build for \(facts.compiledFor)"),
      ("system", facts.system),
      ("processor", "\(facts.processor), \(facts.cores) cores, \(facts.instructions)"),
      ("kernels", "\(facts.kernels)'s, as compiled for \(facts.compiledFor)"),
      ("blas", facts.blas.configuration),
      (
        "core type",
        facts.blas.coreType
          + (facts.blas.forcedCoreType == nil
            ? "" : " (chosen by fedsim; FEDSIM_OPENBLAS_CORETYPE changes it)")
      ),
      (
        "product",
        "\(Int(clamping: probe.productOneThread)) GFLOP/s on one thread, "
          + "\(Int(clamping: probe.productAllThreads)) on \(probe.threads)"
      ),
      (
        "determinism",
        probe.isDeterministic
          ? "ok: the same bits with one thread and with several"
          : "FAILED: bits differ between one thread and several"
      ),
    ]
    if facts.build == "release", facts.instructions != facts.compiledFor {
      terms.append(
        (
          "hint",
          "this program was compiled for \(facts.compiledFor); `make build` compiles for this "
            + "machine"
        ))
    }
    return terms
  }
}
