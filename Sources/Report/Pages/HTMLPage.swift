/// The frame of every page: one file that needs nothing else, no script, no network.
package enum HTMLPage {
  /// A whole page.
  ///
  /// `style`: rules beside those that all pages have.
  package static func text(title: String, style: String = "", body write: (inout Markup) -> Void)
    -> String
  {
    var out = Markup()
    out.raw("<!DOCTYPE html>\n")
    out.inside("html", [("lang", "en")]) { page in
      page.inside("head") { head in
        head.raw("<meta charset=\"utf-8\">\n")
        head.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        head.element("title", [], "\(title) - fedsim")
        head.raw("<style>\n\(HTMLStyle.sheet)\(style)</style>\n")
      }
      page.inside("body", [], write)
    }
    return out.text
  }
}
