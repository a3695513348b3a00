import Base
import Records
import Testing

@Suite("Files of a run")
struct ReportFilesTests {
  /// A new folder; removed by the one who made it.
  func withFolder(_ body: (String) throws -> Void) throws {
    let folder = "/tmp/fedsim-files-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    try FilePath.makeFolder(folder)
    defer {
      for name in FilePath.names(in: folder) {
        let path = FilePath.join(folder, name)
        if FileKind(of: path) == .folder { rmdir(path) } else { unlink(path) }
      }
      rmdir(folder)
    }
    try body(folder)
  }

  func text(_ path: String) throws -> String {
    String(decoding: try FileReader.bytes(of: path), as: UTF8.self)
  }

  @Test("what was written is read back, and no temporary file stays")
  func roundTrip() throws {
    try withFolder { folder in
      let path = FilePath.join(folder, "a.txt")
      try AtomicFile.write("old", to: path)
      let large = [UInt8](repeating: 7, count: 300_000)
      try AtomicFile.write(large, to: path)
      #expect(try FileReader.bytes(of: path) == large)
      #expect(FilePath.names(in: folder) == ["a.txt"])
    }
  }

  @Test("a write that fails leaves the old file and no other")
  func failedWrite() throws {
    try withFolder { folder in
      let path = FilePath.join(folder, "a.txt")
      try AtomicFile.write("old", to: path)
      // A folder where the temporary file would be: even root cannot write there.
      let temporary = FilePath.join(folder, ".a.txt.\(getpid()).tmp")
      try FilePath.makeFolder(temporary)
      let failure = #expect(throws: Failure.self) { try AtomicFile.write("new", to: path) }
      #expect(failure?.exit == .dataMissingOrCorrupt)
      #expect(failure?.code == "E1001")
      #expect(failure?.message == "cannot create \(path): Is a directory")
      #expect(try text(path) == "old")
    }
  }

