import Base

extension Plot {
  /// The figure as a page of a PDF of its own, for a paper: vectors, and text in Helvetica.
  ///
  /// `width`: of the page; nil keeps the figure's own.
  package func pdf(width: PrintWidth? = nil) -> [UInt8] {
    var drawing = Markup(isRecording: true)
    SVGPrinter(self, width: width).write(to: &drawing)
    return PDFPrinter(drawing.elements, scale: PrintWidth.scale).bytes
  }
}

/// Writes what `SVGPrinter` has drawn as a PDF 1.4 of one page: the same places, colours and
/// dashes, on white paper.
///
/// Text is in Helvetica and Symbol, which every reader of PDF has.
///
/// - Source: Adobe, PDF Reference, version 1.4, chapters 4 (operators) and 5, appendix D (fonts).
private struct PDFPrinter {
  private let scale: Double
  private let height: Double
  private let width: Double
  private var content = ""
  /// Opacities in use, in per cent.
  private var opacities: [Int] = []

  init(_ elements: [Markup.Element], scale: Double) {
    self.scale = scale
    let size = elements.first { $0.name == "svg" }
    let box = (size?["viewBox"] ?? "").split(separator: " ").compactMap { Double($0) }
    (width, height) = box.count == 4 ? (box[2] * scale, box[3] * scale) : (1, 1)
    content = "\(number(scale)) 0 0 \(number(-scale)) 0 \(number(height)) cm\n1 j\n"
    for element in elements {
      switch element.name {
      case "path": draw(element, Self.outline(element["d"] ?? ""))
      case "rect" where element["class"] != "paper": draw(element, rectangle(element))
      case "text": write(element)
      default: break
      }
    }
  }

  /// The whole file.
  var bytes: [UInt8] {
    let states = opacities.map {
      "/a\($0) << /ca \(number(Double($0) / 100)) "
        + "/CA \(number(Double($0) / 100)) >>"
    }.joined(separator: " ")
    let font = "/Type /Font /Subtype /Type1 /BaseFont"
    let objects = [
      "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
      "<< /Type /Page /Parent 2 0 R /Contents 4 0 R "
        + "/MediaBox [0 0 \(number(width)) \(number(height))] "
        + "/Resources << /Font << /F 5 0 R /S 6 0 R >> /ExtGState << \(states) >> >> >>",
      "<< /Length \(content.utf8.count) >>\nstream\n\(content)endstream",
      "<< \(font) /Helvetica /Encoding /WinAnsiEncoding >>", "<< \(font) /Symbol >>",
    ]
    var text = "%PDF-1.4\n"
    var places: [Int] = []
    for (index, object) in objects.enumerated() {
      places.append(text.utf8.count)
      text += "\(index + 1) 0 obj\n\(object)\nendobj\n"
    }
    let start = text.utf8.count
    text += "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
    for place in places {
      let digits = String(place)
      text += String(repeating: "0", count: 10 - digits.count) + digits + " 00000 n \n"
    }
    text += "trailer\n<< /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF\n"
    return Array(text.utf8)
  }

  // MARK: - Shapes

  private mutating func draw(_ element: Markup.Element, _ outline: String) {
    let ink = PrintInk(element)
    content += "q "
    if let stroke = ink.stroke {
      content += "\(colour(stroke)) RG \(number(ink.width)) w \(ink.isRound ? "1 J " : "")"
      content += ink.dash.isEmpty ? "" : "[\(ink.dash)] 0 d "
    }
    if let fill = ink.fill { content += "\(colour(fill)) rg " }
    if ink.opacity < 1 {
      let percent = Int(clamping: (100 * ink.opacity).rounded())
      if !opacities.contains(percent) { opacities.append(percent) }
      content += "/a\(percent) gs "
    }
    content += "\n\(outline)\(ink.fill == nil ? "S" : ink.stroke == nil ? "f" : "B") Q\n"
  }

