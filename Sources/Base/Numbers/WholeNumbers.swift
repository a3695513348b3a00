/// Whole numbers from floating-point values and products that a user's numbers may make too large.
///
/// `Int(value)` ends the program for NaN, infinities and everything beyond 2⁶³. Values that follow
/// from a scenario or a file take these conversions instead, which have a result for every value;
/// a test of the house's rules finds those that do not.
///
/// Inlinable: other modules call them for every pixel, and would ask for the type each time.
extension FixedWidthInteger {
  /// The value without its fraction, as `Int(value)` gives it, where that fits; else the end of the
  /// range on its side, and 0 for NaN.
  @inlinable public init(clamping value: Double) {
    if let whole = Self(exactly: value.rounded(.towardZero)) {
      self = whole
    } else {
      self = value.isNaN ? 0 : value < 0 ? .min : .max
    }
  }

  /// The value without its fraction where that fits; else the end of the range on its side, and 0
  /// for NaN.
  @inlinable public init(clamping value: Float) { self.init(clamping: Double(value)) }

  /// The sum where it fits, else the end of the range on its side.
  @inlinable public func addingClamped(_ other: Self) -> Self {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other < 0 ? .min : .max) : sum
  }

  /// The product where it fits, else the end of the range on its side.
  @inlinable public func multipliedClamped(by other: Self) -> Self {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? ((self < 0) == (other < 0) ? .max : .min) : product
  }
}
