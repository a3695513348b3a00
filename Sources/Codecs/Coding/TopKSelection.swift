/// The k largest magnitudes of a vector, exactly, ties by the lowest index.
///
/// Magnitudes of floats are ordered as their bits are, so the k-th largest is found digit by digit
/// from the top: counts of the 12 upper bits over all values, then of 10 and 9 bits over those
/// that share the digits so far (radix selection). No order within the vector makes it slower than
/// linear.
public enum TopKSelection {
  /// Ascending positions of the k largest |x_i|.
  ///
  /// - Parameters:
  ///   - x: finite values, [d], d < 2³².
  ///   - k: in 0 ... d.
  /// - Returns: k positions.
  /// - Throws: ``CodecError/nonFinite``, ``CodecError/parameter(_:)``.
  /// - Complexity: O(d); three readings of x, extra memory for values near the k-th.
  public static func positions(_ x: UnsafeBufferPointer<Float>, count k: Int) throws(CodecError)
    -> [UInt32]
  {
    guard k >= 0, k <= x.count else { throw .parameter("\(k) of \(x.count) values") }
    let limit = try limit(x, count: k)
    guard k > 0 else { return [] }
    var ties = limit.ties
    var positions: [UInt32] = []
    positions.reserveCapacity(k)
    forEach(x, atLeast: limit.magnitude) { index, magnitude in
      if magnitude == limit.magnitude {
        guard ties > 0 else { return }
        ties -= 1
      }
      positions.append(UInt32(truncatingIfNeeded: index))
    }
    return positions
  }

  /// As above for an array.
  public static func positions(_ x: [Float], count k: Int) throws(CodecError) -> [UInt32] {
    var result: Result<[UInt32], CodecError> = .success([])
    x.withUnsafeBufferPointer { x in
      do throws(CodecError) { result = .success(try positions(x, count: k)) } catch {
        result = .failure(error)
      }
    }
    return try result.get()
  }

  /// Ascending positions of all |x_i| ≥ threshold.
  ///
  /// `threshold`: ≥ 0.
  /// - Throws: ``CodecError/nonFinite``.
  /// - Complexity: O(d).
  package static func positions(_ x: UnsafeBufferPointer<Float>, threshold: Float)
    throws(CodecError) -> [UInt32]
  {
    _ = try Magnitude.largest(x)
    var positions: [UInt32] = []
    forEach(x, atLeast: threshold.bitPattern & Magnitude.mask) { index, _ in
      positions.append(UInt32(truncatingIfNeeded: index))
    }
    return positions
  }

  /// The k-th largest magnitude's bits, and how many values equal to it are among the k.
  package static func limit(_ x: UnsafeBufferPointer<Float>, count k: Int) throws(CodecError) -> (
    magnitude: UInt32, ties: Int
  ) {
    let counts = upperCounts(x)
    for digit in Int(Magnitude.infinity >> 19)..<4096 where counts[digit] > 0 { throw .nonFinite }
    guard k > 0 else { return (0, 0) }
    var left = k
    let upper = UInt32(Self.digit(counts, &left))
    var near: [UInt32] = []
    near.reserveCapacity(counts[Int(upper)])
    forEach(x, atLeast: upper << 19) { _, magnitude in
      if magnitude >> 19 == upper { near.append(magnitude & 0x7FFFF) }
    }
    var middles = [Int](repeating: 0, count: 1024)
    for value in near { middles[Int(value >> 9)] += 1 }
    let middle = UInt32(Self.digit(middles, &left))
    var lows = [Int](repeating: 0, count: 512)
    for value in near where value >> 9 == middle { lows[Int(value & 511)] += 1 }
    let low = UInt32(Self.digit(lows, &left))
    return (upper << 19 | middle << 9 | low, left)
  }

  /// The digit of the left-th largest; `left` becomes its place among those with that digit.
  private static func digit(_ counts: [Int], _ left: inout Int) -> Int {
    var digit = counts.count - 1
    while digit > 0, counts[digit] < left {
      left -= counts[digit]
      digit -= 1
    }
    return digit
  }

  /// How often each of the 12 upper bits of a magnitude occurs.
  ///
  /// In four tables by turns: neighbours often share a digit, and an addition to a place in memory
  /// waits for the one before to the same place.
  private static func upperCounts(_ x: UnsafeBufferPointer<Float>) -> [Int] {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 4 * 4096) { tables in
      guard let table = tables.baseAddress else { return [] }
      tables.initialize(repeating: 0)
      @inline(__always) func digit(_ i: Int) -> Int {
        Int((x[i].bitPattern & Magnitude.mask) &>> 19)
      }
      var i = 0
      while i &+ 4 <= x.count {
        table[digit(i)] &+= 1
        table[4096 &+ digit(i &+ 1)] &+= 1
        table[8192 &+ digit(i &+ 2)] &+= 1
        table[12288 &+ digit(i &+ 3)] &+= 1
        i &+= 4
      }
      while i < x.count {
        table[digit(i)] &+= 1
        i &+= 1
      }
      return (0..<4096).map { digit in
        Int(table[digit]) + Int(table[4096 + digit]) + Int(table[8192 + digit])
          + Int(table[12288 + digit])
      }
    }
  }

  /// Calls `body` for values whose magnitude is at least a limit, in order.
  ///
  /// Sixteen at a time: where few values are wanted, most sixteens have none.
  @inline(__always) private static func forEach(
    _ x: UnsafeBufferPointer<Float>, atLeast limit: UInt32, _ body: (Int, UInt32) -> Void
  ) {
    guard let start = x.baseAddress else { return }
    let memory = UnsafeRawPointer(start)
    let limits = SIMD16<UInt32>(repeating: limit)
    let mask = SIMD16<UInt32>(repeating: Magnitude.mask)
    var i = 0
    while i &+ 16 <= x.count {
      let bits = (memory + 4 &* i).loadUnaligned(as: SIMD16<UInt32>.self) & mask
      if any(bits .>= limits) {
        for lane in 0..<16 where bits[lane] >= limit { body(i &+ lane, bits[lane]) }
      }
      i &+= 16
    }
    while i < x.count {
      let magnitude = x[i].bitPattern & Magnitude.mask
      if magnitude >= limit { body(i, magnitude) }
      i &+= 1
    }
  }
}
