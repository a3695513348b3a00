import Base

/// A program that turns PNG and JPEG files into PNM, which fedsim reads itself.
///
/// It gets the file as its standard input: no name, whatever is in it, is read by a shell or by the
/// program's own rules for names.
package struct ImageTool: Sendable, Equatable {
  /// Words for files of each kind; nil where the program does not read them.
  package let png: [String]
  package let jpeg: [String]

  package init(png: [String], jpeg: [String]) {
    self.png = png
    self.jpeg = jpeg
  }

  /// Those that are tried, in this order: ImageMagick 7 and 6, then netpbm.
  package static let known =
    [magick("magick"), magick("convert")] + [
      ImageTool(png: ["pngtopnm"], jpeg: ["jpegtopnm"])
    ]

  private static func magick(_ name: String) -> ImageTool {
    let end = ["-alpha", "off", "-colorspace", "sRGB", "-depth", "8", "ppm:-"]
    return ImageTool(png: [name, "png:-"] + end, jpeg: [name, "jpeg:-"] + end)
  }
}

/// Reads image files of several formats.
package struct ImageReader {
  private let tools: [ImageTool]
  /// The tool that has read an image.
  private var found: ImageTool?

  package init(tools: [ImageTool] = ImageTool.known) { self.tools = tools }

  /// Endings of the names of files that are taken for images.
  static let endings = [".png", ".jpg", ".jpeg", ".ppm", ".pgm", ".pbm", ".pnm"]

  /// Reads an image, whose format its first bytes tell.
  ///
  /// - Throws: E4061 where there is no program for its format; else what is wrong with the file.
  package mutating func image(_ path: String) throws(Failure) -> Pixmap {
    let file = try FileBytes.read(path, what: "an image", growth: 16)
    if Pixmap.isPNM(file) { return try Pixmap(pnm: file, path: path) }
    let isPNG = file.starts(with: [0x89, 0x50, 0x4E, 0x47])
    guard isPNG || file.starts(with: [0xFF, 0xD8, 0xFF]) else {
      throw DataFailure.malformed(path, "does not start like a PNG, JPEG or PNM image")
    }
    // Another program of the same name is no reason to give up: the next tool is tried.
    var refused: Failure?
    for tool in found.map({ [$0] }) ?? tools {
      let words = isPNG ? tool.png : tool.jpeg
      let limit = 3 * Pixmap.mostSide * Pixmap.mostSide
      let reason: String
      switch ChildProcess.run(words, input: path, limit: limit) {
      case .notStarted(ENOENT): continue
      case .notStarted(let number): reason = "cannot be started: \(SystemError.text(number))"
      case .exited(0, let bytes):
        let image = try Pixmap(pnm: bytes, path: path)
        found = tool
        return image
      case .exited(let code, _):
        reason = "cannot read it (exit \(code)): cut, corrupt or of another kind"
      case .signalled(let signal): reason = "was stopped by signal \(signal)"
      case .overflowed: reason = "finds more than \(Pixmap.mostSide) × \(Pixmap.mostSide) pixels"
      }
      refused = refused ?? DataFailure.malformed(path, "\(words[0]) \(reason)")
    }
    if let refused { throw refused }
    let names = tools.map { (isPNG ? $0.png : $0.jpeg)[0] }.joined(separator: ", ")
    throw Failure(
      .dataMissingOrCorrupt, "E4061",
      "\(path): no program is installed that reads \(isPNG ? "PNG" : "JPEG") images; "
        + "looked for \(names)",
      hint: "install ImageMagick (Debian: apt-get install imagemagick), or give PPM files")
  }
}
