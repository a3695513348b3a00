/// Messages about `privacy`, as a section and as a calculator.
extension MessageCatalogue {
  package static let privacy: [Entry] = [
    Entry(
      "E2010", "privacy target out of reach",
      "No value of the number asked for meets the epsilon and delta given.",
      "Raise --epsilon or --delta, or lower --rate or --steps."),
    Entry(
      "E2011", "no accountant for this",
      "The kind of sampling and the neighbours do not go together: no bound is known to fedsim, "
        + "and it does not guess.", "Choose --sampling poisson or --sampling without-replacement."),
    Entry(
      "E3330", "no noise and no target",
      "A mechanism needs to know how much noise it adds: a noise multiplier, or an epsilon from "
        + "which it is found.", "Give noiseMultiplier, or target with an epsilon."),
    Entry(
      "E3331", "error feedback without a usable cap",
      "errorCap is the norm to which gradients are clipped before the clip proper; what lies "
        + "between the two goes into the hidden error.", "Give errorCap at least the clip."),
    Entry(
      "E3332", "the mechanism does not fit the method",
      "Noise on a sum protects a client only where the server sees nothing but the sum, and clips "
        + "only what it gets.", "Choose another placement, clipping or unit."),
    Entry(
      "E3333", "batch normalisation under example-level privacy",
      "Batch statistics make each example's gradient depend on the others of its batch, so that "
        + "no clip bounds what one example does.",
      "Take group norm, or protect clients instead of examples."),
    Entry(
      "E3334", "no noise meets the target",
      "The accountant found no noise multiplier up to its limit that gives the epsilon asked for.",
      "Raise epsilon or delta, or take fewer rounds, fewer local steps or smaller batches."),
    Entry(
      "E3370", "no one clip for what is sent",
      "Client-level privacy clips all floats of a message as one vector and gives each of them the "
        + "same noise. A step count beside an update, or means and covariances beside a model, "
        + "are numbers of other sizes: the clip of one ruins the other, however large the clip is.",
      "Take a method that sends updates alone, or protect examples instead of clients."),
    Entry(
      "E3371", "the budget does not pay for the run",
      "With noise on the sum of a cohort all clients have one budget. The noise multiplier given "
        + "spends more than privacy.target.epsilon in the rounds of the run.",
      "Take fewer rounds or more noise, or let the target say how much noise there is."),
    Entry(
      "E3372", "two deltas", "privacy.delta and privacy.target.delta say different things.",
      "Give one of them."),
    Entry(
      "W3031", "updates count alike",
      "Weights by size would let a large client move the mean by more than the clip.",
      "Set federation.weighting to \"uniform\"."),
    Entry(
      "W3032", "no formal guarantee",
      "Something leaves the clients that the mechanism does not cover, so that no epsilon holds "
        + "for the run as a whole, however much noise there is elsewhere.",
      "Take a method whose uploads come from training steps alone, a loss without class counts, or "
        + "privacy.unit \"client\" for a method that sends no whole numbers, which get no noise."),
    Entry(
      "W3033", "no noise", "Clipping alone is no privacy: epsilon is infinite.",
      "Give a noise multiplier above 0."),
    Entry(
      "W3034", "large delta",
      "With delta at 1 / number of units, giving one unit away whole would pass as private.",
      "Take a delta well below it; 1 / N^1.1 is customary. Units are clients, or, at example "
        + "level, the images of one client."),
    Entry(
      "W3036", "scales share a clip",
      "Updates and control variates are sent in one message, which is clipped and noised as one "
        + "vector; which takes most of the clip depends on the learning rate and the steps.",
      "Look at the share of clipped messages and at noise / signal in the report."),
    Entry(
      "W3037", "nothing is sent",
      "Client-level privacy protects what clients send, and this method's clients send nothing.",
      "Leave privacy out for this strategy: \"privacy\": \"none\"."),
    Entry(
      "W3038", "smaller steps of small clients",
      "Under example-level privacy the noisy sum is divided by client.batch, whatever was drawn: "
        + "the size of a batch is private. A client with n images draws at most n, so that its "
        + "steps are at most n / batch as long as without privacy.",
      "Set client.batch to the size of the smallest clients that matter."),
  ]
}
