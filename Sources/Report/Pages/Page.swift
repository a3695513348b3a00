import Base

/// A page as data: one file that needs nothing else, no network, and its script for nothing.
package struct Page: Sendable {
  package var title: String
  /// Lines below the title.
  package var lead: [String] = []
  /// What the reader must know before believing a number, under a title.
  package var warnings: (title: String, lines: [String]) = ("", [])
  /// Whether links to the sections stand before them.
  package var hasContents = false
  /// What has nothing to show is left out.
  package var sections: [Section]

  package init(title: String, lead: [String], sections: [Section]) {
    self.title = title
    self.lead = lead
    self.sections = sections
  }

  package struct Section: Sendable {
    package var title: String
    package var blocks: [Block]

    package init(_ title: String, _ blocks: [Block]) {
      self.title = title
      self.blocks = blocks
    }
  }

  package enum Block: Sendable {
    case heading(String)
    case prose(String)
    /// What numbers and figures mean.
    case note(String)
    case list([String])
    /// A list that the eye must not miss.
    case box([String])
    /// A table with its title; without rows nothing.
    case table(Table)
    /// Figures side by side where there is room.
    case plots([Plot])
    case code(String)
    /// What is shown when it is asked for.
    case details(String, [Block])
    /// Names with what belongs to them.
    case terms([(name: String, words: String)])
    /// Small images under one another's titles, in a row.
    case pictures([Picture])
  }

  /// An image in the page itself.
  package struct Picture: Sendable {
    package let title: String
    /// The picture in words, for those who cannot see it.
    package let words: String
    /// A "data:" URI.
    package let source: String
    package let width: Int
    package let height: Int

    package init(title: String, words: String, source: String, width: Int, height: Int) {
      self.title = title
      self.words = words
      self.source = source
      self.width = width
      self.height = height
    }
  }
}

extension Page {
  /// The whole file.
  package var html: String {
    var out = Markup()
    out.raw("<!DOCTYPE html>\n")
    out.inside("html", [("lang", "en")]) { page in
      page.inside("head") { head in
        head.raw("<meta charset=\"utf-8\">\n")
        head.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        head.element("title", [], "\(title) - fedsim")
        head.raw("<style>\n\(PageStyle.sheet)</style>\n")
      }
      page.inside("body") { body in
        let written = sections.map { section -> (title: String, text: String) in
          var text = Markup()
          for block in section.blocks { Self.write(block, to: &text) }
          return (section.title, text.text)
        }.filter { !$0.text.isEmpty }
        writeHeader(to: &body)
        if hasContents { Self.writeContents(written.map(\.title), to: &body) }
        body.inside("main") { main in
          for section in written {
            main.inside("section", [("id", Self.anchor(section.title))]) { out in
              out.element("h2", [], section.title)
              out.raw(section.text)
            }
          }
        }
        body.raw("<script>\n\(PageScript.text)\n</script>\n")
      }
    }
    return out.text
  }

  private static func anchor(_ title: String) -> String {
    title.lowercased().split(separator: " ").joined(separator: "-")
  }

  private static func writeContents(_ titles: [String], to body: inout Markup) {
    if titles.isEmpty { return }
    body.inside("nav", [("aria-label", "Sections")]) { nav in
      nav.inside("ul") { list in
        for title in titles {
          list.inside("li") { $0.element("a", [("href", "#" + anchor(title))], title) }
        }
      }
    }
  }

  private func writeHeader(to body: inout Markup) {
    body.inside("header") { header in
      header.element("h1", [], title)
      Self.write(lead, [("class", "plain")], to: &header)
      if warnings.lines.isEmpty { return }
      header.inside("div", [("class", "box warn"), ("role", "note")]) { box in
        box.element("strong", [], warnings.title)
        Self.write(warnings.lines, to: &box)
      }
    }
  }

  private static func write(
    _ lines: [String], _ attributes: [(String, String)] = [], to out: inout Markup
  ) {
    if lines.isEmpty { return }
    out.inside("ul", attributes) { list in for line in lines { list.element("li", [], line) } }
  }

  private static func write(_ block: Block, to out: inout Markup) {
    switch block {
    case .heading(let title): out.element("h3", [], title)
    case .prose(let text): out.element("p", [], text)
    case .note(let text): if !text.isEmpty { out.element("p", [("class", "note")], text) }
    case .list(let lines): write(lines, to: &out)
    case .box(let lines): out.inside("div", [("class", "box")]) { write(lines, to: &$0) }
    case .table(let table): write(table, to: &out)
    case .plots(let plots):
      if plots.isEmpty { return }
      out.inside("div", [("class", "grid")]) { grid in for plot in plots { plot.write(to: &grid) } }
    case .code(let text): out.inside("pre") { $0.element("code", [], text) }
    case .details(let title, let blocks):
      out.inside("details") { details in
        details.element("summary", [], title)
        for block in blocks { write(block, to: &details) }
      }
    case .terms(let terms):
      out.inside("ul") { list in
        for term in terms {
          list.inside("li") { item in
            item.element("strong", [], term.name + ":")
            item.element("span", [], term.words)
          }
        }
      }
    case .pictures(let pictures): write(pictures, to: &out)
    }
  }

  private static func write(_ table: Table, to out: inout Markup) {
    if table.rows.isEmpty { return }
    if !table.title.isEmpty { out.element("h3", [], table.title) }
    table.write(to: &out)
    if !table.note.isEmpty { out.element("p", [("class", "note")], table.note) }
  }

