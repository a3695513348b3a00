import Base

/// Data files and companions with bytes, headers, numbers and names changed.
enum DataKind {
  private enum Format: String, CaseIterable {
    case idx, zipped, cifar10, cifar100, npy, typed, leaf
    case partition, weights, trace, table

    /// The data set's kind in a scenario.
    var dataset: String {
      switch self {
      case .idx, .zipped: "mnist"
      case .cifar10: "cifar10"
      case .cifar100: "cifar100"
      case .leaf: "leaf"
      default: "npy"
      }
    }

    /// Whether it lies beside the data.
    var isCompanion: Bool { [.partition, .weights, .trace, .table].contains(self) }
  }

  static func make(seed: UInt64, number: Int) -> FuzzCase {
    var tried = FuzzCase(.data, seed: seed, number: number)
    var dice = tried.dice
    let format = dice.pick(Format.allCases)
    var files = whole(format, &dice)
    let companion = files.firstIndex { !$0.path.hasPrefix("d/") }
    for _ in 0..<(1 + dice.below(2)) {
      let index = companion ?? dice.below(files.count)
      change(&files, index, format, &tried, &dice)
    }
    tried.files = files + [InputFile("s.json", scenario(format, &dice))]
    tried.links.append(FuzzCase.Link("zero", to: "/dev/zero"))
    let json = dice.chance(0.3) ? ["--format", "json"] : []
    let kind = dice.chance(0.8) ? ["--kind", format.dataset] : []
    tried.steps = [
      Step(["data", "check", "d"] + kind + json),
      Step(
        ["run", "s.json", "--out", "o", "--threads", "1"] + (json.isEmpty ? ["--quiet"] : json)),
    ]
    if dice.chance(0.2) { tried.steps.insert(Step("plan", "s.json", "--probe", "0"), at: 1) }
    if dice.chance(0.3) { tried.steps.append(Step("verify", "o", "--threads", "1")) }
    // Coarse labels are no part of what is checked unless they are asked for.
    tried.mustReadWhenChecked = !format.isCompanion && format != .cifar100
    return tried
  }

  private static func whole(_ format: Format, _ dice: inout Dice) -> [InputFile] {
    switch format {
    case .idx: return DataFiles.idx("d", zipped: false)
    case .zipped: return DataFiles.idx("d", zipped: true)
    case .cifar10: return DataFiles.cifar("d", fine: false)
    case .cifar100: return DataFiles.cifar("d", fine: true)
    case .leaf: return ["train", "test"].map { InputFile("d/\($0)/all.json", DataFiles.leaf) }
    case .npy: return DataFiles.arrays("d")
    case .typed:
      let images = dice.pick(["<f4", ">f4", "<f8", "<f2", "|i1", "<i4", ">i2", "<u8", "|b1"])
      let classes = dice.pick(["<i8", ">i4", "|i1", "<u2", "<i2", "<u8"])
      return DataFiles.arrays("d", images, classes, dice.pick([[], [1], [3]]))
    case .partition: return DataFiles.arrays("d") + [InputFile("p.json", DataFiles.partition)]
    case .weights: return DataFiles.arrays("d") + [InputFile("w.safetensors", DataFiles.weights())]
    case .trace: return DataFiles.arrays("d") + [InputFile("t.csv", DataFiles.trace)]
    case .table: return DataFiles.arrays("d") + [InputFile("c.txt", DataFiles.table)]
    }
  }

