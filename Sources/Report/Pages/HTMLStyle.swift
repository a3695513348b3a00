/// The style sheet of the report: light and dark, narrow and wide, screen and paper.
enum HTMLStyle {
  /// The content of the `style` element.
  static var sheet: String {
    """
    :root{color-scheme:light dark;\(light)}
    @media (prefers-color-scheme:dark){:root{\(dark)}}
    \(layout)
    \(figures)
    @media print{:root{\(light)}body{max-width:none;font-size:11pt}
    figure,tr,.box{break-inside:avoid}.scroll{overflow:visible;background:none}
    .scroll svg{min-width:0!important}
    nav{display:none}h2,h3,figcaption{break-after:avoid}
    table{font-size:7.5pt}th,td{padding:.2em .35em}tbody th{position:static;min-width:8em}
    details::details-content{content-visibility:visible;block-size:auto}}

    """
  }

  private static let light =
    "--paper:#fff;--ink:#1c2024;--soft:#59626b;--rule:#d9dee3;--tint:#f4f6f8;--warn:#fff4dc;"
    + "--edge:#b36b00;--heat:#56B4E9;--count:#a8b0b8;" + colours(SVGStyle.light)
  private static let dark =
    "--paper:#14171a;--ink:#e8eaed;--soft:#a6afb8;--rule:#353c43;--tint:#1d2227;--warn:#33280f;"
    + "--edge:#E69F00;--heat:#1f78b4;--count:#5b646d;" + colours(SVGStyle.dark)

  private static func colours(_ list: [String]) -> String {
    list.enumerated().map { "--s\($0.offset):\($0.element);" }.joined()
  }

  private static let layout = """
    *{box-sizing:border-box}
    body{margin:0 auto;padding:24px 20px 48px;max-width:1240px;background:var(--paper);
    color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
    h1{font-size:1.7rem;line-height:1.25;margin:0 0 .3em;overflow-wrap:anywhere}
    h2{font-size:1.2rem;margin:2em 0 .6em;padding-bottom:.25em;border-bottom:1px solid var(--rule)}
    ul.plain{list-style:none;margin:0;padding:0;color:var(--soft)}
    .box{background:var(--tint);border-left:4px solid var(--rule);padding:.6em 1em;margin:1em 0}
    .box.warn{background:var(--warn);border-color:var(--edge)}
    .box ul{margin:.2em 0;padding-left:1.2em}
    .note{color:var(--soft);font-size:.9rem}
    .scroll{overflow-x:auto;background:linear-gradient(to left,var(--paper) 20px,transparent)
    100% 0/48px 100% no-repeat local,linear-gradient(to left,var(--rule),transparent)
    100% 0/14px 100% no-repeat scroll}
    .grid+.scroll,.scroll+.grid{margin-top:20px}
    table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.875rem}
    th,td{padding:.4em .55em;text-align:right;white-space:nowrap;
      border-bottom:1px solid var(--rule)}
    th{font-weight:600}
    th:first-child,td:first-child{text-align:left}
    tbody th{position:sticky;left:0;background:var(--paper);white-space:normal;
    min-width:min(11em,34vw);
    max-width:16em;overflow-wrap:break-word}
    thead tr:last-child th{white-space:normal;max-width:11em;overflow-wrap:break-word;
    vertical-align:bottom}
    thead tr:first-child:not(:last-child) th{border-bottom:0;color:var(--soft);text-align:left;
    padding-bottom:0}
    thead .start,tbody .start{border-left:1px solid var(--rule)}
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
    figure{margin:0;min-width:0}
    figure.wide{margin-bottom:24px}
    figcaption{font-weight:600;margin-bottom:.4em}
    svg{display:block;width:100%;height:auto}
    svg text{fill:var(--ink);font:13px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
    svg text.axis{fill:var(--soft);font-size:12px}
    svg text.small{font-size:11px}
    @media (max-width:560px){.grid svg text{font-size:17px}.grid svg text.axis{font-size:16px}}
    path.grid{stroke:var(--rule);fill:none;stroke-width:1}
    path.base{stroke:var(--soft);fill:none;stroke-width:1}
    .line{fill:none;stroke-width:2;stroke-linejoin:round}
    .mark{stroke:var(--paper);stroke-width:.7}
    .band{fill-opacity:.16;stroke:none}
    .band.faint{fill-opacity:.08}
    .band.box{fill-opacity:.28}
    .grid svg[role]{max-width:720px}
    svg text.row{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}
    .line.thin{stroke-width:1.2}
    .dots{fill:none;stroke-width:3.6;stroke-linecap:round;stroke-opacity:.45}
    path.zero{stroke:var(--soft);fill:none;stroke-width:1.4;stroke-dasharray:5 4}
    .count{fill:var(--count)}
    .heat{fill:var(--heat)}
    .zone{fill:var(--tint)}
    .zone.middle{fill:none}
    ul.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2em 1.2em;margin:.5em 0 0;padding:0;
    font-size:.9rem}
    ul.legend li{display:flex;align-items:center;gap:.45em;min-width:0;overflow-wrap:anywhere}
    svg.swatch{width:34px;height:12px;flex:none}

    """
    + (0..<SVGStyle.count).map {
      ".line.s\($0),.dots.s\($0){stroke:var(--s\($0))}"
        + ".mark.s\($0),.band.s\($0),.bar.s\($0){fill:var(--s\($0))}"
    }.joined(separator: "\n")
}