  private static func write(_ pictures: [Picture], to out: inout Markup) {
    out.inside("div", [("class", "shots")]) { shots in
      for picture in pictures {
        shots.inside("figure") { figure in
          figure.shape(
            "img",
            [
              ("src", picture.source), ("alt", picture.words), ("width", "\(picture.width)"),
              ("height", "\(picture.height)"),
            ])
          figure.element("figcaption", [], picture.title)
        }
      }
    }
  }
}

/// The style sheet of every page: light and dark, narrow and wide, screen and paper.
///
/// Rows of tables are whole pixels high: a sticky cell would paint over the line of the row above.
private enum PageStyle {
  static let sheet = """
    :root{color-scheme:light dark;\(light)}
    @media (prefers-color-scheme:dark){:root{\(dark)}}
    \(layout)
    \(figures)
    \(paper)

    """

  private static let light = PlotStyle.light + "--warn:#fff4dc;--edge:#b36b00;"
  private static let dark = PlotStyle.dark + "--warn:#33280f;--edge:#E69F00;"

  private static let layout = """
    *{box-sizing:border-box}
    body{margin:0 auto;padding:24px 20px 48px;max-width:1240px;background:var(--paper);
    color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
    h1{font-size:1.7rem;line-height:1.25;margin:0 0 .3em;overflow-wrap:anywhere}
    h2{font-size:1.2rem;margin:2em 0 .6em;padding-bottom:.25em;border-bottom:1px solid var(--rule)}
    h2,h3,p,li,summary{overflow-wrap:anywhere}
    ul.plain{list-style:none;margin:0;padding:0;color:var(--soft)}
    .box{background:var(--tint);border-left:4px solid var(--rule);padding:.6em 1em;margin:1em 0}
    .box.warn{background:var(--warn);border-color:var(--edge)}
    .box ul{margin:.2em 0;padding-left:1.2em}
    .note{color:var(--soft);font-size:.9rem}
    .scroll{overflow-x:auto;background:linear-gradient(to left,var(--paper) 20px,transparent)
    100% 0/48px 100% no-repeat local,linear-gradient(to left,var(--rule),transparent)
    100% 0/14px 100% no-repeat scroll}
    .grid+.scroll,.scroll+.grid{margin-top:20px}
    table{border-collapse:separate;border-spacing:0;font-variant-numeric:tabular-nums;
    font-size:.875rem}
    th,td{padding:6px 8px;text-align:right;white-space:nowrap;
      border-bottom:1px solid var(--rule)}
    th{font-weight:600}
    th:first-child,td:first-child,.word{text-align:left}
    td.word{white-space:normal;min-width:5em;max-width:26em;overflow-wrap:break-word}
    tbody th{position:sticky;left:0;background:var(--paper)}
    tbody th.name{white-space:normal;min-width:min(11em,34vw);max-width:16em;
    overflow-wrap:break-word}
    thead tr:last-child th{white-space:normal;max-width:11em;overflow-wrap:break-word;
    vertical-align:bottom}
    tr.groups>*{border-bottom:0;color:var(--soft);text-align:left;padding-bottom:0}
    thead th[aria-sort=ascending]::after{content:" \\2191"}
    thead th[aria-sort=descending]::after{content:" \\2193"}
    @media(max-width:560px){thead tr:last-child th{min-width:4.6em}}
    .start{border-left:1px solid var(--rule)}
    h3{font-size:1rem;margin:1.4em 0 .5em}
    nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.2em 1.1em;padding:0;margin:1em 0 0;
    font-size:.9rem}
    a{color:inherit}
    code,pre{font-family:ui-monospace,"DejaVu Sans Mono",Consolas,monospace;font-size:.88rem}
    pre{background:var(--tint);padding:.8em 1em;overflow-x:auto;margin:.6em 0}
    summary{cursor:pointer;font-weight:600}
    """

  private static let figures = """
    .grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:24px}
    .grid:has(.wide){display:block}
    figure{margin:0;min-width:0}
    figure.wide{margin-bottom:24px}
    figcaption{font-weight:600;margin-bottom:.4em}
    svg{display:block;width:100%;height:auto}
    svg.fit{max-width:720px}
    .shots{display:flex;flex-wrap:wrap;gap:14px;margin:0 0 22px}
    .shots figure{width:112px}
    .shots img{width:112px;height:auto;image-rendering:pixelated;display:block;
    border:1px solid var(--rule)}
    .shots figcaption{font-weight:400;font-size:.8rem;line-height:1.3;margin:.3em 0 0}
    """

  /// On paper nothing scrolls: tables and figures take the width there is.
  private static let paper = """
    @media print{:root{\(light)}body{max-width:none;font-size:11pt;padding:0}
    figure,tr,.box{break-inside:avoid}.scroll{overflow:visible;background:none}
    .scroll svg{min-width:0!important;max-width:100%!important}
    nav{display:none}h2,h3,figcaption{break-after:avoid}
    table{font-size:7pt;max-width:100%}
    th,td,td.word,tbody th.name,thead tr:last-child th{padding:.2em .3em;white-space:normal;
    min-width:0;max-width:none;overflow-wrap:break-word}
    .grid{grid-template-columns:1fr 1fr;gap:12px}
    tbody th{position:static}
    pre{white-space:pre-wrap;overflow-wrap:anywhere;overflow:visible}
    details::details-content{content-visibility:visible;block-size:auto}}
    """
}
