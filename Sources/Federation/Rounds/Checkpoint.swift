import Aggregation
import Base
import Records
import Tensor

/// The complete state of a run after a round: with the scenario, all that its future depends on.
///
/// On disk one safetensors file of flat tensors in the engine's own element order. Round, digest
/// and identity are in its metadata, so that one rename makes the whole checkpoint; the JSON file
/// beside it says the same to people and is never read.
package struct Checkpoint: Equatable {
  package var round: Int
  /// The hash chain after that round.
  package var digest: UInt64
  /// What the server carries.
  package var server: ServerState
  /// What each client carries.
  package var memories: [Int: ClientMemory]
  /// Where the clock stands and who is at work, and what leaked; empty without both.
  package var clock = StateTensors()

  private static let format = "fedsim-checkpoint-2"

  /// Writes `<folder>/last.safetensors` and `<folder>/last.json`.
  ///
  /// `keeping`: checkpoints, this one among them, that stay as `<folder>/round-N.safetensors`.
  package func write(to folder: String, scenarioHash: String, run: String, keeping: Int = 0)
    throws(Failure)
  {
    let file = file(scenarioHash: scenarioHash, run: run)
    try FilePath.makeFolder(folder)
    try AtomicFile.write(file.encoded(), to: FilePath.join(folder, "last.safetensors"))
    let summary = JSON.object(
      file.metadata.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
    try AtomicFile.write(summary.pretty, to: FilePath.join(folder, "last.json"))
    try Self.keep(round, in: folder, keeping)
  }

  /// Gives last.safetensors the name that it goes on with when the next checkpoint takes its place,
  /// and removes older ones beyond `count`.
  ///
  /// Also called when a run goes on: whoever wrote the checkpoint may have been killed before this.
  package static func keep(_ round: Int, in folder: String, _ count: Int) throws(Failure) {
    guard count > 0 else { return }
    try AtomicFile.alias(
      FilePath.join(folder, "last.safetensors"),
      as: FilePath.join(folder, "round-\(round).safetensors"))
    for old in kept(in: folder).sorted(by: { $0.round > $1.round }).dropFirst(count) {
      AtomicFile.remove(FilePath.join(folder, old.name))
    }
  }

  /// Names of the checkpoints that were kept in a folder, with their rounds.
  package static func kept(in folder: String) -> [(name: String, round: Int)] {
    FilePath.names(in: folder).compactMap { name in
      guard name.hasPrefix("round-"), name.hasSuffix(".safetensors") else { return nil }
      return Int(name.dropFirst("round-".count).dropLast(".safetensors".count)).map { (name, $0) }
    }
  }

  /// The keys of `last.json`.
  static let fields = [
    FileField("checksum", "text", "XXH64 of all texts and tensors of the checkpoint."),
    FileField("digest", "text", "The digest after the round."),
    FileField("format", "text", "The checkpoint's format."),
    FileField("round", "text", "The round after which it was written."),
    FileField("run", "text", "The run, such as fedavg-s1."),
    FileField("scenario", "text", "Hash of the resolved scenario."),
  ]

  /// The tensors with what identifies them.
  package func file(scenarioHash: String, run: String) -> Safetensors {
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
    for name in clock.names { items.append(item("clock//" + name, clock[name, default: []])) }
    var file = Safetensors(
      items: items,
      metadata: [
        "format": Self.format, "run": run, "round": String(round), "digest": Digest.hex(digest),
        "scenario": scenarioHash,
      ])
    file.seal()
    return file
  }

  /// Reads a checkpoint; nil when there is none.
  ///
  /// - Throws: exit 9 when it belongs to another scenario, exit 4 when it is not readable.
  package static func read(
    from folder: String, _ name: String = "last.safetensors", scenarioHash: String, run: String
  ) throws(Failure) -> Checkpoint? {
    let path = FilePath.join(folder, name)
    guard try FileReader.isThere(path) else { return nil }
    let file: Safetensors
    do { file = try Safetensors(decoding: try FileReader.bytes(of: path)) } catch let failure
      as Failure
    { throw failure } catch {
      throw corrupt(path, (error as? Safetensors.FormatError)?.message ?? "\(error)")
    }
    guard let found = file.metadata["format"], found == format else {
      throw wrongFormat(path, file.metadata["format"])
    }
    guard file.isIntact == true else { throw corrupt(path, "it is not what was written") }
    guard file.metadata["scenario"] == scenarioHash, file.metadata["run"] == run else {
      throw Failure(
        .folderInUse, "E9002", "\(path) belongs to another scenario",
        hint: "choose another folder with --out")
    }
    guard let round = file.metadata["round"].flatMap(Int.init), round >= 0,
      let digest = Digest.value(file.metadata["digest"]), let model = file["server/model"]?.values
    else { throw corrupt(path, "round, digest or model is missing") }
    var checkpoint = Checkpoint(
      round: round, digest: digest, server: ServerState(model: model), memories: [:])
    for item in file.items {
      let parts = item.name.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        .map(String.init)
      guard parts.count == 3 else { continue }
      if parts[0] == "server" {
        checkpoint.server.memory[parts[2]] = item.values
      } else if parts[0] == "clock" {
        checkpoint.clock[parts[2]] = item.values
      } else if let client = Int(parts[1]) {
        checkpoint.memories[client, default: ClientMemory()][parts[2]] = item.values
      }
    }
    return checkpoint
  }

  private func item(_ name: String, _ values: [Float]) -> Safetensors.Item {
    Safetensors.Item(name: name, shape: [values.count], values: values)
  }

  /// Other versions of fedsim write other versions of checkpoints; what is none is said to be none.
  private static func wrongFormat(_ path: String, _ found: String?) -> Failure {
    guard let found, found.hasPrefix("fedsim-checkpoint-") else {
      return corrupt(path, "it is no checkpoint of fedsim")
    }
    return Failure(
      .dataMissingOrCorrupt, "E4091",
      "\(path) has the format \(found); this version reads and writes \(format)",
      hint: "resume with the version that wrote it, or start the run anew in another folder")
  }

  private static func corrupt(_ path: String, _ why: String) -> Failure {
    Failure(
      .dataMissingOrCorrupt, "E4090", "cannot read the checkpoint \(path): \(why)",
      hint: "delete the folder of this run to repeat it from the start")
  }
}

extension Safetensors {
  private static let key = "checksum"

  /// Notes the hash of all texts and tensors: a damaged file must not become a model.
  mutating func seal() { metadata[Self.key] = sum }

  /// Whether the file is what was sealed; nil when it was not.
  package var isIntact: Bool? { metadata[Self.key].map { $0 == sum } }

  private var sum: String {
    var hash = XXHash64()
    for (key, text) in metadata.sorted(by: { $0.key < $1.key }) where key != Self.key {
      hash.update("\(key)=\(text)\n")
    }
    for item in items {
      hash.update(item.name + " \(item.shape)\n")
      hash.update(item.values)
    }
    return hash.hex
  }
}
