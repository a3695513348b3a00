/// How long the beginning of a file is and what is in it: its bytes and their XXH64.
package struct FileSum: Equatable, Sendable {
  /// Bytes from the start of the file.
  package var bytes: Int
  package var hash: String

  package init(bytes: Int, hash: String) {
    self.bytes = bytes
    self.hash = hash
  }

  /// Reads the first bytes of a file, piece by piece: tables of long runs need no memory.
  ///
  /// - Returns: the sum that can go on after them; fewer bytes than `limit` when the file ends.
  /// - Throws: exit 4 when the file cannot be read; a missing one counts as empty.
  package static func read(_ path: String, upTo limit: Int = .max) throws(Failure) -> RunningSum {
    var sum = RunningSum()
    guard limit > 0, try FileReader.isThere(path) else { return sum }
    let descriptor = try FileReader.opened(path, what: "a table of a run")
    defer { close(descriptor) }
    while sum.bytes < limit {
      let room = min(1 << 20, limit - sum.bytes)
      var failed: Int32 = 0
      let chunk = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        repeat {
          let got = platformRead(descriptor, buffer.baseAddress, buffer.count)
          failed = got < 0 ? errno : 0
          count = max(got, 0)
        } while failed == EINTR
      }
      guard failed == 0 else { throw FileReader.unreadable(path, SystemError.text(failed)) }
      if chunk.isEmpty { break }
      sum.add(chunk)
    }
    return sum
  }
}

/// A sum that grows with its file, so that a round costs what it adds and not what is there.
package struct RunningSum: Sendable {
  package private(set) var bytes = 0
  private var hash = XXHash64()

  package init() {}

  /// Goes on after what was added.
  package mutating func add(_ more: [UInt8]) {
    hash.update(more)
    bytes += more.count
  }

  /// Length and hash of all that was added.
  package var sum: FileSum { FileSum(bytes: bytes, hash: hash.hex) }
}

extension JSON {
  private static let seal = "checksum"

  /// An object with a last member that is the XXH64 of all others: a file that was changed by
  /// anything but this program is known by it.
  package var sealed: JSON {
    var tree = self
    tree[Self.seal] = nil
    tree[Self.seal] = .string(Self.sum(tree))
    return tree
  }

  /// Whether the object has a checksum and it is right; nil when it has none.
  package var isIntact: Bool? {
    guard let stated = self[Self.seal] else { return nil }
    var tree = self
    tree[Self.seal] = nil
    return stated.text == Self.sum(tree)
  }

  private static func sum(_ tree: JSON) -> String {
    var hash = XXHash64()
    hash.update(tree.compact)
    return hash.hex
  }
}

/// `read(2)`, named so that it cannot be mistaken for the function above.
private func platformRead(_ descriptor: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int)
  -> Int
{
  guard let start else { return 0 }
  return read(descriptor, start, count)
}
