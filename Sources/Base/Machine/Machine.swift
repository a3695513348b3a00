/// What this machine has for a process.
public enum Machine {
  /// Cores that this process may use (glibc counts those of its affinity mask).
  public static var coreCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  package static var memoryBytes: Int {
    sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
  }
}
