/// Turns images stored plane by plane (all red, all green, all blue) into channels last.
///
/// `source` has `images` records of `record` values; an image's planes, of `positions` values each,
/// start `offset` values into its record. In `target`, images · positions · channels values from
/// `start` on are overwritten.
///
/// - Precondition: both arrays are long enough.
package func interleavePlanes<Pixel>(
  _ source: [Pixel], record: Int, offset: Int, images: Int, positions: Int, channels: Int,
  into target: inout [Pixel], at start: Int
) {
  let size = positions * channels
  precondition(
    offset + size <= record && images * record <= source.count
      && start + images * size <= target.count,
    "interleavePlanes: \(images) records of \(record) in \(source.count) values, "
      + "\(start) + \(images)·\(size) of \(target.count)")
  for image in 0..<images {
    for channel in 0..<channels {
      let plane = image * record + offset + channel * positions
      var next = start + image * size + channel
      for position in plane..<plane + positions {
        target[next] = source[position]
        next += channels
      }
    }
  }
}
