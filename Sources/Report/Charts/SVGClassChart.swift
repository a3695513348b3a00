import Base
import Data
import Records

/// Accuracy of each class over its frequency: classes from frequent to rare, the strategies side
/// by side, the number of training images below.
struct SVGClassChart {
  let classNames: [String]
  /// Training images per class, [C].
  let counts: [Int]
  let groups: ShotGroups?
  /// Accuracy per class in [0, 1]; NaN where unknown.
  let series: [(label: String, index: Int, accuracy: [Double])]

  private static let title = "Accuracy by class, from frequent to rare"
  /// With more classes, markers take the place of bars.
  private static let mostBars = 20
  private static let upper = SVGFrame(left: 46, right: 0, top: 46, bottom: 250)
  private static let lower = (top: 272.0, bottom: 330.0)

  /// Classes by falling frequency.
  private var order: [Int] {
    counts.indices.sorted { counts[$0] == counts[$1] ? $0 < $1 : counts[$0] > counts[$1] }
  }

  private var slot: Double {
    let wanted = counts.count <= Self.mostBars ? Double(series.count) * 9 + 10 : 9
    return max(wanted, 700 / Double(max(counts.count, 1)))
  }

  private var width: Double { Self.upper.left + slot * Double(counts.count) + 14 }

  /// The figure and its legend; nothing without classes.
  func write(to out: inout Markup) {
    guard !counts.isEmpty, !series.isEmpty else { return }
    out.inside("figure", [("class", "wide")]) { figure in
      figure.element("figcaption", [], Self.title)
      figure.inside("div", [("class", "scroll"), ("tabindex", "0")]) { box in
        box.inside(
          "svg",
          [
            ("viewBox", "0 0 \(coordinate(width)) 372"), ("role", "img"),
            ("style", SVGStyle.wide(width)), ("aria-label", "\(Self.title). \(description)"),
          ]
        ) { svg in
          svg.element("title", [], Self.title)
          svg.element("desc", [], description)
          draw(to: &svg)
        }
      }
      SVGStyle.legend(series.map { ($0.label, $0.index) }, to: &figure)
    }
  }

  /// Group means in words, for those who cannot see the bars.
  var description: String {
    series.map { one in
      guard let shots = groups?.accuracies(one.accuracy) else {
        let known = one.accuracy.filter(\.isFinite)
        return "\(one.label): mean \(NumberText.percent(Metrics.mean(known))) %"
      }
      return "\(one.label): head \(NumberText.percent(shots.head)) %, "
        + "middle \(NumberText.percent(shots.middle)) %, tail \(NumberText.percent(shots.tail)) %"
    }.joined(separator: "; ") + "."
  }

  private func draw(to svg: inout Markup) {
    let frame = SVGFrame(
      left: Self.upper.left, right: width - 14, top: Self.upper.top, bottom: Self.upper.bottom)
    drawGroups(frame, to: &svg)
    let scale = SVGScale(0...100, from: frame.bottom, to: frame.top, count: 5, rounded: true)
    frame.drawVertical(scale, title: "accuracy %", to: &svg)
    if counts.count <= Self.mostBars {
      drawBars(frame, scale, to: &svg)
    } else {
      drawMarkers(frame, scale, to: &svg)
    }
    let (left, right) = (coordinate(frame.left), coordinate(frame.right))
    let base = coordinate(frame.bottom)
    svg.shape("path", [("class", "base"), ("d", "M\(left) \(base)L\(right) \(base)")])
    drawFrequencies(frame, to: &svg)
  }

  /// Tinted stretches behind head, middle and tail.
  private func drawGroups(_ frame: SVGFrame, to svg: inout Markup) {
    guard let groups else { return }
    let sorted = order
    var start = 0
    while start < sorted.count {
      let group = groups.groups[sorted[start]]
      var end = start
      while end < sorted.count, groups.groups[sorted[end]] == group { end += 1 }
      let (x, length) = (frame.left + slot * Double(start), slot * Double(end - start))
      svg.shape(
        "rect",
        [
          ("class", "zone \(group.rawValue)"), ("x", coordinate(x)), ("width", coordinate(length)),
          ("y", coordinate(frame.top - 8)),
          ("height", coordinate(Self.lower.bottom - frame.top + 8)),
        ])
      if length > 34 {
        svg.element(
          "text",
          [
            ("class", "axis"), ("x", coordinate(x + length / 2)), ("y", coordinate(frame.top - 16)),
            ("text-anchor", "middle"),
          ], group.rawValue)
      }
      start = end
    }
  }

