import Base

extension MessageCatalogue {
  package static let report: [Entry] = [
    Entry(
      "E4102", "nothing to report", "None of the folders holds a run with a finished round.",
      "Continue them with fedsim resume DIR.")
  ]
}
