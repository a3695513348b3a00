// For `make tsan`: what the thread sanitizer has to know of Swift's Mutex on Linux.
//
// The fast path of a Mutex is compiled into its user, who sees the order between two holders. When
// a lock is contended, the kernel hands it over inside libswiftSynchronization.so, which is not
// built for the sanitizer: it would report whatever the Mutex guards. This library is loaded before
// that one and says after each wait and before each hand-over what they mean. Nothing is suppressed:
// an access outside the Mutex is still a race.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// Absent in programs without the sanitizer, which may load this too.
extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock_slow(uint32_t thread, SELF) __asm__(LOCK);
SWIFT bool try_lock_slow(SELF) __asm__(TRY);
SWIFT void unlock_slow(SELF) __asm__(UNLOCK);

static void *behind(const char *name) {
  void *function = dlsym(RTLD_NEXT, name);
  if (function == NULL) abort();
  return function;
}

SWIFT void lock_slow(uint32_t thread, SELF) {
  typedef SWIFT void Function(uint32_t thread, SELF);
  ((Function *)behind(LOCK))(thread, self);
  if (__tsan_acquire) __tsan_acquire(self);
}

SWIFT bool try_lock_slow(SELF) {
  typedef SWIFT bool Function(SELF);
  bool taken = ((Function *)behind(TRY))(self);
  if (taken && __tsan_acquire) __tsan_acquire(self);
  return taken;
}

SWIFT void unlock_slow(SELF) {
  typedef SWIFT void Function(SELF);
  if (__tsan_release) __tsan_release(self);
  ((Function *)behind(UNLOCK))(self);
}
