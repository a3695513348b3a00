import Tensor
import Testing

@testable import Base
@testable import Studies

@Suite("Audit pictures and scores")
struct AuditPictureTests {
  static let shape = FeatureShape(height: 9, width: 11, channels: 1)

  static func image(_ value: (Int, Int) -> Double) -> [Float] {
    (0..<9).flatMap { i in (0..<11).map { j in Float(value(i, j)) } }
  }

  /// Golden numbers from numpy 2.4.6 and scipy 1.17.1 (`uniform_filter`), by scikit-image's
  /// formula with its defaults.
  @Test("SSIM agrees with another program; equal images have 1")
  func similarity() {
    let x = Self.image { Double(($0 * 7 + $1 * 3) % 16) / 15 }
    let y = Self.image { Double(($0 * 5 + $1 * 11) % 13) / 12 }
    let z = x.map { Float(0.8 * Double($0) + 0.1) }
    func ssim(_ a: [Float], _ b: [Float]) -> Double {
      ImageScore(a, b, range: 1, shape: Self.shape).ssim
    }
    #expect(abs(ssim(x, y) - -0.19196050146673782) < 1e-9)
    #expect(abs(ssim(x, z) - 0.9757402134458864) < 1e-6)
    #expect(ssim(x, x) == 1 && ssim(y, y) == 1)
    #expect(abs(ssim(x, y) - ssim(y, x)) < 1e-15)
  }

  @Test("Channels and small images have scores too")
  func shapes() {
    for shape in [
      FeatureShape(height: 1, width: 1, channels: 3),
      FeatureShape(height: 3, width: 9, channels: 2), FeatureShape(features: 5),
    ] {
      let x = (0..<shape.count).map { Float($0 % 5) / 4 }
      let score = ImageScore(x, x, range: 1, shape: shape)
      #expect(score.ssim == 1 && score.psnr == ImageScore.largestPSNR)
      #expect(ImageScore(x.map { 1 - $0 }, x, range: 1, shape: shape).ssim < 1)
    }
  }

  @Test("PSNR: a tenth of the range everywhere is 20 dB; what is no number is 0")
  func psnr() {
    let x = Self.image { i, j in Double(i + j) / 20 }
    let off = x.map { $0 + 0.5 }
    #expect(abs(ImageScore(off, x, range: 5, shape: Self.shape).psnr - 20) < 1e-5)
    #expect(ImageScore(x.map { _ in .nan }, x, range: 1, shape: Self.shape).psnr == 0)
  }

  @Test("The cheapest assignment: known, and against all permutations")
  func assignment() {
    #expect(Assignment.cheapest([]) == [])
    #expect(Assignment.cheapest([[7]]) == [0])
    // Kuhn's example: cost 5 by (0, 1), (1, 0), (2, 2).
    #expect(Assignment.cheapest([[4, 1, 3], [2, 0, 5], [3, 2, 2]]) == [1, 0, 2])
    #expect(Assignment.cheapest([[.nan, .infinity], [1, .nan]]) == [1, 0])
    var stream = RandomStream(seed: 51, .test)
    for trial in 0..<60 {
      let n = 1 + trial % 6
      let costs = (0..<n).map { _ in (0..<n).map { _ in (stream.uniform() * 20).rounded() - 5 } }
      let found = Assignment.cheapest(costs)
      #expect(found.sorted() == Array(0..<n))
      let best = Self.permutations(n).map { Self.cost($0, costs) }.min()
      #expect(Self.cost(found, costs) == best)
    }
  }

  static func cost(_ columns: [Int], _ costs: [[Double]]) -> Double {
    columns.enumerated().map { costs[$0][$1] }.reduce(0, +)
  }

  static func permutations(_ n: Int) -> [[Int]] {
    guard n > 0 else { return [[]] }
    return permutations(n - 1).flatMap { rest in
      (0..<n).map { place in
        var list = rest
        list.insert(n - 1, at: place)
        return list
      }
    }
  }

  // Check values of RFC 1950's Adler-32 for "Wikipedia" and of CRC-32 for "123456789", as tables
  // of such sums give them; base64 from RFC 4648, section 10.
  @Test("Check sums and base64 have their published values")
  func sums() {
    #expect(PNG.crc32(Array("123456789".utf8)) == 0xCBF4_3926)
    #expect(PNG.adler32(Array("Wikipedia".utf8)) == 0x11E6_0398)
    for (plain, code) in [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
      ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ] { #expect(PNG.base64(Array(plain.utf8)) == code) }
  }

  @Test(
    "A picture's chunks, check sums and rows are what the format says", arguments: [1, 3, 2],
    [1, 40, 150])
  func png(channels: Int, side: Int) throws {
    let (height, width) = (side, side + 3)
    let pixels = (0..<height * width * channels).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let file = PNG.encoded(pixels, height: height, width: width, channels: channels)
    #expect(file.prefix(8) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    func number(_ at: Int) -> Int { file[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    var place = 8
    var chunks: [(kind: String, body: [UInt8])] = []
    while place < file.count {
      let length = number(place)
      let checked = Array(file[place + 4..<place + 8 + length])
      #expect(Int(PNG.crc32(checked)) == number(place + 8 + length))
      let kind = String(decoding: checked.prefix(4), as: UTF8.self)
      chunks.append((kind, Array(checked.dropFirst(4))))
      place += 12 + length
    }
    #expect(chunks.map(\.kind) == ["IHDR", "IDAT", "IEND"])
    let shown = channels == 3 ? 3 : 1
    #expect(chunks[0].body[3] == UInt8(width) && chunks[0].body[7] == UInt8(height))
    #expect(chunks[0].body.suffix(5) == [8, shown == 3 ? 2 : 0, 0, 0, 0])
    // Stored blocks, as RFC 1951, section 3.2.4, has them.
    let stream = chunks[1].body
    let header = Int(stream[0]) * 256 + Int(stream[1])
    #expect(header % 31 == 0)
    var rows: [UInt8] = []
    var at = 2
    var isLast = false
    while !isLast {
      isLast = stream[at] == 1
      let length = Int(stream[at + 1]) | Int(stream[at + 2]) << 8
      let complement = Int(stream[at + 3]) | Int(stream[at + 4]) << 8
      #expect(length + complement == 0xFFFF)
      rows += stream[at + 5..<at + 5 + length]
      at += 5 + length
    }
    #expect(stream.count == at + 4)
    var expected: [UInt8] = []
    for y in 0..<height {
      expected.append(0)
      for x in 0..<width {
        let at = (y * width + x) * channels
        expected += pixels[at..<at + shown]
      }
    }
    #expect(rows == expected)
  }
}
