import Base
import Testing

struct WholeNumbersTests {
  @Test(
    "what fits is what Int gives, the rest the end of the range",
    arguments: [
      (0.0, 0), (-0.0, 0), (1.9, 1), (-1.9, -1), (0x1p53, 1 << 53), (1e300, Int.max),
      (-1e300, Int.min), (Double.infinity, Int.max), (-Double.infinity, Int.min), (Double.nan, 0),
      (0x1p63, Int.max), (-0x1p63, Int.min), (0x1p63.nextDown, Int.max - 1023),
    ])
  func ints(_ value: Double, _ expected: Int) { #expect(Int(clamping: value) == expected) }

  @Test("narrow and unsigned ranges have their own ends")
  func others() {
    #expect(UInt64(clamping: -0.5) == 0)
    #expect(UInt64(clamping: -2.0) == 0)
    #expect(UInt64(clamping: 1e30) == .max)
    #expect(Int32(clamping: 3e9) == .max)
    #expect(UInt8(clamping: Float(255.9)) == 255)
    #expect(UInt8(clamping: Float(256)) == 255)
    #expect(UInt8(clamping: Float.nan) == 0)
  }

  @Test("sums and products stop at the ends")
  func arithmetic() {
    #expect(Int.max.addingClamped(1) == .max)
    #expect(Int.min.addingClamped(-1) == .min)
    #expect(3.addingClamped(-5) == -2)
    #expect((1 << 62).multipliedClamped(by: 2) == .max)
    #expect((1 << 62).multipliedClamped(by: -4) == .min)
    #expect((-1 << 62).multipliedClamped(by: -4) == .max)
    #expect(6.multipliedClamped(by: -7) == -42)
  }
}
