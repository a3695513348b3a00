import COpenBLAS

/// The one door to OpenBLAS.
///
/// The library is opened on first use, on the best core type for this CPU, with one thread per
/// caller: concurrency is across clients, and a product that is never split keeps its order of
/// summation.
public enum BLAS {
  /// What was opened, for `doctor` and `environment.json`.
  public struct Facts: Sendable {
    /// The kernels in use, such as "SkylakeX".
    public let coreType: String
    /// The core type we asked for, or nil when the library or the user chose.
    public let forcedCoreType: String?
    /// Version and build options.
    public let configuration: String
    /// Why the library could not be opened, or nil.
    public let failure: String?
  }

  /// Opens the library on first use; afterwards constant.
  public static let facts: Facts = {
    let failure = copenblas_open().map { String(cString: $0) }
    let forced = String(cString: copenblas_forced_core())
    return Facts(
      coreType: String(cString: copenblas_core_name()),
      forcedCoreType: forced.isEmpty ? nil : forced,
      configuration: String(cString: copenblas_config()), failure: failure)
  }()

  /// Whether an operand is read as it is or transposed.
  package enum Form: Int32 {
    case normal = 0
    case transposed = 1
  }

  /// C ← α·op(A)·op(B) + β·C, all row-major with dense rows unless a leading dimension is given.
  ///
  /// `m`: rows of op(A) and C. n: columns of op(B) and C. k: columns of op(A).
  ///
  /// `lda`: floats per stored row of A; default its stored width. Likewise ldb, ldc.
  ///
  /// - Complexity: 2·m·n·k floating-point operations.
  package static func gemm(
    _ formA: Form, _ formB: Form, m: Int, n: Int, k: Int, alpha: Float = 1,
    _ a: UnsafePointer<Float>, lda: Int? = nil, _ b: UnsafePointer<Float>, ldb: Int? = nil,
    beta: Float, _ c: UnsafeMutablePointer<Float>, ldc: Int? = nil
  ) {
    precondition(facts.failure == nil, "BLAS.gemm: \(facts.failure ?? "")")
    guard m > 0, n > 0 else { return }
    copenblas_sgemm(
      formA.rawValue, formB.rawValue, Int32(m), Int32(n), Int32(k), alpha, a,
      Int32(lda ?? (formA == .normal ? k : m)), b, Int32(ldb ?? (formB == .normal ? n : k)), beta,
      c, Int32(ldc ?? n))
  }
}

/// Instruction sets that the CPU and the system offer.
public enum CPUFeatures {
  /// AVX-512 F, BW, DQ and VL.
  public static var avx512: Bool { copenblas_cpu_has_avx512() != 0 }
  /// AVX2 and FMA.
  public static var avx2: Bool { copenblas_cpu_has_avx2() != 0 }
  /// Whether the program may use fused multiply-adds; a constant that the compiler folds.
  @inline(__always) package static var compiledWithFMA: Bool { COPENBLAS_COMPILED_FMA != 0 }
  /// Whether the program may use AVX-512; a constant that the compiler folds.
  @inline(__always) package static var compiledForAVX512: Bool { COPENBLAS_VECTOR_FLOATS == 16 }
  /// Whether products run on the kernels here instead of OpenBLAS.
  ///
  /// Compiled for the vectors of this CPU they are the faster ones in every shape that was measured
  /// (`fedsim bench kernels`). Vectors that the compiler had to cut in pieces lose to a library
  /// that picks its instructions at run time.
  package static let prefersOwnKernels = compiledForAVX512 || compiledWithFMA && !avx512

  /// What this program was compiled for: "avx512", "avx2" or "baseline".
  public static var compiledFor: String { String(cString: copenblas_compiled_for()) }
  /// Floats in a vector register that this program was compiled for: 16, 8 or 4.
  @inline(__always) package static var compiledVectorFloats: Int { Int(COPENBLAS_VECTOR_FLOATS) }
}

extension UnsafePointer<Float> {
  /// Asks for the cache line here, without waiting; the address may lie anywhere.
  @inline(__always) func prefetch() { copenblas_prefetch(self) }
}
