/// Holds a folder for one process: `flock` on `DIR/.lock`, released when this value or the
/// process ends, even when it is killed.
public final class FolderLock {
  /// The folder held.
  public let folder: String
  private let descriptor: Int32

  /// Takes the folder, which must exist.
  ///
  /// `waits`: sleeps until it is free instead of failing.
  ///
  /// `reads`: nothing will be written. A folder that cannot be written is then held through the
  /// lock file that it has, or not at all: nobody can change it.
  ///
  /// - Throws: E9001 (exit 9) when another process, or another lock of this one, holds it; E1001
  ///   when the lock file cannot be made.
  public init(_ folder: String, waits: Bool = false, reads: Bool = false) throws(Failure) {
    let path = FilePath.join(folder, ".lock")
    var opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    let refused = errno
    if opened < 0, reads, [EACCES, EPERM, EROFS].contains(refused) {
      opened = open(path, O_RDONLY | O_CLOEXEC)
      guard opened >= 0 else {
        self.folder = folder
        descriptor = -1
        return
      }
    }
    guard opened >= 0 else { throw SystemError.writing("E1001", "create", path, refused) }
    var number: Int32
    repeat {
      number = flock(opened, waits ? LOCK_EX : LOCK_EX | LOCK_NB) == 0 ? 0 : errno
    } while number == EINTR
    guard number == 0 else {
      close(opened)
      guard number == EWOULDBLOCK else { throw SystemError.writing("E1001", "lock", path, number) }
      throw Failure(
        .folderInUse, "E9001", "\(folder) is in use by another fedsim process",
        hint: "wait for it to end, or choose another folder with --out")
    }
    self.folder = folder
    descriptor = opened
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}
