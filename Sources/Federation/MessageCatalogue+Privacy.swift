/// Codes of privacy accounting.
extension MessageCatalogue {
  static let privacy: [Entry] = [
    Entry(
      "E2010",
      "privacy target out of reach",
      "No value of the number asked for meets the epsilon and delta given.",
      "Raise --epsilon or --delta, or lower --rate or --steps."
    ),
    Entry(
      "E2011",
      "no accountant for this",
      "The kind of sampling and the neighbours do not go together: no bound is known to fedsim, "
        + "and it does not guess.",
      "Choose --sampling poisson or --sampling without-replacement."
    ),
  ]
}
