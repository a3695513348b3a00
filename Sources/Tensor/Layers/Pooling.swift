/// Maximum or mean over windows, PyTorch's MaxPool2d and AvgPool2d (whose mean counts padding).
package struct Pooling: Operation {
  /// What is taken of a window.
  package enum Kind: Sendable { case max, average }

  package let kind: Kind
  package let input: Int
  package let output: Int
  /// Slot of the winners' indices within an image, as Int32 bit patterns.
  package let winners: Int
  package let geometry: ConvolutionGeometry

  package var summary: String {
    let name = kind == .max ? "MaxPool2d" : "AvgPool2d"
    return "\(name)(\(geometry.kernel), stride=\(geometry.stride)) → \(geometry.output)"
  }

  package func forward(_ pass: borrowing Pass) {
    for image in 0..<pass.batch {
      let x = UnsafePointer(pass.values[input] + image * geometry.input.count)
      let y = pass.values[output] + image * geometry.output.count
      switch kind {
      case .max: maximum(x, y, winnerIndices(pass, image))
      case .average: mean(x, y)
      }
    }
  }

  package func backward(_ pass: borrowing Pass, inputGradient: GradientWrite) {
    guard inputGradient != .skip else { return }
    if inputGradient == .overwrite {
      pass.gradients[input].update(repeating: 0, count: pass.batch * geometry.input.count)
    }
    for image in 0..<pass.batch {
      let dy = pass.gradients[output] + image * geometry.output.count
      let dx = pass.gradients[input] + image * geometry.input.count
      switch kind {
      case .max:
        let winner = winnerIndices(pass, image)
        for i in 0..<geometry.output.count { dx[Int(winner[i])] += dy[i] }
      case .average:
        let share = 1 / Float(geometry.kernel * geometry.kernel)
        forEachWindow { out, places in
          for place in places {
            for c in 0..<geometry.input.channels { dx[place + c] += dy[out + c] * share }
          }
        }
      }
    }
  }

  /// The first largest value of a window wins, and NaN wins over everything, as in PyTorch.
  private func maximum(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    _ winner: UnsafeMutablePointer<Int32>
  ) {
    let channels = geometry.input.channels
    forEachWindow { out, places in
      let best = y + out
      let at = winner + out
      var isFirst = true
      for place in places {
        let values = x + place
        if isFirst {
          for c in 0..<channels {
            best[c] = values[c]
            at[c] = Int32(truncatingIfNeeded: place &+ c)
          }
          isFirst = false
          continue
        }
        // Selections instead of branches, so that the channels are vector lanes.
        for c in 0..<channels {
          let value = values[c]
          let wins = value > best[c] || value != value
          best[c] = wins ? value : best[c]
          at[c] = wins ? Int32(truncatingIfNeeded: place &+ c) : at[c]
        }
      }
    }
  }

  private func mean(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
    let channels = geometry.input.channels
    let share = 1 / Float(geometry.kernel * geometry.kernel)
    y.update(repeating: 0, count: geometry.output.count)
    forEachWindow { out, places in
      for place in places { for c in 0..<channels { y[out + c] += x[place + c] } }
      for c in 0..<channels { y[out + c] *= share }
    }
  }

  private func winnerIndices(_ pass: borrowing Pass, _ image: Int) -> UnsafeMutablePointer<Int32> {
    UnsafeMutableRawPointer(pass.values[winners] + image * geometry.output.count)
      .assumingMemoryBound(to: Int32.self)
  }

  /// Calls `body` with the offset of each output position and the offsets of its window's
  /// positions that lie inside the image.
  private func forEachWindow(_ body: (Int, WindowPlaces) -> Void) {
    let (height, width) = (geometry.input.height, geometry.input.width)
    for oy in 0..<geometry.output.height {
      let top = oy * geometry.stride - geometry.padding
      for ox in 0..<geometry.output.width {
        let left = ox * geometry.stride - geometry.padding
        let places = WindowPlaces(
          rows: max(0, top)..<min(height, top + geometry.kernel),
          columns: max(0, left)..<min(width, left + geometry.kernel), width: width,
          channels: geometry.input.channels)
        body((oy * geometry.output.width + ox) * geometry.output.channels, places)
      }
    }
  }
}

/// Offsets of the positions of one window, row by row; a sequence without storage.
struct WindowPlaces: Sequence, IteratorProtocol {
  private let columns: Range<Int>
  private let lastRow: Int
  private let width: Int
  private let channels: Int
  private var row: Int
  private var column: Int

  init(rows: Range<Int>, columns: Range<Int>, width: Int, channels: Int) {
    self.columns = columns
    self.width = width
    self.channels = channels
    lastRow = rows.upperBound
    row = rows.lowerBound
    column = columns.lowerBound
  }

  mutating func next() -> Int? {
    guard row < lastRow else { return nil }
    let place = (row * width + column) * channels
    column += 1
    if column == columns.upperBound {
      column = columns.lowerBound
      row += 1
    }
    return place
  }
}

/// Mean over all positions of each channel: PyTorch's AdaptiveAvgPool2d(1) and Flatten.
package struct GlobalAveragePool: Operation {
  package let input: Int
  package let output: Int
  package let shape: FeatureShape
  package var summary: String { "AdaptiveAvgPool2d(1) → \(shape.channels)" }

  package func forward(_ pass: borrowing Pass) {
    let share = 1 / Float(shape.positions)
    for image in 0..<pass.batch {
      let y = pass.values[output] + image * shape.channels
      ChannelSums.sum(
        pass.values[input] + image * shape.count, into: y, positions: shape.positions,
        channels: shape.channels)
      for c in 0..<shape.channels { y[c] *= share }
    }
  }

  package func backward(_ pass: borrowing Pass, inputGradient: GradientWrite) {
    guard inputGradient != .skip else { return }
    let share = 1 / Float(shape.positions)
    for image in 0..<pass.batch {
      let dy = pass.gradients[output] + image * shape.channels
      for position in 0..<shape.positions {
        let dx = pass.gradients[input] + image * shape.count + position * shape.channels
        if inputGradient == .add {
          for c in 0..<shape.channels { dx[c] += dy[c] * share }
        } else {
          for c in 0..<shape.channels { dx[c] = dy[c] * share }
        }
      }
    }
  }
}
