/// Messages about `privacy`, as a section and as a calculator.
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
    Entry(
      "E3330",
      "no noise and no target",
      "A mechanism needs to know how much noise it adds: a noise multiplier, or an epsilon from "
        + "which it is found.",
      "Give noiseMultiplier, or target with an epsilon."
    ),
    Entry(
      "E3331",
      "error feedback without a usable cap",
      "errorCap is the norm to which gradients are clipped before the clip proper; what lies "
        + "between the two goes into the hidden error.",
      "Give errorCap at least the clip."
    ),
    Entry(
      "E3332",
      "the mechanism does not fit the method",
      "Noise on a sum protects a client only where the server sees nothing but the sum, and clips "
        + "only what it gets.",
      "Choose another placement, clipping or unit."
    ),
    Entry(
      "E3333",
      "batch normalisation under example-level privacy",
      "Batch statistics make each example's gradient depend on the others of its batch, so that "
        + "no clip bounds what one example does.",
      "Take group norm, or protect clients instead of examples."
    ),
    Entry(
      "E3334",
      "no noise meets the target",
      "The accountant found no noise multiplier up to its limit that gives the epsilon asked for.",
      "Raise epsilon or delta, or take fewer rounds, fewer local steps or smaller batches."
    ),
    Entry(
      "W3031",
      "updates count alike",
      "Weights by size would let a large client move the mean by more than the clip.",
      "Set federation.weighting to \"uniform\"."
    ),
    Entry(
      "W3032",
      "no formal guarantee",
      "Something leaves the clients that the mechanism does not cover, so that no epsilon holds "
        + "for the run as a whole, however much noise there is elsewhere.",
      "Take a method whose uploads come from training steps alone, a loss without class counts, or "
        + "privacy.unit \"client\"."
    ),
    Entry(
      "W3033",
      "no noise",
      "Clipping alone is no privacy: epsilon is infinite.",
      "Give a noise multiplier above 0."
    ),
    Entry(
      "W3034",
      "large delta",
      "With delta at 1 / number of units, giving one unit away whole would pass as private.",
      "Take a delta well below it; 1 / N^1.1 is customary."
    ),
  ]
}
