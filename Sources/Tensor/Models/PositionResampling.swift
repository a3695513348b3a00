import Base

/// A vision transformer's positions for images of another size than those it was trained on.
extension Safetensors {
  /// The file with `pos_embed` drawn again for a model's grid of patches; nil where the file has
  /// positions for as many patches already, or none of the model's width.
  ///
  /// As timm's `resample_abs_pos_embed`: the old grid is square, the kernel bicubic with antialias,
  /// and the class token's vector stays.
  ///
  /// - Parameters:
  ///   - layout: the model's.
  ///   - rows: rows of patches of an image.
  ///   - columns: patches of a row.
  /// - Returns: the file, and the side of the grid that it was made for.
  /// - Throws: a format error where the file's patches make no square.
  public func resamplingPositions(for layout: ParameterLayout, rows: Int, columns: Int)
    throws(FormatError) -> (file: Safetensors, side: Int)?
  {
    guard let entry = layout.entries.first(where: { $0.role == .positions }),
      let place = items.firstIndex(where: { $0.name == entry.name }),
      case let shape = items[place].shape, shape.count == 3, shape[0] == 1, shape[1] > 1,
      shape[2] == entry.shape[2], shape != entry.shape
    else { return nil }
    let patches = shape[1] - 1
    let side = Int(clamping: Double(patches).squareRoot().rounded())
    guard side * side == patches else {
      throw FormatError(
        message: "\(entry.name) has a class token and \(patches) patches, which make no square "
          + "grid: it is not known how to interpolate them to \(rows)×\(columns) patches")
    }
    try entry.requireUsable(items[place].values)
    let width = shape[2]
    let grid = Resampling(
      FeatureShape(height: side, width: side, channels: width), height: rows, width: columns,
      .bicubic)
    var file = self
    file.items[place].shape = entry.shape
    file.items[place].values =
      Array(items[place].values.prefix(width))
      + grid.floats(Array(items[place].values.dropFirst(width)))
    return (file, side)
  }
}
