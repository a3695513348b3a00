import Base

/// Label skew by Dirichlet shares, in the three forms that the literature calls "Dirichlet". They
/// differ in the skew of client sizes, so results under one say little about another.
extension Pool {
  /// P1, per-class multinomial: for each class p ~ Dir(α·1_K), and each image goes to a client
  /// drawn from p.
  ///
  /// Client sizes vary freely; redrawn until everyone has `minimum`.
  ///
  /// p is integrated out. After j images of a class, the next goes to client k with probability
  /// (α + number that k has) / (Kα + j): with probability Kα/(Kα + j) to any client, else to
  /// the client of one of the j images, all alike. This urn has the same law as drawing p
  /// first, needs two draws per image whatever K is, and no gamma number can underflow.
  ///
  /// - Source: Hsu, Qi and Brown 2019, arXiv:1909.06335, in the per-class form of Xiao et al.,
  ///   ICLR 2024 (FedLoGe); the urn is Blackwell and MacQueen, Ann. Statist. 1(2), 1973.
  package func dirichlet(alpha: Double, minimum: Int) throws(Failure) -> [[Int]] {
    let members = byClass()
    return try redraw(minimum: minimum, rule: "dirichlet", alpha: alpha) { attempt in
      var lists = emptyLists
      for (label, images) in members.enumerated() where !images.isEmpty {
        var stream = stream(attempt: attempt, part: label)
        var owners: [Int] = []
        owners.reserveCapacity(images.count)
        let mass = alpha * Double(clients)
        for image in images {
          let seen = Double(owners.count)
          let isNew = owners.isEmpty || stream.uniform() * (mass + seen) < mass
          let owner = isNew ? stream.below(clients) : owners[stream.below(owners.count)]
          owners.append(owner)
          lists[owner].append(image)
        }
      }
      return lists.map { $0.sorted() }
    }
  }

  /// P2, per-class cut: the shuffled images of a class are cut at ⌊cumsum(p)·n_c⌋, p ~ Dir(α·1_K).
  ///
  /// A client that already holds N/K images or more gets no share. Redrawn until everyone has
  /// `minimum`.
  ///
  /// - Source: Li, Diao, Chen and He, ICDE 2022, arXiv:2102.02079 ("noniid-labeldir").
  package func dirichletCut(alpha: Double, minimum: Int) throws(Failure) -> [[Int]] {
    let members = byClass()
    return try redraw(minimum: minimum, rule: "dirichlet-cut", alpha: alpha) { attempt in
      Self.cutClasses(members, alpha: alpha, holders: clients) { label in
        stream(attempt: attempt, part: label)
      }.map { $0.sorted() }
    }
  }

  /// One draw of P2 over `holders` lists.
  ///
  /// Shares of the lists that are still open, renormalised, are again Dirichlet (the law is
  /// neutral), so they are drawn directly: Dir(α·1_open). While an image is left some list is below
  /// the average, hence open, and no sum of shares can be zero.
  private static func cutClasses(
    _ members: [[Int]], alpha: Double, holders: Int, stream: (_ label: Int) -> RandomStream
  ) -> [[Int]] {
    var total = 0
    for images in members { total += images.count }
    var lists = [[Int]](repeating: [], count: holders)
    for (label, images) in members.enumerated() where !images.isEmpty {
      var stream = stream(label)
      var shuffled = images
      stream.shuffle(&shuffled)
      // count ≥ N/K, in whole numbers.
      let open = lists.indices.filter { !atLeast(lists[$0].count, of: total, over: holders) }
      let shares = stream.dirichlet(alpha, count: open.count)
      var sum = 0.0
      var start = 0
      for (position, holder) in open.enumerated() {
        sum += shares[position]
        let isLast = position == open.count - 1
        let cut = isLast ? images.count : Int(clamping: (sum * Double(images.count)).rounded(.down))
        let end = min(max(cut, start), images.count)
        lists[holder] += shuffled[start..<end]
        start = end
      }
    }
    return lists
  }

  /// Whether held ≥ total/holders.
  private static func atLeast(_ held: Int, of total: Int, over holders: Int) -> Bool {
    let (product, overflow) = held.multipliedReportingOverflow(by: holders)
    return overflow || product >= total
  }

  /// Draws tried for one group of workers of `dirichletBalanced`.
  package static let balancedDraws = 200

  /// P3, balanced sizes: label skew without quantity skew; client sizes differ by at most 1.
  ///
  /// The shuffled images are dealt to groups of ten auxiliary workers. Within a group P2 is drawn
  /// until the poorest worker has half of the average; the lists of all workers, one after the
  /// other, are then cut into K consecutive parts. Where `balancedDraws` draws never reach one half
  /// (small α on a long tail), the draw with the richest poorest worker is taken: the final
  /// cut makes sizes equal in any case.
  ///
  /// - Source: Shang et al., IJCAI 2022, arXiv:2204.13399 (CReFF).
  package func dirichletBalanced(alpha: Double) -> [[Int]] {
    let groups = (clients + 9) / 10
    var order = Array(indices.indices)
    var shuffling = stream()
    shuffling.shuffle(&order)
    var all: [Int] = []
    all.reserveCapacity(count)
    var firstImage = 0
    for group in 0..<groups {
      let workers = min(10, clients - 10 * group)
      let end = imageBorder(afterClients: 10 * group + workers)
      guard end > firstImage else { continue }
      let part = order[firstImage..<end]
      firstImage = end
      all += balancedGroup(part, workers: workers, alpha: alpha, group: group)
    }
    return Self.cut(all, sizes: Self.evenSizes(count, parts: clients)).map { $0.sorted() }
  }

  /// ⌊N·done/K⌋.
  private func imageBorder(afterClients done: Int) -> Int {
    let product = count.multipliedFullWidth(by: done)
    return clients.dividingFullWidth(product).quotient
  }

  private func balancedGroup(_ part: ArraySlice<Int>, workers: Int, alpha: Double, group: Int)
    -> [Int]
  {
    var members = [[Int]](repeating: [], count: classes)
    for position in part { members[labels[position]].append(indices[position]) }
    let needed = part.count / workers / 2
    var best: [[Int]] = []
    var bestSmallest = -1
    for attempt in 0..<Self.balancedDraws {
      let lists = Self.cutClasses(members, alpha: alpha, holders: workers) { label in
        stream(attempt: attempt + 1, part: group * classes + label)
      }
      let smallest = lists.lazy.map(\.count).min() ?? 0
      if smallest > bestSmallest { (best, bestSmallest) = (lists, smallest) }
      if smallest >= needed { break }
    }
    return best.flatMap { $0 }
  }
}
