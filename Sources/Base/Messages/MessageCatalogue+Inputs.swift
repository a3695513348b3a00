/// Codes of inputs that do not fit each other, this machine, or what was meant.
extension MessageCatalogue {
  package static let inputs: [Entry] = [
    Entry(
      "E3115", "augmentation that does not fit the images",
      "A crop with padding of a vector or a tiny image replaces most of it by zeros; mirroring one "
        + "column changes nothing.",
      "Leave the change out of data.augment or model.pretrain.augment."),
    Entry(
      "E3117", "data larger than the memory",
      "The images that the scenario asks for do not fit into what this process may take of memory. "
        + "Nothing was made.",
      "Lower data.dataset.trainPerClass or classes, or raise the limit that the message names."),
    Entry(
      "E4011", "file larger than it may be",
      "The file has more bytes than such a file can need, or reading it would take more memory "
        + "than this process may take: the machine's, or a limit of its address space or of a "
        + "container.",
      "Check that it is the file that you meant; raise the limit that the message names."),
    Entry(
      "E4012", "channels first",
      "The array's axes are channels, height and width, as PyTorch keeps images. Read as height, "
        + "width and channels everything would run, and nothing would be learnt.",
      "Put the channels last: numpy.transpose(x, (0, 2, 3, 1))."),
    Entry(
      "E4013", "more classes than images",
      "The largest label is far beyond the number of training images: a wrong label, or "
        + "identifiers in place of classes. Memory grows with the square of the classes.",
      "Number the classes from 0 without gaps: numpy.unique(y, return_inverse=True)[1]."),
    Entry(
      "W3013", "many starts in vain",
      "An asynchronous round lasts until enough messages have arrived. Where most clients vanish "
        + "or most messages are lost, many more clients are started, and trained, than arrive.",
      "Lower system.dropout or system.loss, or plan with fewer rounds."),
    Entry(
      "W3080", "nothing moved",
      "After all its rounds the model of a run is bit for bit the one before the first round, or "
        + "nobody took part in any of them. Its numbers say nothing of the method.",
      "Look at the cause that the warning names: participation, availability, deadlines, the size "
        + "of a buffer, a codec's threshold, the learning rate."),
    Entry(
      "W3011", "cap without effect",
      "data.longTail.maxPerClass is above the size that every class has in any case.",
      "Remove it, or give less."),
    Entry(
      "W3012", "local test without effect",
      "A field of data.test belongs to another policy, or asks for more images than there are.",
      "Remove it, or choose the policy that it belongs to."),
  ]
}
