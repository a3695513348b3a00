/// y ← y + Σ_k w_k·(x_k − b_k): a server's sum over several clients in one pass.
///
/// Each element takes its terms one after the other, every product and every sum rounded on its
/// own, so the bits are those of adding one vector at a time; but y is read and written once for
/// all of them, and a base that they share is read once.
package enum WeightedDifferenceSum {
  /// One client's vector: w, x and, where it counts as a difference, b.
  package struct Term {
    package let weight: Float
    package let vector: UnsafePointer<Float>
    package let base: UnsafePointer<Float>?

    /// w·(x − b), or w·x without a base; both vectors as long as y.
    package init(weight: Float, vector: UnsafePointer<Float>, base: UnsafePointer<Float>? = nil) {
      self.weight = weight
      self.vector = vector
      self.base = base
    }

    /// The same term from an element on.
    package func advanced(by n: Int) -> Term {
      Term(weight: weight, vector: vector + n, base: base.map { $0 + n })
    }
  }

  /// y ← y + Σ_k w_k·(x_k − b_k), or 0 + Σ… with `fresh`, which never reads y.
  ///
  /// `y`: [count], disjoint from all vectors.
  ///
  /// - Complexity: O(count · terms), no allocation.
  package static func add(
    _ terms: [Term], to y: UnsafeMutablePointer<Float>, count: Int, fresh: Bool
  ) {
    let sharesBase = terms.allSatisfy { $0.base == terms[0].base }
    terms.withUnsafeBufferPointer { terms in
      var i = 0
      while i + 64 <= count {
        var block = fresh ? Block() : Block(y + i)
        if sharesBase, let base = terms.first?.base {
          block.add(terms, minus: Block(base + i), at: i)
        } else {
          block.add(terms, at: i)
        }
        block.store(to: y + i)
        i += 64
      }
      while i < count {
        var sum = fresh ? 0 : y[i]
        for term in terms {
          sum += term.weight * (term.base.map { term.vector[i] - $0[i] } ?? term.vector[i])
        }
        y[i] = sum
        i += 1
      }
    }
  }

  /// The same for any number of terms on some elements of y: blocks of elements that stay in the
  /// caches, eight terms at a time.
  ///
  /// The bits are those of one term after the other. Elements do not touch each other, so threads
  /// may share the work by ranges.
  ///
  /// - Complexity: O(elements · terms); each term is read from memory once.
  package static func add(
    _ terms: [Term], to y: UnsafeMutablePointer<Float>, elements: Range<Int>, fresh: Bool
  ) {
    // 256 KiB of y fit a usual L2 cache, and the prefetcher can follow each of eight streams.
    let length = 65_536
    let groups = stride(from: 0, to: terms.count, by: 8).map {
      Array(terms[$0..<min($0 + 8, terms.count)])
    }
    for first in stride(from: elements.lowerBound, to: elements.upperBound, by: length) {
      let count = min(length, elements.upperBound - first)
      for (index, group) in groups.enumerated() {
        add(
          group.map { $0.advanced(by: first) }, to: y + first, count: count,
          fresh: fresh && index == 0)
      }
    }
  }

  /// 64 neighbouring elements in registers.
  private struct Block {
    var a, b, c, d: SIMD16<Float>

    @inline(__always) init() { (a, b, c, d) = (.zero, .zero, .zero, .zero) }

    @inline(__always) init(_ start: UnsafePointer<Float>) {
      let raw = UnsafeRawPointer(start)
      a = raw.loadUnaligned(as: SIMD16<Float>.self)
      b = raw.loadUnaligned(fromByteOffset: 64, as: SIMD16<Float>.self)
      c = raw.loadUnaligned(fromByteOffset: 128, as: SIMD16<Float>.self)
      d = raw.loadUnaligned(fromByteOffset: 192, as: SIMD16<Float>.self)
    }

    @inline(__always) func store(to start: UnsafeMutablePointer<Float>) {
      let raw = UnsafeMutableRawPointer(start)
      raw.storeBytes(of: a, as: SIMD16<Float>.self)
      raw.storeBytes(of: b, toByteOffset: 64, as: SIMD16<Float>.self)
      raw.storeBytes(of: c, toByteOffset: 128, as: SIMD16<Float>.self)
      raw.storeBytes(of: d, toByteOffset: 192, as: SIMD16<Float>.self)
    }

    @inline(__always) mutating func add(_ w: Float, _ x: Block) {
      a += w * x.a
      b += w * x.b
      c += w * x.c
      d += w * x.d
    }

    @inline(__always) mutating func add(_ w: Float, _ x: Block, minus base: Block) {
      a += w * (x.a - base.a)
      b += w * (x.b - base.b)
      c += w * (x.c - base.c)
      d += w * (x.d - base.d)
    }

    @inline(__always) mutating func add(
      _ terms: UnsafeBufferPointer<Term>, minus base: Block, at i: Int
    ) { for term in terms { add(term.weight, Block(term.vector + i), minus: base) } }

    @inline(__always) mutating func add(_ terms: UnsafeBufferPointer<Term>, at i: Int) {
      for term in terms {
        if let base = term.base {
          add(term.weight, Block(term.vector + i), minus: Block(base + i))
        } else {
          add(term.weight, Block(term.vector + i))
        }
      }
    }
  }
}
