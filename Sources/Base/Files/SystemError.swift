/// Failures of files and folders, in the words of the operating system.
///
/// Codes: E1001 open, E1002 write, E1003 disk full, E1004 sync or rename, E1005 make a folder,
/// E1006 a folder where a file is to be written, E1030 too many open files, E1031 a file longer
/// than the process may write.
///
/// Exits: 6 where something is used up that can be had again (disk, descriptors, file length), for
/// the last checkpoint stays valid; else 4, because what the user named cannot be written. A path
/// of the command line makes that a 2 (`Failure.ofCommandLine`).
package enum SystemError {
  /// What the system says about an error number, such as "Permission denied".
  package static func text(_ number: Int32) -> String {
    guard let words = strerror(number) else { return "error \(number)" }
    return String(cString: words)
  }

  /// The failure of an operation that writes; a full disk is said plainly.
  static func writing(_ code: String, _ action: String, _ path: String, _ number: Int32) -> Failure
  {
    let goOn = "and go on with fedsim resume, or choose another folder with --out"
    switch number {
    case ENOSPC, EDQUOT:
      return Failure(
        .limitReached, "E1003", "cannot \(action) \(path): the disk is full",
        hint: "free some space \(goOn)")
    case EMFILE, ENFILE:
      return Failure(
        .limitReached, "E1030", "cannot \(action) \(path): \(text(number))",
        hint: "allow more open files (ulimit -n) \(goOn)")
    case EPIPE: return Failure(.done, "E1034", "cannot \(action) \(path): nobody reads it any more")
    case EFBIG:
      return Failure(
        .limitReached, "E1031",
        "cannot \(action) \(path): the file would be longer than this process may write",
        hint: "raise the limit (ulimit -f) \(goOn)")
    case EACCES, EPERM, EROFS:
      return Failure(
        .dataMissingOrCorrupt, code, "cannot \(action) \(path): \(text(number))",
        hint: "check the permissions, or choose another folder with --out")
    default:
      return Failure(.dataMissingOrCorrupt, code, "cannot \(action) \(path): \(text(number))")
    }
  }
}

extension Failure {
  /// The same failure of a path that stands on the command line: exit 2 in place of 4.
  public var ofCommandLine: Failure {
    let isOfPath = ["E1001", "E1002", "E1004", "E1005", "E1006"].contains(code)
    guard isOfPath, exit == .dataMissingOrCorrupt else { return self }
    return Failure(.wrongCommandLine, code, message, hint: hint)
  }
}
