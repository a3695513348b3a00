import Aggregation
import Tensor

/// The complete state of a run after a round: with the scenario, all that its future depends on.
///
/// On disk a safetensors file of flat tensors in the engine's own element order, and a small JSON
/// file beside it that is written last and names the tensors' hash: a pair that does not belong
/// together is not read.
struct Checkpoint: Equatable {
  /// Rounds done.
  var round: Int
  /// The hash chain after that round.
  var digest: UInt64
  /// What the server carries.
  var server: ServerState
  /// What each client carries.
  var memories: [Int: ClientMemory]

  private static let format = "fedsim-checkpoint-1"

  /// Writes `<folder>/last.safetensors` and `<folder>/last.json`.
  func write(to folder: String, scenarioHash: String, run: String) throws(Failure) {
    var items = [item("server/model", server.model)]
    for name in server.memory.names {
      items.append(item("server/memory/" + name, server.memory[name, default: []]))
    }
    for client in memories.keys.sorted() {
      guard let memory = memories[client] else { continue }
      for name in memory.names {
        items.append(item("client/\(client)/" + name, memory[name, default: []]))
      }
    }
    let bytes = Safetensors(items: items, metadata: ["format": Self.format]).encoded()
    try FilePath.makeFolder(folder)
    try AtomicFile.write(bytes, to: FilePath.join(folder, "last.safetensors"))
    let sidecar: JSON = [
      "format": .string(Self.format), "run": .string(run), "round": .int(round),
      "digest": .string(Digest.hex(digest)), "scenario": .string(scenarioHash),
      "tensors": .string(Self.hash(bytes)),
    ]
    try AtomicFile.write(sidecar.pretty, to: FilePath.join(folder, "last.json"))
  }

  /// Reads a checkpoint; nil when there is none, or when a stop between the two files left a pair
  /// that does not belong together: the run then starts from its beginning.
  ///
  /// - Throws: exit 9 when it belongs to another scenario, exit 4 when it is not readable.
  static func read(from folder: String, scenarioHash: String, run: String) throws(Failure)
    -> Checkpoint?
  {
    let path = FilePath.join(folder, "last.json")
    guard FileKind(of: path) == .file else { return nil }
    let sidecar = try parse(path)
    guard sidecar["format"]?.text == format else {
      throw corrupt(path, "its format is not \(format)")
    }
    guard sidecar["scenario"]?.text == scenarioHash, sidecar["run"]?.text == run else {
      throw Failure(
        .folderInUse, "E9002", "\(path) belongs to another scenario",
        hint: "choose another folder with --out")
    }
    guard let round = sidecar["round"]?.int, let digest = Digest.value(sidecar["digest"]?.text)
    else { throw corrupt(path, "round or digest is missing") }
    let tensors = FilePath.join(folder, "last.safetensors")
    let bytes = try FileReader.bytes(of: tensors)
    guard sidecar["tensors"]?.text == hash(bytes) else { return nil }
    let file: Safetensors
    do {
      file = try Safetensors(decoding: bytes)
    } catch {
      throw corrupt(tensors, error.message)
    }
    guard let model = file["server/model"]?.values else {
      throw corrupt(tensors, "no server/model")
    }
    var checkpoint = Checkpoint(
      round: round, digest: digest, server: ServerState(model: model), memories: [:])
    for item in file.items {
      let parts = item.name.split(separator: "/", maxSplits: 2).map(String.init)
      guard parts.count == 3 else { continue }
      if parts[0] == "server" {
        checkpoint.server.memory[parts[2]] = item.values
      } else if let client = Int(parts[1]) {
        checkpoint.memories[client, default: ClientMemory()][parts[2]] = item.values
      }
    }
    return checkpoint
  }

  private func item(_ name: String, _ values: [Float]) -> Safetensors.Item {
    Safetensors.Item(name: name, shape: [values.count], values: values)
  }

  private static func parse(_ path: String) throws(Failure) -> JSON {
    let bytes = try FileReader.bytes(of: path)
    do {
      return try JSON(parsing: bytes)
    } catch {
      throw corrupt(path, "line \(error.line): \(error.message)")
    }
  }

  private static func corrupt(_ path: String, _ why: String) -> Failure {
    Failure(
      .dataMissingOrCorrupt, "E4090", "cannot read the checkpoint \(path): \(why)",
      hint: "delete the folder of this run to repeat it from the start")
  }

  private static func hash(_ bytes: [UInt8]) -> String {
    var hash = XXHash64()
    hash.update(bytes)
    return hash.hex
  }
}

/// Digests as sixteen hexadecimal digits.
enum Digest {
  /// The text of a digest.
  static func hex(_ digest: UInt64) -> String {
    let digits = String(digest, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The digest of a text, or nil.
  static func value(_ text: String?) -> UInt64? {
    guard let text, text.count == 16 else { return nil }
    return UInt64(text, radix: 16)
  }
}
