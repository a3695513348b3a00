import Base
import Tensor

/// What the bits of a result depend on besides the scenario: written to `environment.json` and
/// shown by `doctor`.
package struct MachineFacts: Sendable {
  /// Such as "Linux 6.1.0".
  package let system: String
  /// Such as "AMD EPYC".
  package let processor: String
  /// Cores that this process may use.
  package let cores: Int
  /// Widest vector instructions of the CPU: "avx512", "avx2", "baseline".
  package let instructions: String
  /// Vector instructions that this program was compiled for.
  package let compiledFor: String
  /// Whose matrix products and convolutions run: "fedsim" or "OpenBLAS".
  package let kernels: String
  /// "release" or "debug".
  package let build: String
  /// What OpenBLAS says of itself.
  package let blas: BLAS.Facts

  package static let current = MachineFacts(
    system: systemName, processor: processorName, cores: Machine.coreCount,
    instructions: CPUFeatures.avx512 ? "avx512" : CPUFeatures.avx2 ? "avx2" : "baseline",
    compiledFor: CPUFeatures.compiledFor,
    kernels: CPUFeatures.prefersOwnKernels ? "fedsim" : "OpenBLAS", build: buildKind,
    blas: BLAS.facts)

  /// As JSON, in fixed order.
  package var json: JSON { Self.keys.json(self) }

  static let keys = Keys<Self>([
    Key("version", .text, "The program's version.") { _ in FedsimVersion.current },
    Key("scenarioVersion", .integer, "The scenario format's version.") { _ in
      FedsimVersion.scenarioFormat
    }, Key("build", .text, "release or debug.") { $0.build },
    Key("compiledFor", .text, "Vector instructions that the program was compiled for.") {
      $0.compiledFor
    },
    Key("kernels", .text, "Whose matrix products and convolutions run: fedsim or OpenBLAS.") {
      $0.kernels
    }, Key("system", .text, "Operating system.") { $0.system },
    Key("processor", .text, "Processor.") { $0.processor },
    Key("instructions", .text, "Widest vector instructions of the CPU.") { $0.instructions },
    Key("cores", .integer, "Cores that the process may use.") { $0.cores },
    .group(
      "blas",
      [
        Key("library", .text, "What OpenBLAS says of itself.") { $0.blas.configuration },
        Key("coreType", .text, "Kernels that it chose.") { $0.blas.coreType },
        Key("forcedCoreType", .orNull(.text), "Kernels that it was told; null: none.") {
          .some($0.blas.forcedCoreType)
        },
      ]),
  ])

  private static var systemName: String {
    var names = utsname()
    guard uname(&names) == 0 else { return "unknown" }
    func text<T>(_ field: T) -> String {
      withUnsafeBytes(of: field) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
    }
    return text(names.sysname) + " " + text(names.release) + " " + text(names.machine)
  }

  private static var processorName: String {
    guard let bytes = try? FileReader.bytes(of: "/proc/cpuinfo") else { return "unknown" }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix("model name") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      return String(line[line.index(after: colon)...].drop { $0 == " " })
    }
    return "unknown"
  }

  private static var buildKind: String {
    #if DEBUG
      "debug"
    #else
      "release"
    #endif
  }
}
