extension Page {
  /// Every figure of the page with a name for its files: its number and the words of its title.
  package var figures: [(name: String, plot: Plot)] {
    func plots(_ blocks: [Block]) -> [Plot] {
      blocks.flatMap { block -> [Plot] in
        switch block {
        case .plots(let plots): plots
        case .details(_, let inner): plots(inner)
        default: []
        }
      }
    }
    return plots(sections.flatMap(\.blocks)).enumerated().map { index, plot in
      let words = plot.title.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
      let number = index < 9 ? "0\(index + 1)" : "\(index + 1)"
      return ("\(number)-" + words.joined(separator: "-").prefix(60), plot)
    }
  }
}
