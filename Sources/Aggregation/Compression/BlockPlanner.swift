import Tensor

/// Decides with which codec each tensor of a block travels.
public struct BlockPlanner: Sendable {
  /// The settings of the link.
  public let settings: LinkCompression
  /// The groups of each parameter of any of the problem's networks, by name.
  private let parameters: [String: Set<ParameterGroup>]

  /// A planner for the parameters of a problem.
  public init(_ settings: LinkCompression, _ problem: LearningProblem) {
    self.settings = settings
    var parameters: [String: Set<ParameterGroup>] = [:]
    for network in [problem.network] + problem.groups.map(\.network) {
      for entry in network.layout.entries where parameters[entry.name] == nil {
        parameters[entry.name] = Set(
          ParameterGroup.allCases.filter { $0.contains(entry, of: network) }
        )
      }
    }
    self.parameters = parameters
  }

  /// Whether a block is encoded; the others travel as plain numbers.
  public func encodes(_ block: PayloadBlock) -> Bool {
    guard block.count > 0, block.tensors.allSatisfy({ $0.element == .float32 }) else {
      return false
    }
    return settings.blocks == .all || block.tensors.allSatisfy { parameters[$0.name] != nil }
  }

  /// The plan of a block's tensors in a round.
  ///
  /// `choice`: of each tensor one of `settings.options`; empty for the same codec everywhere.
  ///
  /// - Throws: ``CodecError/parameter(_:)`` for codecs that do not fit.
  public func plan(
    _ tensors: [NamedShape],
    round: Int,
    choice: [Int] = []
  ) throws(CodecError) -> CodecPlan {
    let codec = settings.codec(round: round)
    let options = choice.count == tensors.count ? settings.options : []
    var groups: [CodecPlan.Group] = []
    var next = 0
    for (index, tensor) in tensors.enumerated() {
      let range = next..<next + tensor.count
      next = range.upperBound
      let wanted = options.isEmpty ? codec : options[min(max(choice[index], 0), options.count - 1)]
      let spec = spec(of: tensor, wanted)
      if settings.grouping == .together,
        let same = groups.firstIndex(where: { $0.codec == spec })
      {
        groups[same] = joined(groups[same], range)
      } else {
        let shape = settings.grouping == .together ? [range.count] : Self.matrix(tensor.shape)
        groups.append(CodecPlan.Group(ranges: [range], shape: shape, codec: spec))
      }
    }
    return try CodecPlan(count: next, groups: groups)
  }

  /// What each of `settings.options` is for a tensor: the same for all where it has no choice.
  public func options(of tensor: NamedShape) -> [CodecSpec] {
    settings.options.map { spec(of: tensor, $0) }
  }

  /// The codec of one tensor: its group's, or dense where it is too small, or `wanted`.
  private func spec(of tensor: NamedShape, _ wanted: CodecSpec) -> CodecSpec {
    let groups = parameters[tensor.name] ?? []
    for override in settings.overrides where groups.contains(override.group) {
      return hosted(override.codec, tensor)
    }
    if tensor.count < settings.denseBelow || (settings.denseVectors && tensor.shape.count < 2) {
      return .dense(.float32)
    }
    return hosted(wanted, tensor)
  }

  /// A low rank only where it pays.
  private func hosted(_ spec: CodecSpec, _ tensor: NamedShape) -> CodecSpec {
    guard case .lowRank(let lowRank) = spec else { return spec }
    return lowRank.pays(shape: Self.matrix(tensor.shape)) ? spec : .dense(.float32)
  }

  private func joined(_ group: CodecPlan.Group, _ range: Range<Int>) -> CodecPlan.Group {
    var ranges = group.ranges
    if let last = ranges.last, last.upperBound == range.lowerBound {
      ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
    } else {
      ranges.append(range)
    }
    return CodecPlan.Group(
      ranges: ranges,
      shape: [ranges.reduce(0) { $0 + $1.count }],
      codec: group.codec
    )
  }

  /// A tensor's shape as its values lie: a convolution's [out, in, kh, kw] is [kh·kw·in, out].
  public static func matrix(_ shape: [Int]) -> [Int] {
    guard shape.count > 2 else { return shape }
    return [shape.dropFirst().reduce(1, *), shape[0]]
  }
}
