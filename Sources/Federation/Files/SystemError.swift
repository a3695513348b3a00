#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Failures of files and folders, in the words of the operating system.
///
/// Codes: E1001 open, E1002 write, E1003 disk full, E1004 sync or rename, E1005 make a folder,
/// E1006 a folder where a file is to be written.
enum SystemError {
  /// What the system says about an error number, such as "Permission denied".
  static func text(_ number: Int32) -> String {
    guard let words = strerror(number) else { return "error \(number)" }
    return String(cString: words)
  }

  /// The failure of an operation that writes; a full disk is said plainly.
  static func writing(
    _ code: String,
    _ action: String,
    _ path: String,
    _ number: Int32
  ) -> Failure {
    switch number {
    case ENOSPC, EDQUOT:
      return Failure(
        .limitReached,
        "E1003",
        "cannot \(action) \(path): the disk is full",
        hint: "free some space and go on with fedsim resume, or choose another folder with --out"
      )
    case EACCES, EPERM, EROFS:
      return Failure(
        .internalError,
        code,
        "cannot \(action) \(path): \(text(number))",
        hint: "check the permissions, or choose another folder with --out"
      )
    default:
      return Failure(.internalError, code, "cannot \(action) \(path): \(text(number))")
    }
  }
}
