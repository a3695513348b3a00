/// Sixteen floats: one AVX-512 register, two of AVX2, four of NEON or SSE.
///
/// All kernels are written in this type. What differs between CPU classes is only how many of them
/// a register tile holds (`RegisterTile.swift`).
typealias Vector = SIMD16<Float>

extension SIMD16<Float> {
  /// self ← self + x·w, rounded once where the instruction set has fused multiply-adds.
  ///
  /// Without them `addProduct` would call a library function for every lane.
  @inline(__always)
  mutating func accumulate(_ x: Vector, _ w: Vector) {
    if CPUFeatures.compiledWithFMA { addProduct(x, w) } else { self += x * w }
  }

  /// The even lanes of a, then those of b: a₀ a₂ … b₀ b₂ ….
  @inline(__always)
  static func evens(_ a: Vector, _ b: Vector) -> Vector {
    Vector(lowHalf: a.evenHalf, highHalf: b.evenHalf)
  }

  /// The odd lanes of a, then those of b.
  @inline(__always)
  static func odds(_ a: Vector, _ b: Vector) -> Vector {
    Vector(lowHalf: a.oddHalf, highHalf: b.oddHalf)
  }

  /// The sum of all lanes by halves: (0…7)+(8…15), and so on; the order is fixed.
  @inline(__always)
  var laneSum: Float {
    let eight = lowHalf + highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }

  /// Lanes of `a` where `self` > 0, else 0.
  @inline(__always)
  func gate(_ a: Vector) -> Vector { a.replacing(with: 0, where: self .<= 0) }
}

extension UnsafePointer<Float> {
  /// The sixteen floats from here on; no alignment is assumed.
  @inline(__always)
  var vector: Vector { UnsafeRawPointer(self).loadUnaligned(as: Vector.self) }

  /// This float in all lanes.
  @inline(__always)
  var broadcast: Vector { Vector(repeating: pointee) }
}

extension UnsafeMutablePointer<Float> {
  /// The sixteen floats from here on.
  @inline(__always)
  var vector: Vector {
    get { UnsafeRawPointer(self).loadUnaligned(as: Vector.self) }
    nonmutating set { UnsafeMutableRawPointer(self).storeBytes(of: newValue, as: Vector.self) }
  }
}
