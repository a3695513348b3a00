/// Messages about `compression`.
extension MessageCatalogue {
  static let compression: [Entry] = [
    Entry(
      "E3340",
      "a codec whose settings contradict each other",
      "Layer-wise strengths need each tensor on its own and belong to uploads; blocks are chosen "
        + "by exact norms.",
      "Change the field that the message names."
    ),
    Entry(
      "E3341",
      "a codec that does not suit the method",
      "EF21's server holds the mean of all clients' estimates, sums of factors give the mean of "
        + "all updates, and neither has anything of single clients: they suit methods that send "
        + "a model and use its mean. Methods that send whole models need a codec that keeps "
        + "every value.",
      "Take feedback \"ef-sgd\", which works with every method."
    ),
    Entry(
      "E3342",
      "unsound order of privacy and compression",
      "A guarantee holds when encoding looks at noisy numbers alone (each client adds all the "
        + "noise, or gradients had it), or when the server's clip comes after decoding. It does "
        + "not when encoded messages are read one by one and only their sum is noisy enough, or "
        + "when a message's effect outlives its round.",
      "Choose the placement \"server\" or \"local\", and error feedback \"ef-sgd\" or none."
    ),
    Entry(
      "W3041",
      "momentum counts twice",
      "Deep gradient compression accumulates momentum itself; momentum in local steps or at the "
        + "server comes on top.",
      "Set the other momentum to 0."
    ),
    Entry(
      "W3042",
      "error feedback of an unbiased codec",
      "Theory bounds the memory for codecs that contract; an unbiased one may enlarge what it "
        + "encodes.",
      "Set errorFeedback to false."
    ),
    Entry(
      "W3043",
      "biased codec without error feedback",
      "What the codec leaves out is lost in every round, and mostly in the same places.",
      "Set errorFeedback to true, unless this loss is what you study."
    ),
  ]
}
