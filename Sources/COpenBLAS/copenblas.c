#include "copenblas.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*sgemm_function)(int order, int transA, int transB, int m, int n, int k, float alpha,
                               const float *a, int lda, const float *b, int ldb, float beta,
                               float *c, int ldc);

static sgemm_function sgemm;
static char core_name[64];
static const char *forced_core = "";
static char config[256];
static char failure[512];

int copenblas_cpu_has_avx512(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
  return 0;
#endif
}

int copenblas_cpu_has_avx2(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return 0;
#endif
}

const char *copenblas_compiled_for(void) {
#if defined(__AVX512F__)
  return "avx512";
#elif defined(__AVX2__)
  return "avx2";
#else
  return "baseline";
#endif
}

const char *copenblas_open(void) {
  if (sgemm != NULL) return NULL;

  // One thread per caller: the workers are the threads. OpenMP builds read the second variable.
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  setenv("OMP_NUM_THREADS", "1", 1);
  // What an environment says of OpenBLAS was meant for other programs, and would change our bits
  // (kernels and blocking decide the order of sums) and our speed: only our own variable counts.
  unsetenv("OPENBLAS_L2_SIZE");
  unsetenv("OPENBLAS_BLOCK_FACTOR");
  const char *wanted = getenv("FEDSIM_OPENBLAS_CORETYPE");
  // Releases before 0.3.22 take new AMD and Intel server cores for Haswell: half the speed.
  if (wanted == NULL && copenblas_cpu_has_avx512()) wanted = forced_core = "SkylakeX";
  if (wanted != NULL)
    setenv("OPENBLAS_CORETYPE", wanted, 1);
  else
    unsetenv("OPENBLAS_CORETYPE");

  static const char *const names[] = {
      "libopenblas.so.0", "libopenblas.so", "libopenblas.dylib",
      "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
      "/usr/local/opt/openblas/lib/libopenblas.dylib"};
  void *library = NULL;
  for (size_t i = 0; library == NULL && i < sizeof names / sizeof names[0]; i++) {
    library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    // The usual name's failure is the one to tell; later names are only guesses.
    if (library == NULL && i == 0)
      snprintf(failure, sizeof failure, "cannot open OpenBLAS: %s", dlerror());
  }
  if (library == NULL) return failure;
  sgemm_function found = (sgemm_function)dlsym(library, "cblas_sgemm");
  if (found == NULL) {
    snprintf(failure, sizeof failure, "this OpenBLAS has no cblas_sgemm: %s", dlerror());
    return failure;
  }

  void (*set_threads)(int) = (void (*)(int))dlsym(library, "openblas_set_num_threads");
  if (set_threads != NULL) set_threads(1);
  char *(*get_core)(void) = (char *(*)(void))dlsym(library, "openblas_get_corename");
  if (get_core != NULL) snprintf(core_name, sizeof core_name, "%s", get_core());
  char *(*get_config)(void) = (char *(*)(void))dlsym(library, "openblas_get_config");
  if (get_config != NULL) snprintf(config, sizeof config, "%s", get_config());
  sgemm = found;
  return NULL;
}

const char *copenblas_core_name(void) { return core_name; }
const char *copenblas_forced_core(void) { return forced_core; }
const char *copenblas_config(void) { return config; }

void copenblas_sgemm(int transA, int transB, int m, int n, int k, float alpha, const float *a,
                     int lda, const float *b, int ldb, float beta, float *c, int ldc) {
  enum { row_major = 101, no_trans = 111, trans = 112 };
  sgemm(row_major, transA ? trans : no_trans, transB ? trans : no_trans, m, n, k, alpha, a, lda, b,
        ldb, beta, c, ldc);
}
