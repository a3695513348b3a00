import Base
import Tensor
import Testing

/// Resampling against numbers from PyTorch 2.13.0 and timm 1.0.31 in Python 3.11, on the CPU.
///
///     i = torch.arange(h * w * c)
///     x = ((i * 37 + i * i % 11 * 13) % 256).reshape(1, h, w, c).permute(0, 3, 1, 2).float()
///     y = F.interpolate(x, size=(H, W), mode="bilinear", align_corners=False, antialias=True)
///     y.permute(0, 2, 3, 1).flatten(), y.round().to(torch.uint8)
///     p = torch.sin(torch.arange((s * s + 1) * 2.0)).reshape(1, s * s + 1, 2)
///     timm.layers.resample_abs_pos_embed(p, [H, W])
@Suite("Resampling")
struct ResamplingTests {
  struct Sample: Sendable {
    let old: FeatureShape
    let height: Int
    let width: Int
    let bytes: [UInt8]
    let floats: [Float]
  }

  static let samples = [
    Sample(
      old: FeatureShape(height: 4, width: 3, channels: 1), height: 2, width: 5,
      bytes: [98, 108, 122, 152, 172, 90, 100, 114, 144, 164],
      floats: [98.4286, 108.0286, 122.4286, 152.4286, 172.4286, 90, 99.6, 114, 144, 164]),
    Sample(
      old: FeatureShape(height: 5, width: 4, channels: 3), height: 3, width: 2,
      bytes: [
        126, 99, 151, 102, 90, 125, 134, 63, 97, 149, 145, 101, 141, 130, 135, 146, 186, 111,
      ],
      floats: [
        126.4082, 98.8571, 151.2449, 102.3061, 90.4286, 125.3061, 134.3333, 62.9841, 96.8889,
        149.3333, 145.1587, 100.5397, 141.4898, 129.6122, 134.8367, 145.6735, 185.5714, 110.7347,
      ]),
    Sample(
      old: FeatureShape(height: 2, width: 2, channels: 1), height: 5, width: 3,
      bytes: [0, 25, 50, 13, 40, 68, 63, 101, 139, 113, 162, 210, 126, 177, 228],
      floats: [
        0, 25, 50, 12.6, 40.2, 67.8, 63, 101, 139, 113.4, 161.8, 210.2, 126, 177, 228,
      ]),
    Sample(
      old: FeatureShape(height: 7, width: 7, channels: 1), height: 3, width: 3,
      bytes: [93, 160, 122, 88, 137, 84, 106, 158, 113],
      floats: [
        93.1837, 160.2689, 121.8929, 87.6891, 137.2422, 84.0672, 105.5102, 157.5294, 112.8725,
      ]),
  ]