  private static func scenario(_ format: Format, _ dice: inout Dice) -> String {
    var json = RunKind.plain(["kind": .string(format.dataset), "path": "d"])
    json["federation"] = ["clients": format == .leaf ? 2 : 4, "rounds": 1]
    json["client"] = ["batch": 8, "work": ["steps": 1]]
    switch format {
    case .partition: json["data"]?["partition"] = ["kind": "file", "path": "p.json"]
    case .weights: json["model"]?["init"] = ["kind": "file", "path": "w.safetensors"]
    case .trace: json["system"] = ["availability": ["kind": "trace", "path": "t.csv"]]
    case .table: json["system"] = ["compute": ["kind": "table", "path": "c.txt"]]
    case .cifar100: if dice.chance(0.5) { json["data"]?["dataset"]?["labels"] = "coarse" }
    default: break
    }
    if format == .typed, dice.chance(0.3) { json["data"]?["normalize"] = "none" }
    return json.pretty
  }

  // MARK: Changes

  private static func change(
    _ files: inout [InputFile], _ index: Int, _ format: Format, _ tried: inout FuzzCase,
    _ dice: inout Dice
  ) {
    guard index < files.count else { return }
    let path = files[index].path
    let bytes = files[index].bytes
    switch dice.below(12) {
    case 0:
      files.remove(at: index)
      let target = dice.pick(["/dev/zero", "/dev/null", "missing", ".", "s.json", "/dev/full", ""])
      if !target.isEmpty { tried.links.append(FuzzCase.Link(path, to: target)) }
    case 1: files[index].bytes = files[dice.below(files.count)].bytes
    case 2:
      let short: [[UInt8]] = [[], [0], [0x1F, 0x8B], [10]]
      files[index].bytes = dice.pick(short)
    case 3...6: files[index].bytes = aware(bytes, path, &dice)
    case 7: files[index].bytes = bytes + DataFiles.noise(1 + dice.below(40), dice.below(9))
    case 8: files[index].bytes = Array(bytes.prefix(dice.below(bytes.count + 1)))
    case 9:
      let start = dice.below(bytes.count + 1)
      let end = min(bytes.count, start + dice.below(200))
      // A part is lost, or comes twice.
      let isLost = dice.chance(0.5)
      files[index].bytes = Array(bytes[..<(isLost ? start : end)])
      files[index].bytes += bytes[(isLost ? end : start)...]
    default:
      guard !bytes.isEmpty else { return }
      // Headers are short and decide most.
      let reach = dice.chance(0.6) ? min(bytes.count, 140) : bytes.count
      for _ in 0..<(1 + dice.below(4)) {
        let value = dice.pick([0, 1, 127, 128, 255, dice.below(256), dice.below(256)])
        files[index].bytes[dice.below(reach)] = UInt8(value)
      }
    }
  }

  /// A change that knows what the bytes mean.
  private static func aware(_ bytes: [UInt8], _ path: String, _ dice: inout Dice) -> [UInt8] {
    if path.hasSuffix(".npy") { return npy(bytes, &dice) }
    if path.hasSuffix(".safetensors") { return safetensors(bytes, &dice) }
    if path.hasSuffix("ubyte") { return idx(bytes, &dice) }
    if path.hasSuffix(".json"), let json = try? JSON(parsing: bytes), dice.chance(0.6) {
      return Array(JSONMutation.changed(json, &dice).compact.utf8)
    }
    if path.hasSuffix(".json") || path.hasSuffix(".csv") || path.hasSuffix(".txt") {
      let line = dice.below(8)
      let damage: Damage =
        switch dice.below(4) {
        case 0: .dropLine(path, line)
        case 1: .repeatLine(path, line)
        default: .number(path, line, dice.below(40), dice.pick(Extremes.all))
        }
      return damage.changed(bytes)
    }
    // Labels of a batch lie one record apart.
    guard !bytes.isEmpty else { return bytes }
    var bytes = bytes
    let record = bytes.count % 3074 == 0 ? 3074 : 3073
    let place = dice.below(bytes.count / record + 1) * record + dice.below(2)
    if place < bytes.count { bytes[place] = dice.pick([255, 10, 20, 100, 9]) }
    return bytes
  }