  private func rectangle(_ element: Markup.Element) -> String {
    let sides = ["x", "y", "width", "height"].map { element[$0] ?? "0" }
    return sides.joined(separator: " ") + " re\n"
  }

  /// The path data that figures have: M, L, Z, and after a point l, h or half circles.
  private static func outline(_ data: String) -> String {
    var out = ""
    var (x, y) = (0.0, 0.0)
    var (verb, numbers): (Character, String) = (" ", "")
    func finish() {
      let values = numbers.split(separator: " ").compactMap { Double($0) }
      switch verb {
      case "M", "L":
        guard values.count == 2 else { return }
        (x, y) = (values[0], values[1])
        out += "\(numbers) \(verb == "M" ? "m" : "l")\n"
      case "l", "h":
        x += values.first ?? 0
        y += verb == "l" ? values.last ?? 0 : 0
        out += "\(coordinate(x)) \(coordinate(y)) l\n"
      case "a":
        // Half a circle to the other side: two quarters, each by one curve.
        guard values.count == 7 else { return }
        let (r, across) = (values[0], values[5])
        let (k, side) = (0.5523 * r, across > 0 ? -1.0 : 1.0)
        let (end, middle) = (x + across, x + across / 2)
        let step = across > 0 ? k : -k
        func curve(_ points: [Double]) -> String {
          points.map(coordinate).joined(separator: " ") + " c\n"
        }
        out += curve([x, y + side * k, middle - step, y + side * r, middle, y + side * r])
        out += curve([middle + step, y + side * r, end, y + side * k, end, y])
        x = end
      case "Z": out += "h\n"
      default: break
      }
    }
    for character in data {
      if character.isLetter {
        finish()
        (verb, numbers) = (character, "")
      } else {
        numbers.append(character)
      }
    }
    finish()
    return out
  }

  // MARK: - Text

  private mutating func write(_ element: Markup.Element) {
    let style = element["class"] ?? ""
    let size: Double = style == "axis" ? 12 : style == "small" ? 11 : 13
    let pieces = PrintText.pieces(element.content)
    let length = pieces.reduce(0) { $0 + $1.length } * size / 1000
    let anchor = element["text-anchor"]
    let back = anchor == "middle" ? length / 2 : anchor == "end" ? length : 0
    let x = (Double(element["x"] ?? "") ?? 0) - back
    content += "BT \(colour(style == "axis" ? PrintInk.soft : PrintInk.ink)) rg "
    // The page grows downwards here, letters upwards.
    content += "1 0 0 -1 \(coordinate(x)) \(element["y"] ?? "0") Tm\n"
    for piece in pieces {
      content += "/\(piece.isSymbol ? "S" : "F") \(number(size * piece.size)) Tf "
      content += "\(number(piece.isRaised ? 0.33 * size : 0)) Ts (\(piece.code)) Tj\n"
    }
    content += "ET\n"
  }

  private func colour(_ hex: String) -> String {
    let digits = hex.dropFirst()
    let parts =
      digits.count == 3
      ? digits.map { String([$0, $0]) }
      : [0, 2, 4].map { String(digits.dropFirst($0).prefix(2)) }
    return parts.map { number(Double(Int($0, radix: 16) ?? 0) / 255) }.joined(separator: " ")
  }

  private func number(_ value: Double) -> String {
    var text = NumberText.fixed(value, 4)
    while text.hasSuffix("0") { text.removeLast() }
    return text.hasSuffix(".") ? String(text.dropLast()) : text
  }
}

/// How a shape with some classes of `PlotStyle.sheet` looks on white paper.
private struct PrintInk {
  static let ink = "#1c2024"
  static let soft = "#59626b"

  var stroke: String?
  var fill: String?
  var width = 1.0
  var dash = ""
  var opacity = 1.0
  var isRound = false

