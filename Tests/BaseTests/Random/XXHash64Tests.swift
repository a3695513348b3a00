import Base
import Testing

/// The hash against numbers of the reference implementation.
@Suite("XXHash64")
struct XXHash64Tests {
  @Test(
    "Published digests of texts",
    arguments: [
      ("", "ef46db3751d8e999"), ("a", "d24ec4f1a98c6e5b"), ("abc", "44bc2cf5ad770999"),
      ("Nobody inspects the spammish repetition", "fbcea83c8a378bf1"),
    ])
  func texts(text: String, digest: String) {
    var hash = XXHash64()
    hash.update(text)
    #expect(hash.hex == digest)
  }

  /// Length, digest with seed 0, digest with seed 0x9E3779B1, from Python's xxhash 4.1.0:
  /// `xxhash.xxh64(bytes((7*i+3) & 255 for i in range(n)), seed=…)`.
  static let table: [(Int, UInt64, UInt64)] = [
    (0, 0xEF46_DB37_51D8_E999, 0xAC75_FDA2_929B_17EF),
    (1, 0x1F25_C8D0_BC1F_4BB6, 0x79CF_94F5_ACE3_7FE1),
    (3, 0x31D2_363F_52E5_64C9, 0x96D2_A5E5_83DD_D738),
    (4, 0x9BB6_4B7D_66EE_9FDA, 0x4A86_2FBB_4B73_776E),
    (5, 0xC760_8EFD_DB70_51FE, 0xF6CA_0217_9471_D4A8),
    (7, 0x9A7B_1499_59CE_60D8, 0xDDC5_CF71_D37A_6368),
    (8, 0xDAB9_9D95_C6F9_0092, 0xC6E7_5E2C_BD8E_07EE),
    (9, 0x170B_B6BF_975B_4C02, 0x3A3E_0F8C_E693_F786),
    (12, 0xD52E_4078_33AF_5133, 0x79B0_B158_FAB0_E5D6),
    (15, 0x1B47_CB82_43CC_8E32, 0x8120_A1ED_A8AC_77DA),
    (16, 0x4348_5023_2B78_7BE2, 0x17F3_87CE_3088_5DE5),
    (31, 0xA2AA_5F33_CC4A_6119, 0x3818_22F3_3376_D6B6),
    (32, 0x23C3_C17E_F790_FD97, 0x9ABD_3154_70AC_276A),
    (33, 0x50A7_CFC7_BA58_8784, 0x72CD_D326_2F46_7933),
    (39, 0x880B_BEEA_606E_4B37, 0x7843_8FF5_8483_CB1F),
    (40, 0xB620_306B_253D_76B6, 0x6968_E03B_E195_1FDA),
    (63, 0x5E3E_54B4_31C7_493C, 0x634D_A7D2_6597_9E61),
    (64, 0x0EB6_4B3E_F6EE_B01F, 0xBCB3_847D_7052_5180),
    (65, 0xA383_B724_B2BD_12F1, 0x97F9_D8F9_9671_9021),
    (95, 0xF6FF_B910_3991_895F, 0xFB8A_69F5_807E_D1D9),
    (96, 0x3101_A958_DE58_2E18, 0xE436_9239_D5A2_D716),
    (100, 0xA61F_8D4C_170F_E531, 0x86F5_49ED_E5AC_87E2),
    (127, 0x0C2B_3713_C3ED_BEB3, 0x40E0_9DA9_7531_BA31),
    (128, 0x46FB_CFBF_0150_793F, 0x9CD2_5E05_DC8F_EFA9),
    (1000, 0x5F23_5FA0_33F1_A3FB, 0x8308_0310_EE83_CC20),
  ]

  private func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: 7 * $0 + 3) }
  }

  @Test("Python's digests around every block boundary", arguments: table)
  func lengths(
    count: Int, plain: UInt64, seeded: UInt64
  ) {
    var hash = XXHash64()
    hash.update(bytes(count))
    #expect(hash.finish() == plain)
    hash = XXHash64(seed: 0x9E37_79B1)
    hash.update(bytes(count))
    #expect(hash.finish() == seeded)
  }

  @Test("Pieces give the digest of the whole", arguments: table)
  func pieces(
    count: Int, plain: UInt64, seeded: UInt64
  ) {
    let all = bytes(count)
    for cut in Set([0, 1, 7, 31, 32, 33, count / 2, count - 1]) where cut >= 0 && cut <= count {
      var hash = XXHash64()
      hash.update(Array(all[..<cut]))
      hash.update([UInt8]())
      hash.update(Array(all[cut...]))
      #expect(hash.finish() == plain, "cut at \(cut)")
    }
    var single = XXHash64()
    for byte in all { single.update([byte]) }
    #expect(single.finish() == plain)
    #expect(single.finish() == plain)  // asking changes nothing
  }

  @Test("Floats count by their bits")
  func floats() {
    var (a, b, c) = (XXHash64(), XXHash64(), XXHash64())
    a.update([Float(0), 1.5])
    b.update([UInt32(0), 0x3FC0_0000])
    c.update([-Float(0), 1.5])
    #expect(a.finish() == b.finish() && a.finish() != c.finish())
  }

  @Test("Digits are padded to sixteen")
  func padding() {
    for seed in 0..<400 { #expect(XXHash64(seed: UInt64(seed)).hex.count == 16) }
  }
}