  private func drawBars(_ frame: SVGFrame, _ scale: SVGScale, to svg: inout Markup) {
    let bar = (slot - 10) / Double(series.count)
    for (position, label) in order.enumerated() {
      for (place, one) in series.enumerated() where one.accuracy[label].isFinite {
        let style = SVGStyle(index: one.index)
        let x = frame.left + slot * Double(position) + 5 + bar * Double(place)
        let y = scale.position(100 * one.accuracy[label])
        svg.inside("g") { group in
          group.element(
            "title", [],
            "\(name(label)), \(one.label): \(NumberText.percent(one.accuracy[label])) %")
          group.shape(
            "rect",
            [
              ("class", "bar \(style.colour)"), ("x", coordinate(x + 0.5)), ("y", coordinate(y)),
              ("width", coordinate(max(1, bar - 1))),
              ("height", coordinate(max(0, frame.bottom - y))),
            ])
          group.shape(
            "path",
            [
              ("class", "mark \(style.colour)"),
              ("d", style.marker(x + bar / 2, max(y - 5, frame.top - 3), size: 3)),
            ])
        }
      }
    }
  }

  private func drawMarkers(_ frame: SVGFrame, _ scale: SVGScale, to svg: inout Markup) {
    for one in series {
      let style = SVGStyle(index: one.index)
      let path = order.enumerated().map { position, label -> String in
        guard one.accuracy[label].isFinite else { return "" }
        let x = frame.left + slot * (Double(position) + 0.5)
        return style.marker(x, scale.position(100 * one.accuracy[label]), size: 3)
      }.joined()
      svg.shape("path", [("class", "mark \(style.colour)"), ("d", path)])
    }
  }

  /// Training images on a logarithmic scale, and the class names where they fit.
  private func drawFrequencies(_ frame: SVGFrame, to svg: inout Markup) {
    let highest = log10(Double(max(counts.max() ?? 1, 1)) + 1)
    let many = counts.count > Self.mostBars
    for (position, label) in order.enumerated() {
      let share = log10(Double(max(counts[label], 0)) + 1) / highest
      let height = share * (Self.lower.bottom - Self.lower.top)
      let x = frame.left + slot * Double(position)
      svg.shape(
        "rect",
        [
          ("class", "count"), ("x", coordinate(x + slot * 0.15)), ("width", coordinate(slot * 0.7)),
          ("y", coordinate(Self.lower.bottom - height)), ("height", coordinate(height)),
        ])
      if many, position % 10 != 0, position != counts.count - 1 { continue }
      let middle = coordinate(x + slot / 2)
      svg.element(
        "text",
        [("x", middle), ("y", coordinate(Self.lower.bottom + 16)), ("text-anchor", "middle")],
        many ? "\(counts[label])" : shortened(name(label)))
      if many { continue }
      svg.element(
        "text",
        [
          ("x", middle), ("y", coordinate(Self.lower.bottom - height - 4)),
          ("text-anchor", "middle"), ("class", "small"),
        ], "\(counts[label])")
    }
    svg.element(
      "text", [("x", "4"), ("y", coordinate(Self.lower.bottom + 36)), ("class", "axis")],
      many
        ? "training images per class (bars, logarithmic; every tenth count is given)"
        : "training images per class (grey bars, logarithmic)")
  }

  private func name(_ label: Int) -> String {
    label < classNames.count ? classNames[label] : "\(label)"
  }

  private func shortened(_ name: String) -> String {
    let room = max(3, Int(slot / 7))
    return name.count <= room ? name : name.prefix(room - 1) + "…"
  }
}
