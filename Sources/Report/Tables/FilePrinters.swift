import Base
import Records

extension Table {
  /// The table as Markdown: one row of headings, in which a group's name precedes its columns.
  ///
  /// `notes`: lines above it, such as the conditions.
  package func markdown(notes: [String] = []) -> String {
    func line(_ fields: [String]) -> String {
      "| " + fields.map(Self.markdown).joined(separator: " | ") + " |\n"
    }
    var text = notes.map { Self.markdown($0) + "\n\n" }.joined()
    text += line(headings.map(\.lone)) + "|"
    text += headings.map { $0.isText ? "---|" : "---:|" }.joined() + "\n"
    return text + rows.map { line($0.map(\.whole)) }.joined()
  }

  /// Text in which nothing is markup: a bar would end a cell, a star begin emphasis.
  static func markdown(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      if "\\|*_`<>[]#".unicodeScalars.contains(scalar) { out += "\\" }
      out.unicodeScalars.append(scalar.value < 0x20 ? " " : scalar)
    }
    return out.split(separator: " ").joined(separator: " ")
  }
}

extension Table {
  /// The table as a LaTeX `tabular` with the rules of booktabs.
  ///
  /// `notes`: lines above it, as comments.
  package func latex(notes: [String] = []) -> String {
    func line(_ fields: [String]) -> String { fields.joined(separator: " & ") + " \\\\\n" }
    let judged = headings.contains { $0.better != nil }
    let lower = headings.filter { $0.better == .lower }.map(\.lone)
    let rule =
      "bold: the best of a column; underlined: the next best; numbers that are printed alike share "
      + "a place, and a column of equal numbers has none; higher is better"
      + (lower.isEmpty ? "" : ", but lower in: " + lower.joined(separator: ", "))
      + "; costs and privacy are not judged"
    var text =
      (notes + (judged ? [rule] : []) + [
        "\\usepackage{booktabs}; then \\input this inside a table environment"
      ]).map { "% " + $0.split { $0.isNewline }.joined(separator: " ") + "\n" }.joined()
    let format = headings.map { $0.isText ? "l" : "r" }.joined()
    text += "\\begin{tabular}{\(format)}\n\\toprule\n"
    if isGrouped {
      text += line(
        stretches.map { stretch in
          guard let group = headings[stretch.lowerBound].group else { return "" }
          return "\\multicolumn{\(stretch.count)}{c}{\(Self.latex(group.title))}"
        })
      text +=
        stretches.filter { headings[$0.lowerBound].group != nil }.map {
          "\\cmidrule(lr){\($0.lowerBound + 1)-\($0.upperBound)}"
        }.joined() + "\n"
    }
    text += line(headings.map { Self.latexHeading($0.words) }) + "\\midrule\n"
    let ranks = headings.indices.map(ranks)
    for (row, cells) in rows.enumerated() {
      text += line(
        cells.enumerated().map { column, cell in Self.latex(cell, rank: ranks[column][row]) })
    }
    return text + "\\bottomrule\n\\end{tabular}\n"
  }

  /// A number with a minus in place of a hyphen, and its mark.
  private static func latex(_ cell: Cell, rank: Int?) -> String {
    if cell.isMissing { return "--" }
    guard cell.value != nil || !cell.interval.isEmpty else { return latex(cell.text) }
    func number(_ text: String) -> String {
      var (out, before) = ("", Character(" "))
      for (character, next) in zip(text, text.dropFirst() + " ") {
        // The hyphen of a power of ten stays.
        let isMinus = character == "-" && next.isNumber && before != "e"
        out += isMinus ? "$-$" : latex(String(character))
        before = character
      }
      return out
    }
    let text = number(cell.text)
    let marked = rank.map { ($0 == 1 ? "\\textbf{" : "\\underline{") + text + "}" } ?? text
    return marked + number(cell.interval)
  }

  /// A heading with the symbols that papers use.
  private static func latexHeading(_ words: String) -> String {
    words.split(separator: " ").map { word in
      switch word {
      case "epsilon": "$\\varepsilon$"
      case "delta": "$\\delta$"
      default: latex(String(word))
      }
    }.joined(separator: " ")
  }

  /// Text in which nothing is a command.
  static func latex(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": out += "\\textbackslash{}"
      case "~": out += "\\textasciitilde{}"
      case "^": out += "\\textasciicircum{}"
      case "<": out += "\\textless{}"
      case ">": out += "\\textgreater{}"
      case "|": out += "\\textbar{}"
      case "\"": out += "''"
      case "&", "%", "$", "#", "_", "{", "}": out += "\\\(scalar)"
      case "±": out += "$\\pm$"
      case "×": out += "$\\times$"
      case "…": out += "\\ldots{}"
      case let control where control.value < 0x20: out += " "
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}

extension Table {
  /// The table as comma-separated values: numbers at full precision, and after a column with
  /// intervals another one with half of their widths; what is missing is empty.
  package var csv: String {
    let halves = headings.indices.map { place in rows.contains { $0[place].halfWidth != nil } }
    func line(_ fields: (Int) -> (String, String)) -> String {
      let texts = headings.indices.flatMap { place -> [String] in
        let (text, half) = fields(place)
        return halves[place] ? [text, half] : [text]
      }
      return CSV.line(texts) + "\n"
    }
    return line { (headings[$0].lone, headings[$0].lone + " ±") }
      + rows.map { row in
        line { place in
          let cell = row[place]
          let number = CSV.number(cell.value)
          let text = number.isEmpty ? (cell.isMissing ? "" : cell.text) : number
          return (text, CSV.number(cell.halfWidth))
        }
      }.joined()
  }
}

extension Table {
  /// The table as HTML, in a box that scrolls on its own; nothing without rows.
  package func write(to out: inout Markup) {
    if rows.isEmpty { return }
    // The first column of a group has a line at its left.
    let starts = Set(stretches.map(\.lowerBound).filter { headings[$0].group != nil })
    func attributes(_ place: Int) -> [(String, String)] {
      let classes =
        (headings[place].isText && place > 0 ? ["word"] : [])
        + (starts.contains(place) ? ["start"] : [])
      return classes.isEmpty ? [] : [("class", classes.joined(separator: " "))]
    }
    out.inside("div", [("class", "scroll"), ("tabindex", "0")]) { box in
      box.inside("table") { table in
        table.inside("thead") { head in
          if isGrouped {
            head.inside("tr", [("class", "groups")]) { row in
              for stretch in stretches {
                guard let group = headings[stretch.lowerBound].group else {
                  row.element("td", [], "")
                  continue
                }
                row.element(
                  "th",
                  [("colspan", "\(stretch.count)"), ("scope", "colgroup"), ("class", "start")],
                  group.title)
              }
            }
          }
          head.inside("tr") { row in
            for (place, heading) in headings.enumerated() {
              row.element("th", [("scope", "col")] + attributes(place), heading.words)
            }
          }
        }
        table.inside("tbody") { body in
          for cells in rows {
            body.inside("tr") { row in
              for (place, cell) in cells.enumerated() {
                if place == 0 {
                  let style = headings[0].isText ? [("class", "name")] : []
                  row.element("th", [("scope", "row")] + style, cell.whole)
                } else {
                  row.element("td", attributes(place), cell.whole)
                }
              }
            }
          }
        }
      }
    }
  }
}
