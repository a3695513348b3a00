import Base
import Data
import Federation

/// `fedsim data convert`: an .npy data set of image files.
extension DataCommand {
  /// The partition file that is written beside the images of several domains.
  private static let partitionFile = "partition.json"

  static func convert(_ tree: String, _ invocation: Invocation) throws -> ExitCode {
    guard let out = invocation.last("out"), !out.isEmpty else {
      throw Failure(
        .wrongCommandLine, "E2007", "fedsim data convert: where to? --out is missing",
        hint: "fedsim data convert \(tree) --out DIR")
    }
    let size = try invocation.last("size").map(size)
    let clients = try clientsPerDomain(invocation)
    let images = try imageTree(tree, invocation)
    // Before hours of reading.
    let others =
      images.domains.isEmpty
      ? [] : [(name: partitionFile, text: try images.partition(clientsPerDomain: clients))]
    guard try FilePath.readableNames(in: out).isEmpty else {
      throw Failure(
        .folderInUse, "E9003", "\(out) is not empty; nothing in it is overwritten",
        hint: "choose another folder with --out")
    }
    let isSilent = invocation.isQuiet || invocation.format == .json
    var last = SystemClock.now()
    let data = try images.read(size: size) { done in
      guard !isSilent, SystemClock.now() - last > 2 else { return }
      last = SystemClock.now()
      Console.tell("\(done) of \(images.count) images read")
    }
    try NPYFolder.write(data, to: out, others: others)
    if !isSilent, !images.ignored.isEmpty {
      let names = images.ignored.prefix(3).joined(separator: ", ")
      Console.tell(
        "note: \(images.ignored.count) files are no images by their names and were left out: "
          + names + (images.ignored.count > 3 ? ", ..." : ""))
    }
    // What was written is what will be read.
    let facts = try DataFacts(.npy(path: out))
    switch invocation.format {
    case .json:
      var json = facts.json
      json["status"] = "ok"
      json["folder"] = .string(out)
      json["ignored"] = .array(images.ignored.map(JSON.string))
      if !images.domains.isEmpty { json["domains"] = domains(images, clients, out) }
      Console.print(json)
    case .text:
      Console.print(facts.text)
      for domain in images.domains { Console.print(words(domain, of: images, clients)) }
      Console.print(lines(images, clients, out))
    }
    return .done
  }

  /// The names in the folder, as the options say that they are to be read.
  private static func imageTree(_ tree: String, _ invocation: Invocation) throws -> ImageTree {
    let test = try invocation.last("test").map(share)
    if invocation.has("domains") {
      guard let test else {
        throw Failure(
          .wrongCommandLine, "E2007", "--domains: which images are for testing? --test is missing",
          hint: "give a share of each class of each domain, as --test 0.2")
      }
      return try ImageTree(domainsOf: tree, testShare: test)
    }
    let isSplit = ImageTree.isSplit(tree)
    guard FileKind(of: tree) != .folder || isSplit == (test == nil) else {
      throw Failure(
        .wrongCommandLine, "E2007",
        isSplit
          ? "--test: \(tree) has folders train and test, which say what the test images are"
          : "\(tree) has no folders train and test: which images are for testing?",
        hint: isSplit ? "leave --test out, or name one of the two" : "give a share, as --test 0.2")
    }
    return try ImageTree(tree, testShare: test)
  }

  private static func clientsPerDomain(_ invocation: Invocation) throws(Failure) -> Int {
    guard let text = invocation.last("clients-per-domain") else { return 1 }
    guard invocation.has("domains") else {
      throw Failure(
        .wrongCommandLine, "E2007", "--clients-per-domain belongs to --domains",
        hint: "add --domains for a folder of DOMAIN/CLASS/image")
    }
    guard let count = Int(text), (1...1_000_000).contains(count) else {
      throw Failure(
        .wrongCommandLine, "E2004",
        "--clients-per-domain \"\(text)\": expected a whole number from 1 to 1000000")
    }
    return count
  }

  // MARK: - What is said

  /// A domain with its images and its clients.
  private static func words(_ domain: ImageTree.Domain, of images: ImageTree, _ count: Int)
    -> String
  {
    let place = images.domains.firstIndex(of: domain) ?? 0
    let numbers =
      count == 1 ? "client \(place)" : "clients \(place * count)-\(place * count + count - 1)"
    let absent = images.classes.count - domain.classes.count
    return "domain    \(domain.name): \(domain.train.count) training, \(domain.test.count) test, "
      + numbers + (absent > 0 ? "; no image of \(absent) of the classes" : "")
  }

  /// The lines of a scenario that reads what was written.
  private static func lines(_ images: ImageTree, _ count: Int, _ out: String) -> String {
    let dataset = "\"dataset\": { \"kind\": \"npy\", \"path\": \(JSON.string(out).compact) }"
    guard !images.domains.isEmpty else { return "scenario  " + dataset }
    let file = JSON.string(FilePath.join(out, partitionFile)).compact
    return """
      scenario  "data": {
                  \(dataset),
                  "partition": { "kind": "file", "path": \(file) },
                  "test": { "local": "holdout" }
                },
                "federation": { "clients": \(images.domains.count * count) }
      """
  }

  private static func domains(_ images: ImageTree, _ count: Int, _ out: String) -> JSON {
    let list = images.domains.map { domain -> JSON in
      [
        "name": .string(domain.name), "train": .int(domain.train.count),
        "test": .int(domain.test.count), "classes": .array(domain.classes.map { .int($0) }),
      ]
    }
    return [
      "list": .array(list), "clientsPerDomain": .int(count),
      "clients": .int(count * images.domains.count),
      "partition": .string(FilePath.join(out, partitionFile)),
    ]
  }

  /// "32x48": height, then width; "32" for both.
  private static func size(_ text: String) throws(Failure) -> (height: Int, width: Int) {
    let parts = text.lowercased().split(separator: "x", omittingEmptySubsequences: false).map {
      Int($0) ?? 0
    }
    guard (1...2).contains(parts.count), parts.allSatisfy({ (1...4096).contains($0) }) else {
      throw Failure(
        .wrongCommandLine, "E2004", "--size \"\(text)\": expected HEIGHTxWIDTH, 1 to 4096 each",
        hint: "as --size 32x32")
    }
    return (parts[0], parts[parts.count - 1])
  }

  private static func share(_ text: String) throws(Failure) -> Double {
    guard let share = Double(text), share > 0, share < 1 else {
      throw Failure(
        .wrongCommandLine, "E2004", "--test \"\(text)\": expected a share between 0 and 1",
        hint: "as --test 0.2: a fifth of each class's images")
    }
    return share
  }
}
