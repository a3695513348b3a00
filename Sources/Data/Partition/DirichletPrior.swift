import Base

/// Label skew by one class prior per client.
extension Pool {
  /// P4, client-wise prior: client n draws q_n ~ Dir(α·1_C) and takes K images, ⌊K·q_nc⌋ of class
  /// c, without replacement, one client after the other.
  ///
  /// The rule, in order: (1) class c gets max(⌊K·q_nc⌋, `minPerClass`) images, never more than it
  /// has left; (2) while these are more than K, the class that has most (above the minimum) gives
  /// one back; (3) while they are fewer, the class with the largest K·q_nc − n_c that has images
  /// left gives one more, which is the rule of largest remainders and also says what stands in for
  /// an exhausted class. Equal classes: the lowest label. Every client has exactly K images; what
  /// is left is not used. Where clients use nearly all images, the last ones take what there is.
  ///
  /// `perClient`: K; nil is ⌊N_images / clients⌋.
  ///
  /// - Source: the partition of knowledge-fusion papers such as Seyedmohammadi et al. 2024,
  ///   arXiv:2403.11892 (client priors, equal sizes); rules (1) to (3) are ours where it is silent.
  /// - Complexity: O(images · C).
  package func dirichletPrior(alpha: Double, perClient: Int?, minPerClass: Int) throws(Failure)
    -> [[Int]]
  {
    let size = perClient ?? count / clients
    try requireEqual(size)
    var members = byClass()
    let present = members.count { !$0.isEmpty }
    let (least, overflow) = minPerClass.multipliedReportingOverflow(by: present)
    guard !overflow, least <= size else {
      throw Failure(
        .scenarioInvalid, "E3257",
        "data.partition \"dirichlet-prior\": minPerClass \(minPerClass) of \(present) classes is "
          + "more than a client's \(size) images",
        hint: "lower data.partition.minPerClass (0 leaves classes out) or raise perClient")
    }
    for label in members.indices {
      var stream = stream(part: label)
      stream.shuffle(&members[label])
    }
    var used = [Int](repeating: 0, count: classes)
    return (0..<clients).map { client in
      var stream = stream(attempt: 1, part: client)
      let prior = stream.dirichlet(alpha, count: classes)
      let left = members.indices.map { members[$0].count - used[$0] }
      let taken = Self.fill(size, prior: prior, left: left, minimum: minPerClass)
      var mine: [Int] = []
      mine.reserveCapacity(size)
      for label in members.indices {
        mine += members[label][used[label]..<used[label] + taken[label]]
        used[label] += taken[label]
      }
      return mine.sorted()
    }
  }

  /// Rules (1) to (3) for one client.
  ///
  /// - Precondition: Σ left ≥ size ≥ minimum · (classes with images left).
  package static func fill(_ size: Int, prior: [Double], left: [Int], minimum: Int) -> [Int] {
    let wanted = prior.map { $0 * Double(size) }
    var taken = zip(wanted, left).map { min(max(Int(clamping: $0.rounded(.down)), minimum), $1) }
    var missing = size
    for count in taken { missing -= count }
    while missing < 0 {
      var most = -1
      for label in taken.indices where taken[label] > minimum {
        if most < 0 || taken[label] > taken[most] { most = label }
      }
      precondition(most >= 0, "Pool.fill: the minimum does not fit")
      taken[most] -= 1
      missing += 1
    }
    while missing > 0 {
      var best = -1
      var largest = -Double.infinity
      for label in taken.indices where taken[label] < left[label] {
        let remainder = wanted[label] - Double(taken[label])
        if remainder > largest { (best, largest) = (label, remainder) }
      }
      precondition(best >= 0, "Pool.fill: too few images")
      taken[best] += 1
      missing -= 1
    }
    return taken
  }

  private func requireEqual(_ size: Int) throws(Failure) {
    let (needed, overflow) = size.multipliedReportingOverflow(by: clients)
    guard overflow || needed > count || size < 1 else { return }
    throw Failure(
      .scenarioInvalid, "E3257",
      "data.partition \"dirichlet-prior\": \(clients) clients with \(max(size, 1)) images each "
        + "do not fit into \(count) training images",
      hint: "lower data.partition.perClient or federation.clients")
  }
}