  private static func idx(_ bytes: [UInt8], _ dice: inout Dice) -> [UInt8] {
    var bytes = bytes
    let word = dice.below(4) * 4
    guard word + 4 <= bytes.count else { return bytes }
    let value = dice.pick([
      0, 1, 2, 11, 13, 40, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x0001_0000, 0x0000_0803,
      0x0000_0D03, 0x0000_0804, 144 * 40,
    ])
    for (index, shift) in [24, 16, 8, 0].enumerated() {
      bytes[word + index] = UInt8(truncatingIfNeeded: value >> shift)
    }
    return bytes
  }

  private static func npy(_ bytes: [UInt8], _ dice: inout Dice) -> [UInt8] {
    guard bytes.count > 10 else { return bytes }
    let length = Int(bytes[8]) | Int(bytes[9]) << 8
    guard bytes.count >= 10 + length else { return bytes }
    var header = String(decoding: bytes[10..<10 + length], as: UTF8.self)
    header = String(header.drop { $0 == " " })
    while header.last == " " || header.last == "\n" { header.removeLast() }
    let values = Array(bytes[(10 + length)...])
    let types = [
      "<f4", "<f8", "<f2", ">f4", "<i8", "<u8", "|b1", "|i1", "<c8", "<M8[ns]", "|O", "|S8", "<U4",
      "<f16", "<i3", "", "f4", "=f4", "<f4444444444444444444444",
    ]
    let shapes = [
      "()", "(0,)", "(40,)", "(40, 0, 8)", "(40, 8, 8, 1, 1)", "(4000000000, 4000000000, 8)",
      "(9223372036854775807,)", "(-1, 8, 8)", "(40, 64)", "(40L, 8, 8)", "(20, 8, 16)", "40",
      "(40, 8, 8", "(18446744073709551616, 2)", "(1e3,)", "(40,8,8,)", "( 40 , 8 , 8 )", "[40, 8]",
    ]
    switch dice.below(6) {
    case 0, 1:
      if let match = header.firstRange(of: /'descr': '[^']*'/) {
        header.replaceSubrange(match, with: "'descr': '\(dice.pick(types))'")
      }
    case 2, 3:
      if let match = header.firstRange(of: /\([^)]*\)/) {
        header.replaceSubrange(match, with: dice.pick(shapes))
      }
    case 4: header = header.replacing("False", with: dice.pick(["True", "1", "None", ""]))
    default:
      let text = dice.pick(["{", "", "{}", "{'descr': 1}", header + header, header + "}", "\u{0}"])
      header = text
    }
    var file = DataFiles.npy(header: header, values)
    if dice.chance(0.15) { file[6] = dice.pick([0, 2, 3, 255]) }
    if dice.chance(0.1) { file[9] = dice.pick([1, 255]) }
    return file
  }

  private static func safetensors(_ bytes: [UInt8], _ dice: inout Dice) -> [UInt8] {
    guard bytes.count > 8 else { return bytes }
    let length = Int(bytes[0]) | Int(bytes[1]) << 8
    guard bytes.count >= 8 + length else { return bytes }
    let values = Array(bytes[(8 + length)...])
    let header = Array(bytes[8..<8 + length])
    let type = dice.pick(["F16", "BF16", "F64", "I64", "BOOL", "F8_E4M3", "", "f32"])
    let changed: [UInt8] =
      switch dice.below(4) {
      case 0: Damage.number("", 0, dice.below(24), dice.pick(Extremes.integers)).changed(header)
      case 1: Array(String(decoding: header, as: UTF8.self).replacing("F32", with: type).utf8)
      case 2:
        (try? JSON(parsing: header)).map { Array(JSONMutation.changed($0, &dice).compact.utf8) }
          ?? header
      default: JSONMutation.broken(header, &dice)
      }
    var file = DataFiles.safetensors(header: String(decoding: changed, as: UTF8.self), values)
    if dice.chance(0.1) { file[dice.below(8)] = dice.pick([0, 1, 127, 128, 255]) }
    return file
  }
}
