/// Messages about `compression`.
extension MessageCatalogue {
  package static let compression: [Entry] = [
    Entry(
      "E3340", "a codec whose settings contradict each other",
      "Layer-wise strengths need each tensor on its own and belong to uploads; blocks are chosen "
        + "by exact norms.", "Change the field that the message names."),
    Entry(
      "E3341", "a codec that does not suit the method",
      "EF21's server holds the mean of all clients' estimates, sums of factors give the mean of "
        + "all updates, and neither has anything of single clients: they suit methods that send "
        + "a model and use its mean. Methods that send whole models need a codec that keeps "
        + "every value.", "Take feedback \"ef-sgd\", which works with every method."),
    Entry(
      "E3342", "unsound order of privacy and compression",
      "A guarantee holds when encoding looks at noisy numbers alone (each client adds all the "
        + "noise, or gradients had it), or when the server's clip comes after decoding. It does "
        + "not when encoded messages are read one by one and only their sum is noisy enough, or "
        + "when a message's effect outlives its round.",
      "Choose the placement \"server\" or \"local\", and error feedback \"ef-sgd\" or none."),
    Entry(
      "E3343", "a shared model where each client gets its own message",
      "A shadow is one model that the server and all clients hold, moved by what is sent. FedD2S, "
        + "FedDistill and KnFu send each client something else: there is nothing to share.",
      "Set shadow to false; the codec then encodes each client's message for it alone."),
    Entry(
      "W3041", "momentum counts twice",
      "Deep gradient compression accumulates momentum itself; momentum in local steps or at the "
        + "server comes on top.", "Set the other momentum to 0."),
    Entry(
      "W3042", "error feedback of an unbiased codec",
      "Theory bounds the memory for codecs that contract; an unbiased one may enlarge what it "
        + "encodes.", "Set errorFeedback to false."),
    Entry(
      "W3043", "biased codec without error feedback",
      "What the codec leaves out is lost in every round, and mostly in the same places.",
      "Set errorFeedback to true, unless this loss is what you study."),
    Entry(
      "W3044", "a codec that encodes nothing of a method",
      "Nothing that the method sends in this direction is encoded: it sends nothing, or whole "
        + "numbers, or no parameters while blocks is \"parameters\", or tensors that the link's "
        + "own settings leave dense. Its bytes are those of a run without the codec, or a few "
        + "more for frames.",
      "Do what the message says, or nothing if the codec is meant for other strategies."),
    Entry(
      "W3045", "layer-wise strengths that choose nothing",
      "Strengths are chosen by how far the server's model moved on each tensor of an upload; the "
        + "tensors of this method's upload are not in the server's model.", "Leave layerwise out."),
    Entry(
      "W3046", "zeros in place of what a codec leaves out",
      "Soft labels, prototypes and statistics are sent whole. A codec that keeps some values makes "
        + "the others 0, as of a model's difference, where 0 means that nothing moved.",
      "Take a codec that keeps every value, or blocks \"parameters\"."),
    Entry(
      "W3047", "a codec of a group that is not sent",
      "A group of parameters has a codec of its own, and no tensor of the group is in the "
        + "method's messages: the network has none, or they stay at the clients.",
      "Leave the group out for this strategy."),
  ]
}
