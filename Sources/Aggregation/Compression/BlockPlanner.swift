import Codecs
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
          ParameterGroup.allCases.filter { $0.contains(entry, of: network) })
      }
    }
    self.parameters = parameters
  }

  /// Whether a tensor is encoded; whole numbers, and what `blocks` leaves out, travel as they are.
  func encodes(_ tensor: NamedShape) -> Bool {
    tensor.element == .float32 && (settings.blocks == .all || isParameter(tensor))
  }

  /// Whether a tensor has the name of a parameter.
  public func isParameter(_ tensor: NamedShape) -> Bool { parameters[tensor.name] != nil }

  /// Whether a tensor belongs to a group of parameters.
  public func holds(_ group: ParameterGroup, _ tensor: NamedShape) -> Bool {
    parameters[tensor.name]?.contains(group) ?? false
  }

  /// What of a block is encoded; nil for nothing.
  public func part(of block: PayloadBlock) -> CodedPart? { CodedPart(block, where: encodes) }

  /// The plan of a block's tensors in a round.
  ///
  /// `choice`: of each tensor one of `settings.options`; empty for the same codec everywhere.
  ///
  /// - Throws: ``CodecError/parameter(_:)`` for codecs that do not fit.
  public func plan(_ tensors: [NamedShape], round: Int, choice: [Int] = []) throws(CodecError)
    -> CodecPlan
  {
    let codec = settings.codec(round: round)
    let options = choice.count == tensors.count ? settings.options : []
    var groups: [CodecPlan.Group] = []
    var next = 0
    for (index, tensor) in tensors.enumerated() {
      let range = next..<next + tensor.count
      next = range.upperBound
      let wanted = options.isEmpty ? codec : options[min(max(choice[index], 0), options.count - 1)]
      let spec = spec(of: tensor, wanted)
      if settings.grouping == .together, let same = groups.firstIndex(where: { $0.codec == spec }) {
        groups[same] = joined(groups[same], range)
      } else {
        let shape = settings.grouping == .together ? [range.count] : Self.matrix(tensor.shape)
        groups.append(CodecPlan.Group(ranges: [range], shape: shape, codec: spec))
      }
    }
    return try CodecPlan(count: next, groups: groups)
  }

  /// The plan of a block in a round; what fails says whose it was.
  public func plan(of block: PayloadBlock, round: Int, choice: [Int] = []) throws(FrameError)
    -> CodecPlan
  {
    try block.coding([settings.codec] + settings.overrides.map(\.codec)) { () throws(CodecError) in
      try plan(block.tensors, round: round, choice: choice)
    }
  }

  /// What each of `settings.options` is for a tensor: the same for all where it has no choice.
  public func options(of tensor: NamedShape) -> [CodecSpec] {
    settings.options.map { spec(of: tensor, $0) }
  }

  /// The codec of one tensor: its group's, or dense where it is too small, or `wanted`.
  private func spec(of tensor: NamedShape, _ wanted: CodecSpec) -> CodecSpec {
    if let override = override(of: tensor) { return hosted(override, tensor) }
    if tensor.count < settings.denseBelow || (settings.denseVectors && tensor.shape.count < 2) {
      return .dense(.float32)
    }
    return hosted(wanted, tensor)
  }

  /// The codec of the first group that has one of its own and holds the tensor.
  func override(of tensor: NamedShape) -> CodecSpec? {
    let groups = parameters[tensor.name] ?? []
    return settings.overrides.first { groups.contains($0.group) }?.codec
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
      ranges: ranges, shape: [ranges.reduce(0) { $0 + $1.count }], codec: group.codec)
  }

  /// A tensor's shape as its values lie: a convolution's [out, in, kh, kw] is [kh·kw·in, out].
  public static func matrix(_ shape: [Int]) -> [Int] {
    guard shape.count > 2 else { return shape }
    return [shape.dropFirst().reduce(1, *), shape[0]]
  }
}
