/// Sixteen floats: one AVX-512 register, two of AVX2, four of NEON or SSE.
///
/// All kernels are written in this type. What differs between CPU classes is only how many of them
/// a register tile holds (`RegisterTile.swift`).
package typealias Vector = SIMD16<Float>

extension SIMD16<Float> {
  /// self ← self + x·w, rounded once where the instruction set has fused multiply-adds.
  ///
  /// Without them `addProduct` would call a library function for every lane.
  @inline(__always) package mutating func accumulate(_ x: Vector, _ w: Vector) {
    if CPUFeatures.compiledWithFMA { addProduct(x, w) } else { self += x * w }
  }

  /// The even lanes of a, then those of b: a₀ a₂ … b₀ b₂ ….
  @inline(__always) static func evens(_ a: Vector, _ b: Vector) -> Vector {
    Vector(lowHalf: a.evenHalf, highHalf: b.evenHalf)
  }

  /// The odd lanes of a, then those of b.
  @inline(__always) static func odds(_ a: Vector, _ b: Vector) -> Vector {
    Vector(lowHalf: a.oddHalf, highHalf: b.oddHalf)
  }

  /// Four levels of folding sixteen vectors into the vector of their lane sums: at level n, each
  /// block of 2⁵⁻ⁿ lanes of a, then of b, becomes the sum of its two halves.
  @inline(__always) static func fold1(_ a: Vector, _ b: Vector) -> Vector {
    Vector(lowHalf: a.lowHalf, highHalf: b.lowHalf)
      + Vector(lowHalf: a.highHalf, highHalf: b.highHalf)
  }

  @inline(__always) static func fold2(_ a: Vector, _ b: Vector) -> Vector {
    let first = Vector(
      lowHalf: SIMD8(lowHalf: a.lowHalf.lowHalf, highHalf: a.highHalf.lowHalf),
      highHalf: SIMD8(lowHalf: b.lowHalf.lowHalf, highHalf: b.highHalf.lowHalf))
    let second = Vector(
      lowHalf: SIMD8(lowHalf: a.lowHalf.highHalf, highHalf: a.highHalf.highHalf),
      highHalf: SIMD8(lowHalf: b.lowHalf.highHalf, highHalf: b.highHalf.highHalf))
    return first + second
  }

  @inline(__always) static func fold3(_ a: Vector, _ b: Vector) -> Vector {
    // Pairs of lanes as one double each: even ones are first halves of a block, odd ones second.
    let x = unsafeBitCast(a, to: SIMD8<Double>.self)
    let y = unsafeBitCast(b, to: SIMD8<Double>.self)
    let first = SIMD8(lowHalf: x.evenHalf, highHalf: y.evenHalf)
    let second = SIMD8(lowHalf: x.oddHalf, highHalf: y.oddHalf)
    return unsafeBitCast(first, to: Vector.self) + unsafeBitCast(second, to: Vector.self)
  }

  @inline(__always) static func fold4(_ a: Vector, _ b: Vector) -> Vector {
    evens(a, b) + odds(a, b)
  }

  /// Lanes of `a` where `self` > 0, else 0.
  @inline(__always) func gate(_ a: Vector) -> Vector { a.replacing(with: 0, where: self .<= 0) }
}

extension UnsafePointer<Float> {
  /// The sixteen floats from here on; no alignment is assumed.
  @inline(__always) package var vector: Vector {
    UnsafeRawPointer(self).loadUnaligned(as: Vector.self)
  }

  /// This float in all lanes.
  @inline(__always) package var broadcast: Vector { Vector(repeating: pointee) }
}

extension UnsafeMutablePointer<Float> {
  /// The sixteen floats from here on.
  @inline(__always) package var vector: Vector {
    get { UnsafeRawPointer(self).loadUnaligned(as: Vector.self) }
    nonmutating set { UnsafeMutableRawPointer(self).storeBytes(of: newValue, as: Vector.self) }
  }
}