  @Test("a write that fails half-way leaves the old file and no other")
  func halfWritten() throws {
    try withFolder { folder in
      let path = FilePath.join(folder, "a.txt")
      try AtomicFile.write("old", to: path)
      #expect(throws: Failure.self) {
        try AtomicFile.replace(path) { descriptor throws(Failure) in
          try AtomicFile.writeAll([1, 2, 3], to: descriptor, path: path)
          throw Failure(.internalError, "E1003", "full")
        }
      }
      #expect(try text(path) == "old")
      #expect(FilePath.names(in: folder) == ["a.txt"])
    }
  }

  @Test("a folder in the place of the file is told and stays")
  func folderInPlace() throws {
    try withFolder { folder in
      let path = FilePath.join(folder, "sub")
      try FilePath.makeFolder(path)
      let failure = #expect(throws: Failure.self) { try AtomicFile.write("new", to: path) }
      #expect(failure?.code == "E1006")
      #expect(FileKind(of: path) == .folder)
    }
  }

  #if os(Linux)
    @Test("a full disk is said plainly")
    func fullDisk() throws {
      for write in [
        { try AtomicFile.write("text", to: "/dev/full") },
        { try LineWriter("/dev/full").append("text") },
      ] {
        let failure = #expect(throws: Failure.self) { try write() }
        #expect(failure?.code == "E1003")
        #expect(failure?.message == "cannot write /dev/full: the disk is full")
        #expect(failure?.hint != nil)
      }
      #expect(FileKind(of: "/dev/full") == .other)
    }
  #endif

  @Test(
    "what cannot be read says why",
    arguments: [
      ("/nonexistent/a", "E4001", "/nonexistent/a: no such file; expected a file"),
      ("/etc/passwd/a", "E4001", "/etc/passwd/a: no such file; expected a file"),
      ("/tmp", "E4002", "/tmp: a folder; expected a file"),
      ("/proc/self/mem", "E4010", "/proc/self/mem: cannot be read: Input/output error"),
    ])
  func unreadable(_ path: String, _ code: String, _ message: String) throws {
    let failure = #expect(throws: Failure.self) { try FileReader.bytes(of: path) }
    #expect(failure?.exit == .dataMissingOrCorrupt)
    #expect(failure?.code == code)
    #expect(failure?.message == message)
  }

  @Test("a file longer than the limit is refused, an empty one is read")
  func limits() throws {
    try withFolder { folder in
      let path = FilePath.join(folder, "a")
      try AtomicFile.write("", to: path)
      #expect(try FileReader.bytes(of: path, limit: 0) == [])
      try AtomicFile.write("12345", to: path)
      #expect(try FileReader.bytes(of: path, limit: 5).count == 5)
      #expect(throws: Failure.self) { try FileReader.bytes(of: path, limit: 4) }
    }
    #expect(throws: Failure.self) { try FileReader.bytes(of: "/dev/zero", limit: 1_000_000) }
  }

  @Test("lines are in the file as soon as they are appended, the header once")
  func lines() throws {
    try withFolder { folder in
      let path = FilePath.join(folder, "rounds.csv")
      let first = try LineWriter(path, header: "round,x")
      try first.append("1,a")
      #expect(try text(path) == "round,x\n1,a\n")
      try first.sync()
      try LineWriter(path, header: "round,x").append(["2,b", "3,c"])
      #expect(try text(path) == "round,x\n1,a\n2,b\n3,c\n")
    }
  }

  @Test("going on after a stop drops later rounds and a torn line")
  func cutting() throws {
    try withFolder { folder in
      let path = FilePath.join(folder, "rounds.csv")
      try AtomicFile.write("round,x\n1,a\n2,b\n3,c\n4,to", to: path)
      let keep: (String) -> Bool = { (CSV.leadingInteger($0) ?? 0) <= 2 }
      #expect(try LineWriter.cut(path, keep: keep) == ["round,x", "1,a", "2,b"])
      #expect(try text(path) == "round,x\n1,a\n2,b\n")
      #expect(try LineWriter.cut(path, keep: { _ in true }).count == 3)
      for (content, kept) in [("", ""), ("torn", ""), ("\n", "\n"), ("a\nb", "a\n")] {
        try AtomicFile.write(content, to: path)
        try LineWriter.cut(path) { _ in true }
        #expect(try text(path) == kept, "\(content)")
      }
      #expect(try LineWriter.cut(FilePath.join(folder, "none")) { _ in true } == [])
    }
  }

  @Test("a folder in use gives exit 9, and is free again afterwards")
  func lock() throws {
    try withFolder { folder in
      var lock: FolderLock? = try FolderLock(folder)
      #expect(lock?.folder == folder)
      let failure = #expect(throws: Failure.self) { _ = try FolderLock(folder) }
      #expect(failure?.exit == .folderInUse)
      #expect(failure?.code == "E9001")
      // The failed attempt must not have freed the folder.
      #expect(throws: Failure.self) { _ = try FolderLock(folder) }
      lock = nil
      _ = try FolderLock(folder)
    }
    #expect(throws: Failure.self) { _ = try FolderLock("/nonexistent/folder") }
  }

  @Test(
    "paths",
    arguments: [("a/b", "a", "b"), ("b", ".", "b"), ("/b", "/", "b"), ("/a/b.c", "/a", "b.c")])
  func paths(_ path: String, _ folder: String, _ name: String) {
    #expect(FilePath.split(path) == (folder, name))
    #expect(FilePath.join("x", "/y") == "/y")
    #expect(FilePath.join("x/", "y") == "x/y")
  }

  @Test("folders are made with those above them; a file in the way is told")
  func folders() throws {
    try withFolder { folder in
      let deep = FilePath.join(folder, "a")
      try FilePath.makeFolder(deep + "/")
      try FilePath.makeFolder(deep)
      #expect(FileKind(of: deep) == .folder)
      let file = FilePath.join(folder, "file")
      try AtomicFile.write("", to: file)
      let failure = #expect(throws: Failure.self) { try FilePath.makeFolder(file + "/sub") }
      #expect(failure?.code == "E1005")
    }
  }
}
