/// A scattering transform with J = 2 scales, L = 8 angles and two orders: features that no image
/// but their own decides.
///
///     S0 = x ⋆ φ,   S1 = |x ⋆ ψ_1| ⋆ φ,   S2 = ||x ⋆ ψ_1| ⋆ ψ_2| ⋆ φ
///
/// with ψ_1 of both scales and ψ_2 of the larger one where ψ_1 has the smaller, each sampled at
/// every fourth place: 1 + 16 + 64 = 81 channels of n/4 × n/4 for each plane of n × n.
///
/// - Source: Bruna and Mallat, IEEE TPAMI 2013, arXiv:1203.1513; Oyallon and Mallat, CVPR 2015,
///   arXiv:1412.8659; as Kymatio computes it.
package struct ScatteringTransform: Sendable {
  /// Planes that are transformed together.
  package static let planes = 16
  /// Channels of one plane under one or two orders: 17 or 81.
  package static func channels(orders: Int) -> Int { orders == 1 ? 17 : 81 }

  /// n: a multiple of 4, 8 at least.
  package let side: Int
  /// n/4.
  package var outputSide: Int { side / 4 }

  /// M, the side with reflected borders.
  private let padded: Int
  private let filters: ScatteringFilters

  /// nil where the side is no multiple of 4, or below 8.
  package init?(side: Int) {
    guard side >= 8, side % 4 == 0 else { return nil }
    self.side = side
    padded = (side / 4 + 2) * 4
    filters = ScatteringFilters(side: padded)
  }

  /// Memory that one worker's transforms share.
  package final class Workspace {
    fileprivate let input: LanePlane
    fileprivate let full: LanePlane
    fileprivate let half: LanePlane
    fileprivate let second: LanePlane
    fileprivate let quarter: LanePlane
    fileprivate let fourier: [LaneFourier]

    package init(_ transform: ScatteringTransform) {
      let m = transform.padded
      (input, full) = (LanePlane(side: m), LanePlane(side: m))
      (half, second) = (LanePlane(side: m / 2), LanePlane(side: m / 2))
      quarter = LanePlane(side: m / 4)
      fourier = [m, m / 2, m / 4].map(LaneFourier.init)
    }
  }

  /// Transforms up to 16 planes.
  ///
  /// - Parameters:
  ///   - count: planes, 1 to 16.
  ///   - space: memory for one thread.
  ///   - orders: 1 leaves S2 out.
  ///   - pixel: the value of a plane at row and column.
  ///   - write: takes plane, channel, place (row · n/4 + column) and value.
  package func transform(
    _ count: Int, _ space: Workspace, orders: Int = 2,
    pixel: (_ plane: Int, _ row: Int, _ column: Int) -> Float,
    write: (_ plane: Int, _ channel: Int, _ place: Int, _ value: Float) -> Void
  ) {
    load(count, space.input, pixel)
    space.fourier[0].transform(space.input, isInverse: false)
    func low(_ plane: LanePlane, _ resolution: Int, _ channel: Int) {
      space.quarter.take(
        plane, times: filters.lowPass[resolution], folded: resolution == 0 ? 4 : 2)
      space.fourier[2].transform(space.quarter, isInverse: true)
      crop(count, space.quarter, channel, write)
    }
    low(space.input, 0, 0)
    for t1 in 0..<ScatteringFilters.angles {
      space.full.take(space.input, times: filters.wavelets[0][t1], folded: 1)
      rectify(space.full, space.fourier[0])
      low(space.full, 0, 1 + t1)
      for t2 in 0..<(orders == 1 ? 0 : ScatteringFilters.angles) {
        space.second.take(space.full, times: filters.wavelets[1][t2], folded: 2)
        rectify(space.second, space.fourier[1])
        low(space.second, 1, 17 + 8 * t1 + t2)
      }
      space.half.take(space.input, times: filters.wavelets[1][t1], folded: 2)
      rectify(space.half, space.fourier[1])
      low(space.half, 1, 9 + t1)
    }
  }

  /// The planes with borders reflected, their edges not repeated.
  private func load(
    _ count: Int, _ plane: LanePlane, _ pixel: (_ plane: Int, _ row: Int, _ column: Int) -> Float
  ) {
    func source(_ place: Int) -> Int {
      let place = abs(place - 4)
      return place < side ? place : 2 * side - 2 - place
    }
    for y in 0..<padded {
      for x in 0..<padded {
        var lanes = LaneFourier.Lanes.zero
        for lane in 0..<count { lanes[lane] = pixel(lane, source(y), source(x)) }
        plane.re[y * padded + x] = lanes
        plane.im[y * padded + x] = .zero
      }
    }
  }

  /// A spectrum becomes that of the modulus of its plane.
  private func rectify(_ plane: LanePlane, _ fourier: LaneFourier) {
    fourier.transform(plane, isInverse: true)
    plane.modulus(scale: 1 / Float(plane.side * plane.side))
    fourier.transform(plane, isInverse: false)
  }

  /// What is left of a map without its outermost places.
  private func crop(
    _ count: Int, _ plane: LanePlane, _ channel: Int,
    _ write: (_ plane: Int, _ channel: Int, _ place: Int, _ value: Float) -> Void
  ) {
    let scale = 1 / Float(plane.side * plane.side)
    for y in 0..<outputSide {
      for x in 0..<outputSide {
        let lanes = plane.re[(y + 1) * plane.side + x + 1] * scale
        for lane in 0..<count { write(lane, channel, y * outputSide + x, lanes[lane]) }
      }
    }
  }
}
