import Synchronization

/// The pass of a network with a pool that asks its frozen part for an image's features.
///
/// Images go through it one by one, whatever batch they are in: the size of a product may change
/// its last bits, and features are then the same bits wherever an image is looked at. So they may
/// be remembered, and nothing shows whether they were.
struct FeatureQuery: Sendable {
  /// The steps of the pass are those before this one, which matches the features.
  let end: Int
  /// Slot of the features.
  private let features: Int
  private let width: Int
  private let input: Int
  private let inputs: Int

  /// nil where nothing is matched.
  init?(_ steps: [any Operation], _ slots: [Network.Slot], input: Int) {
    guard let end = steps.firstIndex(where: { $0 is PoolMatch }) else { return nil }
    self.end = end
    features = steps[end].input
    width = slots[features].perExample
    self.input = input
    inputs = slots[input].perExample
  }

  /// Fills in the features of a batch: from the workspace's memory, or by asking.
  func run(_ steps: [any Operation], _ slots: Int, _ workspace: Workspace, _ pass: borrowing Pass) {
    let values = workspace.queryValues
    let memory = workspace.featureMemory
    for example in 0..<pass.batch {
      let target = pass.values[features] + example * width
      if memory?.recall(workspace.imageNumbers[example], into: target) == true { continue }
      values.update(from: pass.values, count: slots)
      values[input] = pass.values[input] + example * inputs
      values[features] = target
      let one = pass.on(batch: 1, accumulate: false, gradient: pass.gradient, values: values)
      for step in steps[..<end] { step.forward(one) }
      memory?.remember(workspace.imageNumbers[example], target)
    }
  }
}

/// The features that one frozen network has of some images, by their numbers; for all workers.
///
/// Whether an image is in it depends on who was faster, and changes no bit of any result.
public final class FeatureMemory: Sendable {
  private struct Known {
    var features: [[Float]]
    var count = 0
  }

  private let width: Int
  private let room: Int
  private let known: Mutex<Known>

  /// Most bytes of features that a memory holds; further images are asked for every time.
  private static let mostBytes = 1 << 30
  /// Bytes beside an image's features: their place, and what an array keeps of itself.
  private static let overhead = 40

  /// Room for images 0 ..< `images` with features of a width.
  public init(images: Int, width: Int) {
    self.width = width
    room = Self.room(images, width)
    known = Mutex(Known(features: [[Float]](repeating: [], count: images)))
  }

  private static func room(_ images: Int, _ width: Int) -> Int {
    min(images, mostBytes / (4 * width))
  }

  /// Bytes that a memory takes at most.
  public static func bytes(images: Int, width: Int) -> Int {
    8 * images + room(images, width) * (4 * width + overhead)
  }

  /// Images whose features are known.
  public var count: Int { known.withLock { $0.count } }

  func recall(_ image: Int, into target: UnsafeMutablePointer<Float>) -> Bool {
    let features = known.withLock { $0.features[image] }
    guard !features.isEmpty else { return false }
    features.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { target.update(from: start, count: width) }
    }
    return true
  }

  func remember(_ image: Int, _ features: UnsafePointer<Float>) {
    let own = Array(UnsafeBufferPointer(start: features, count: width))
    known.withLock { known in
      guard known.features[image].isEmpty, known.count < room else { return }
      known.features[image] = own
      known.count += 1
    }
  }
}
