/// A figure: axes, and marks in the units of these; how it is drawn is the printer's matter.
package struct Plot: Sendable {
  package var title: String
  /// The figure in words, for those who cannot see it.
  package var description: String
  package var x: Axis
  package var y: Axis
  /// In the order of drawing.
  package var marks: [Mark]
  /// Whose marks these are; empty where rows have their names.
  package var legend: [Series] = []
  /// Bars below a horizontal axis of categories.
  package var foot: Foot?
  /// How far marks of neighbouring series stand apart, so that they do not hide each other; what
  /// they mean does not change.
  package var dodge = 0.0

  package init(
    title: String, description: String, x: Axis, y: Axis, marks: [Mark], legend: [Series] = [],
    foot: Foot? = nil
  ) {
    self.title = title
    self.description = description
    self.x = x
    self.y = y
    self.marks = marks
    self.legend = legend
    self.foot = foot
  }

  /// The same figure with other names of its series.
  package func renamed(_ names: (String) -> String) -> Plot {
    var plot = self
    func named(_ series: Series) -> Series { Series(names(series.label), series.index) }
    plot.legend = legend.map(named)
    if y.isInside { plot.y.scale = y.scale.renamed(names) }
    plot.marks = marks.map { mark in
      switch mark {
      case .band(let series, let places, let isFaint):
        .band(named(series), places, isFaint: isFaint)
      case .line(let series, let points): .line(named(series), points)
      case .points(let series, let points, let size, let isPale, let words):
        .points(named(series), points, size: size, isPale: isPale, words: words)
      case .interval(let series, let from, let to): .interval(named(series), from: from, to: to)
      case .box(let series, let values, let row): .box(named(series), values, row: row)
      case .bars(let series, let bars, let place, let count):
        .bars(named(series), bars, place: place, count: count)
      case .cells, .reference, .zone, .ends: mark
      }
    }
    return plot
  }

  /// What has a colour, a dash and a marker of its own in every figure of a page.
  package struct Series: Sendable, Equatable {
    package let label: String
    /// Its place among all.
    package let index: Int

    package init(_ label: String, _ index: Int) {
      self.label = label
      self.index = index
    }
  }

  package struct Point: Sendable, Equatable {
    package var x: Double
    package var y: Double

    package init(_ x: Double, _ y: Double) {
      self.x = x
      self.y = y
    }
  }

  package struct Axis: Sendable {
    package var title: String
    package var scale: Scale
    /// Whether what is not finite has a place of its own after the end, under "none".
    package var hasNone = false
    /// The length of one category; nil where numbers share the figure's length.
    package var slot: Double?
    /// Whether names stand inside, above what is drawn in their rows.
    package var isInside = false

    package init(_ title: String, _ scale: Scale, hasNone: Bool = false) {
      self.title = title
      self.scale = scale
      self.hasNone = hasNone
    }

    /// A slot for each name.
    package init(
      _ title: String = "", names: [String], slot: Double, every: Int = 1, isInside: Bool = false
    ) {
      self.title = title
      scale = .categories(names, every: every)
      self.slot = slot
      self.isInside = isInside
    }

    /// An axis over costs: equal ratios where all are positive and `ratio` times apart, else equal
    /// steps; what is not finite gets a place under "none".
    package init(_ title: String, costs: [Double], ratio: Double = 20) {
      let finite = costs.filter(\.isFinite)
      hasNone = finite.count < costs.count
      self.title = title
      guard let least = finite.min(), let most = finite.max() else {
        scale = .linear(0...1)
        return
      }
      if least > 0, most > ratio * least {
        // A little room, so that no mark is on an axis.
        scale = .logarithmic(least / 1.15...most * 1.15)
      } else {
        scale = .linear(min(least, 0)...max(most, 0), count: 6)
      }
    }
  }

  package enum Mark: Sendable {
    /// The area between two curves.
    case band(Series, [(x: Double, low: Double, high: Double)], isFaint: Bool = false)
    case line(Series, [Point])
    /// A marker at each point; pale ones are of less importance.
    case points(Series, [Point], size: Double = 3.6, isPale: Bool = false, words: String = "")
    /// From one point to another, with an arrow at an end that the scale does not show.
    case interval(Series, from: Point, to: Point)
    /// Quartiles with the median, whiskers at the 10th and 90th percentile, and the values, unless
    /// there are too many.
    case box(Series, [Double], row: Int)
    /// Bars from the horizontal axis, `place` of `count` side by side in each slot.
    case bars(Series, [(slot: Int, height: Double, words: String)], place: Int, count: Int)
    /// Cells of a heat map; strength in [0, 1].
    case cells([(column: Int, row: Int, strength: Double, text: String)])
    /// A dashed line between two points of reference.
    case reference(Point, Point)
    /// A tinted stretch of slots.
    case zone(String, Range<Int>, isTinted: Bool)
    /// Words after the end of rows.
    case ends([String])
  }

  /// Bars below a horizontal axis of categories.
  package struct Foot: Sendable {
    package let title: String
    /// Heights in [0, 1], and what stands above them.
    package let bars: [(height: Double, text: String)]
  }
}

extension Plot.Mark {
  /// Whose mark it is; nil for what belongs to the figure.
  var series: Plot.Series? {
    switch self {
    case .band(let series, _, _), .line(let series, _), .points(let series, _, _, _, _),
      .interval(let series, _, _), .box(let series, _, _), .bars(let series, _, _, _):
      series
    case .cells, .reference, .zone, .ends: nil
    }
  }
}
