#include "cprocess.h"

// Says whether the C library is glibc.
#include <stdlib.h>

// Swift's CommandLine reads /proc/self/cmdline, and a bare container may have no /proc: it would
// then see no arguments at all. glibc hands them to every constructor.

static int count;
static char **words;

#if defined(__linux__) && defined(__GLIBC__)
__attribute__((constructor)) static void keep(int argc, char **argv) {
  count = argc;
  words = argv;
}
#endif

int cprocess_argument_count(void) { return count; }

const char *cprocess_argument(int index) { return words[index]; }
