// The C side of the one door to OpenBLAS (Sources/Tensor/Kernels/BLAS.swift).
//
// The library is opened at run time, not linked: OpenBLAS picks its kernels from the variable
// OPENBLAS_CORETYPE once, while it is being loaded, so that variable has to be set before.
#ifndef FEDSIM_COPENBLAS_H
#define FEDSIM_COPENBLAS_H

#include <stdint.h>

/// Opens OpenBLAS on the best core type for this CPU, with one thread per caller. Call once,
/// before any other function. Returns NULL, or why it failed.
const char *copenblas_open(void);

/// The core type whose kernels are in use, such as "SkylakeX"; "" before `copenblas_open`.
const char *copenblas_core_name(void);
/// The core type that this CPU made us ask for; "" when OpenBLAS chose, or when the user did
/// through FEDSIM_OPENBLAS_CORETYPE.
const char *copenblas_forced_core(void);
/// Version and build options as OpenBLAS reports them.
const char *copenblas_config(void);

/// C = alpha * op(A) * op(B) + beta * C, row-major, op(A) is [m, k], op(B) is [k, n].
void copenblas_sgemm(int transA, int transB, int m, int n, int k, float alpha, const float *a,
                     int lda, const float *b, int ldb, float beta, float *c, int ldc);

/// 1 when the CPU and the system support the AVX-512 subset of Intel's Skylake servers.
int copenblas_cpu_has_avx512(void);
/// 1 when the CPU and the system support AVX2 and FMA.
int copenblas_cpu_has_avx2(void);
/// The widest of these that this program itself was compiled for: "avx512", "avx2", "baseline".
const char *copenblas_compiled_for(void);

/// 1 when code of this build may use fused multiply-adds: where it may not, asking for one calls a
/// library function that is fifty times slower. A macro, so that the choice costs nothing.
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__)
#define COPENBLAS_COMPILED_FMA 1
#else
#define COPENBLAS_COMPILED_FMA 0
#endif

/// Floats in one vector register of this build.
#if defined(__AVX512F__)
#define COPENBLAS_VECTOR_FLOATS 16
#elif defined(__AVX__)
#define COPENBLAS_VECTOR_FLOATS 8
#else
#define COPENBLAS_VECTOR_FLOATS 4
#endif

/// Asks for the cache line at an address, which may lie anywhere.
static inline void copenblas_prefetch(const float *address) { __builtin_prefetch(address); }

#endif
