/// Arrays of floats in memory that this owns, which threads fill and read side by side.
///
/// Memory of an array comes from the system when its first element is written, so that the pages of
/// an array are the writer's own.
final class FloatArrays: @unchecked Sendable {
  // @unchecked: each element is written by one item of a pool's run, and read only by that item or
  // after the run; who calls `writable` sees to that.
  private let memory: [UnsafeMutablePointer<Float>]

  /// Arrays of `count` floats each, of any content.
  init(_ arrays: Int, count: Int, alignment: Int) {
    memory = (0..<arrays).map { _ in
      let bytes = MemoryLayout<Float>.stride * max(1, count)
      return UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: alignment).bindMemory(
        to: Float.self, capacity: max(1, count))
    }
  }

  deinit { for array in memory { UnsafeMutableRawPointer(array).deallocate() } }

  /// Where an array is, for as long as somebody holds this.
  subscript(array: Int) -> UnsafePointer<Float> { UnsafePointer(memory[array]) }

  /// The same for writing.
  func writable(_ array: Int) -> UnsafeMutablePointer<Float> { memory[array] }
}