  @Test("images get the numbers of PyTorch's bilinear interpolation with antialias")
  func images() {
    for sample in Self.samples {
      let bytes = (0..<sample.old.count).map { (i: Int) -> UInt8 in
        let value = i * 37 + i * i % 11 * 13
        return UInt8(value % 256)
      }
      let resampling = Resampling(
        sample.old, height: sample.height, width: sample.width, .bilinear)
      #expect(resampling.isExact)
      // Twice: maps lie one after the other.
      #expect(resampling.bytes(bytes + bytes) == sample.bytes + sample.bytes)
      let floats = resampling.floats(bytes.map(Float.init))
      for (a, b) in zip(floats, sample.floats) { #expect(abs(a - b) <= 1e-4) }
      #expect(floats.count == sample.floats.count)
    }
  }

  @Test("halves go to the even neighbour, the same size changes nothing, one value stays one value")
  func edges() {
    let pair = Resampling(
      FeatureShape(height: 1, width: 2, channels: 1), height: 1, width: 1, .bilinear)
    #expect(pair.bytes([0, 1, 1, 2, 2, 3, 254, 255]) == [0, 2, 2, 254])
    let shape = FeatureShape(height: 3, width: 2, channels: 2)
    let values: [UInt8] = (0..<12).map { 20 * $0 }
    #expect(Resampling(shape, height: 3, width: 2, .bilinear).bytes(values) == values)
    let constant = Resampling(shape, height: 11, width: 1, .bilinear)
    #expect(constant.bytes([UInt8](repeating: 7, count: 12)) == [UInt8](repeating: 7, count: 22))
    for kernel in [Resampling.Kernel.bilinear, .bicubic] {
      let result = Resampling(shape, height: 5, width: 1, kernel).floats(
        [Float](repeating: 0.3, count: 12))
      #expect(result.allSatisfy { abs($0 - 0.3) <= 1e-6 })
    }
    let flat = FeatureShape(height: 200_000, width: 200_000, channels: 1)
    #expect(!Resampling(flat, height: 1, width: 1, .bilinear).isExact)
  }

  private func positions(_ side: Int, width: Int = 2) -> Safetensors.Item {
    let count = (side * side + 1) * width
    return Safetensors.Item(
      name: "pos_embed", shape: [1, side * side + 1, width],
      values: (0..<count).map { Float(sin(Double($0))) })
  }

  private func layout(_ height: Int, _ width: Int) throws -> ParameterLayout {
    let spec = ModelSpec(kind: .vit, width: 2, patch: 2, depth: 1, heads: 1, mlpRatio: 1)
    return try Network(
      spec, input: FeatureShape(height: 2 * height, width: 2 * width, channels: 1), classes: 2
    ).layout
  }

  @Test("a transformer's positions get the numbers of timm; the class token's stay")
  func transformer() throws {
    let wanted: [(side: Int, rows: Int, columns: Int, values: [Float])] = [
      (
        3, 2, 2,
        [
          0, 0.841471, 0.3536172, -0.2565375, -0.5423138, -0.0090461, 0.5293959, -0.0146988,
          -0.6299213, -0.2513497,
        ]
      ),
      (
        2, 3, 4,
        [
          0, 0.841471, 1.1515474, 0.2092085, 0.6023855, -0.132339, -0.4865648, -0.8096038,
          -1.0357268, -1.1511512, 0.33247, 0.4583876, 0.2737893, 0.2597588, 0.1574295, -0.1341084,
          0.0987488, -0.3327373, -0.4866078, 0.7075669, -0.054807, 0.6518568, 0.801424, 0.5413873,
          1.2332249, 0.4856771,
        ]
      ),
      (
        5, 2, 3,
        [
          0, 0.841471, 0.0514932, -0.0181672, -0.038749, 0.0147858, 0.0497399, -0.0204611,
          -0.0473941, 0.0234031, 0.0355684, -0.0187749, -0.0455294, 0.0256467,
        ]
      ),
    ]
    for (side, rows, columns, values) in wanted {
      let file = Safetensors(items: [positions(side)])
      let layout = try layout(rows, columns)
      let result = try #require(
        try file.resamplingPositions(for: layout, rows: rows, columns: columns))
      #expect(result.side == side)
      #expect(result.file.items[0].shape == [1, rows * columns + 1, 2])
      #expect(result.file.items[0].values.count == values.count)
      for (a, b) in zip(result.file.items[0].values, values) { #expect(abs(a - b) <= 2e-6) }
    }
  }

  @Test("what fits stays; what makes no square, or no number, is refused")
  func refused() throws {
    let layout = try layout(3, 3)
    func other(_ item: Safetensors.Item) throws -> Safetensors? {
      try Safetensors(items: [item]).resamplingPositions(for: layout, rows: 3, columns: 3)?.file
    }
    #expect(try other(positions(3)) == nil)
    // Another width is no question of the grid.
    #expect(try other(positions(2, width: 3)) == nil)
    var item = positions(4)
    item.values[5] = .nan
    #expect(throws: Safetensors.FormatError.self) { _ = try other(item) }
    let oblong = Safetensors.Item(
      name: "pos_embed", shape: [1, 9, 2], values: [Float](repeating: 0, count: 18))
    let error = #expect(throws: Safetensors.FormatError.self) { _ = try other(oblong) }
    #expect(error?.message.contains("8 patches, which make no square") == true)
  }
}
