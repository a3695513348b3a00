// The one place where the platform's C library is imported: who imports Base has it too.
#if canImport(Darwin)
  @_exported import Darwin
#else
  @_exported import Glibc
#endif
