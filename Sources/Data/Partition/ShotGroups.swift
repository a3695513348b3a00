/// Head, middle and tail classes by one of two rules that are in use; results under different
/// rules cannot be compared, so a table names the rule it used.
package struct ShotGroups: Sendable, Equatable {
  package enum Rule: String, Sendable, CaseIterable {
    /// More than 100 training images, 20 to 100, fewer than 20. Liu et al., CVPR 2019,
    /// arXiv:1904.05160. Says little where every class has hundreds of images.
    case absolute = "absolute >100 / 20..100 / <20"
    /// Classes sorted by size; head until 75 % of all images are covered, middle until 95 %.
    /// A class that crosses a border belongs to the upper group. Xiao et al., ICLR 2024 (FedLoGe).
    case cumulative = "cumulative-share 75/95"
  }

  /// Where a class stands.
  package enum Group: String, Sendable, CaseIterable {
    case head
    case middle
    case tail
  }

  /// The rule that made the groups.
  package let rule: Rule
  package let groups: [Group]

  /// The groups for given class sizes.
  package init(_ rule: Rule, classCounts: [Int]) {
    self.rule = rule
    switch rule {
    case .absolute: groups = classCounts.map { $0 > 100 ? .head : $0 >= 20 ? .middle : .tail }
    case .cumulative: groups = Self.cumulative(classCounts)
    }
  }

  private static func cumulative(_ sizes: [Int]) -> [Group] {
    let total = sizes.reduce(0, +)
    // Equal sizes keep the order of their labels.
    let order = sizes.indices.sorted { (sizes[$0], $1) > (sizes[$1], $0) }
    var groups = [Group](repeating: .tail, count: sizes.count)
    var before = 0
    for label in order where sizes[label] > 0 {
      // Whole numbers: 0.95 · total would round.
      groups[label] = 4 * before < 3 * total ? .head : 20 * before < 19 * total ? .middle : .tail
      before += sizes[label]
    }
    return groups
  }

  /// The classes of a group, in label order.
  package func classes(in group: Group) -> [Int] { groups.indices.filter { groups[$0] == group } }
}