  init(_ element: Markup.Element) {
    let classes = (element["class"] ?? "").split(separator: " ").map(String.init)
    let series = classes.lazy.compactMap { name in
      name.hasPrefix("s") ? Int(name.dropFirst()) : nil
    }.first
    let own = SeriesStyle.light[(series ?? 6) % SeriesStyle.count]
    for name in classes {
      switch name {
      case "mesh": stroke = "#d9dee3"
      case "base": stroke = Self.soft
      case "zero": (stroke, width, dash) = (Self.soft, 1.4, "5 4")
      case "line": (stroke, width) = (own, 2)
      case "thin": width = 1.2
      case "mark": (fill, stroke, width) = (own, "#fff", 0.7)
      case "bar": fill = own
      case "pale": opacity = 0.35
      case "band": (fill, opacity) = (own, 0.16)
      case "faint": opacity = 0.08
      case "box": opacity = 0.28
      case "dots": (stroke, width, opacity, isRound) = (own, 3.6, 0.45, true)
      case "count": fill = "#a8b0b8"
      case "heat": fill = "#56B4E9"
      case "zone": fill = "#f4f6f8"
      default: break
      }
    }
    dash = element["stroke-dasharray"] ?? dash
    opacity = element["fill-opacity"].flatMap(Double.init) ?? opacity
  }
}

/// Text in the encodings of Helvetica and Symbol.
private enum PrintText {
  /// What is written in one font and size.
  struct Piece {
    var code = ""
    var length = 0.0
    var isSymbol = false
    var isRaised = false
    var size: Double { isRaised ? 0.65 : 1 }
  }

  static func pieces(_ text: String) -> [Piece] {
    var pieces: [Piece] = []
    for scalar in text.unicodeScalars {
      var piece = Piece()
      if let letter = symbols[scalar] {
        (piece.code, piece.length, piece.isSymbol) = (letter, 550, true)
      } else if let digit = raised[scalar] {
        (piece.code, piece.length, piece.isRaised) = (digit, 0.65 * 556, true)
      } else {
        (piece.code, piece.length) = plain(scalar)
      }
      if let last = pieces.last, last.isSymbol == piece.isSymbol, last.isRaised == piece.isRaised {
        pieces[pieces.count - 1].code += piece.code
        pieces[pieces.count - 1].length += piece.length
      } else {
        pieces.append(piece)
      }
    }
    return pieces
  }

  /// A letter in WinAnsiEncoding with its width; a question mark for one that it lacks.
  private static func plain(_ scalar: Unicode.Scalar) -> (String, Double) {
    let value = scalar.value
    switch value {
    case 0x28, 0x29, 0x5C: return ("\\" + String(scalar), value == 0x5C ? 278 : 333)
    case 0x20...0x7E: return (String(scalar), Double(widths[Int(value) - 0x20]))
    case 0xA0...0xFF:
      return ("\\" + String(value, radix: 8), value == 0xD7 || value == 0xB1 ? 584 : 556)
    case 0x2026: return ("\\205", 1000)
    case 0x2013, 0x2212: return ("\\226", 556)
    case 0x2019: return ("\\222", 222)
    default: return ("?", 556)
    }
  }

  private static let symbols: [Unicode.Scalar: String] = [
    "α": "a", "β": "b", "γ": "g", "δ": "d", "ε": "e", "η": "h", "λ": "l", "μ": "m", "π": "p",
    "σ": "s", "τ": "t", "Δ": "D", "Σ": "S", "≤": "\\243", "≥": "\\263", "→": "\\256", "∞": "\\245",
  ]

  private static let raised: [Unicode.Scalar: String] = [
    "⁰": "0", "⁴": "4", "⁵": "5", "⁶": "6", "⁷": "7", "⁸": "8", "⁹": "9", "⁻": "\\226",
  ]

  /// Of Helvetica from the space to the tilde, in thousandths of the size.
  ///
  /// - Source: Adobe, Core 14 AFM files, Helvetica.afm.
  private static let widths = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
  ]
}
