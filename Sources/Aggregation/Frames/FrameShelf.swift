import Base
import Synchronization

/// Sparse frames by what they are made from: within a process each is made once.
///
/// A frame of 100 classes in 512 features takes seconds, and every run of a scenario under one seed
/// needs the same.
package enum FrameShelf {
  private struct Item {
    let settings: SparseFrame.Settings
    let seed: UInt64
    let frame: SparseFrame
  }

  private static let items = Mutex<[Item]>([])
  /// Frames kept; the oldest goes first.
  private static let limit = 16

  /// The frame of these sizes and settings under a seed; made while others who ask wait, so that
  /// many who ask at once do not make it many times.
  package static func frame(classes: Int, width: Int, settings: SparseFrame.Settings, seed: UInt64)
    -> SparseFrame
  {
    items.withLock { items in
      let known = items.first {
        $0.seed == seed && $0.settings == settings && $0.frame.classes == classes
          && $0.frame.width == width
      }
      if let known { return known.frame }
      var stream = Self.stream(seed)
      let frame = SparseFrame(classes: classes, width: width, settings: settings, stream: &stream)
      items.append(Item(settings: settings, seed: seed, frame: frame))
      if items.count > limit { items.removeFirst() }
      return frame
    }
  }

  /// The numbers that a frame is made from.
  package static func stream(_ seed: UInt64) -> RandomStream {
    RandomStream(seed: seed, .strategy, step: 0x535345)  // "SSE"
  }
}
