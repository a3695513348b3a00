import Base

/// Image files of several domains, as DomainNet and Office-Caltech have them: TREE/DOMAIN/CLASS/….
extension ImageTree {
  /// Where images come from, such as sketches.
  package struct Domain: Sendable, Equatable {
    package let name: String
    /// Its images in the training set, which are neighbours.
    package let train: Range<Int>
    /// Its images in the test set.
    package let test: Range<Int>
    /// Places of the classes that it has images of.
    package let classes: [Int]
  }

  /// Looks at the names in a folder of domains.
  ///
  /// Classes are those of all domains together, in sorted order; a domain need not have them all.
  ///
  /// `testShare`: share of the images of each class of each domain that become test images.
  ///
  /// - Throws: exit 4 where there are fewer than two domains or classes, or one without images.
  package init(domainsOf tree: String, testShare: Double) throws(Failure) {
    try FileBytes.requireFolder(tree, what: "a folder of images, one folder for each domain")
    var ignored: [String] = []
    let names = try Self.subfolders(tree, &ignored)
    var found: [[(name: String, files: [String])]] = []
    for name in names {
      let path = FilePath.join(tree, name)
      let folders = try Self.folders(path, mayBeEmpty: true, &ignored)
      guard !folders.isEmpty else {
        throw DataFailure.missing(
          path, "no folder of a class with images in it",
          hint: "expected DOMAIN/CLASS/image, such as "
            + FilePath.join(path, "cat/1.png") + "; remove the folder if it is no domain")
      }
      found.append(folders)
    }
    let classes = Set(found.joined().map(\.name)).sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
    guard names.count >= 2, classes.count >= 2 else {
      throw DataFailure.inconsistent(
        tree,
        "\(names.count) domains with \(classes.count) classes; expected two or more of each",
        hint: "one folder for each domain and in it one for each class, such as "
          + FilePath.join(tree, "sketch/cat/1.png"))
    }
    let places = Dictionary(
      uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    var train: [(path: String, label: Int32)] = []
    var test: [(path: String, label: Int32)] = []
    var domains: [Domain] = []
    for (domain, folders) in found.enumerated() {
      let (trainStart, testStart) = (train.count, test.count)
      let own = folders.map { places[$0.name] ?? 0 }
      for (place, folder) in zip(own, folders) {
        // Which ones does not depend on anything but the names' order.
        let half = SplitBuilder.holdOut(
          Array(folder.files.indices), share: testShare, client: place, seed: 0, step: domain)
        train += half.train.map { (folder.files[$0], Int32(place)) }
        test += half.test.map { (folder.files[$0], Int32(place)) }
      }
      domains.append(
        Domain(
          name: names[domain], train: trainStart..<train.count, test: testStart..<test.count,
          classes: own))
    }
    self.init(classes: classes, train: train, test: test, ignored: ignored, domains: domains)
    guard !test.isEmpty else { throw DataFailure.missing(tree, "leaves no test image") }
  }

  /// The text of a partition file with so many clients for each domain.
  ///
  /// A domain's images are dealt out in turn, class by class, so that its clients have its classes
  /// alike. Beside `clients` it names the domain of each, and has the test images of each domain.
  ///
  /// - Throws: exit 4 where a domain has fewer training images than clients.
  package func partition(clientsPerDomain count: Int) throws(Failure) -> String {
    var clients: [JSON] = []
    var names: [JSON] = []
    for domain in domains {
      guard domain.train.count >= count else {
        throw DataFailure.inconsistent(
          domain.name, "\(domain.train.count) training images for \(count) clients",
          hint: "give at most \(domain.train.count) clients for each domain, or more images")
      }
      for client in 0..<count {
        let own = stride(
          from: domain.train.lowerBound + client, to: domain.train.upperBound, by: count)
        clients.append(.array(own.map { .int($0) }))
        names.append(.string(domain.name))
      }
    }
    let tests = domains.map { JSON.array($0.test.map { .int($0) }) }
    let parts: [(String, [JSON])] = [
      ("clients", clients), ("domains", names), ("testImages", tests),
    ]
    let lines = parts.map { name, list in
      "  \(JSON.string(name).compact): [\n"
        + list.map { "    " + $0.compact }.joined(separator: ",\n") + "\n  ]"
    }
    return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
  }
}
