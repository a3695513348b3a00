import Base

extension MessageCatalogue {
  package static let data: [Entry] = [
    Entry(
      "E3115", "augmentation that does not fit the images",
      "A crop with padding of a vector or a tiny image replaces most of it by zeros; mirroring one "
        + "column changes nothing.",
      "Leave the change out of data.augment or model.pretrain.augment."),
    Entry(
      "E3116", "images that cannot be resized",
      "data.resize is for images, and the new ones must fit into what this process may take of "
        + "memory. Nothing was made.",
      "Lower data.resize.height and width, or leave data.resize out for rows of features."),
    Entry(
      "E3117", "data larger than the memory",
      "The images that the scenario asks for do not fit into what this process may take of memory. "
        + "Nothing was made.",
      "Lower data.dataset.trainPerClass or classes, or raise the limit that the message names."),
    Entry(
      "E3251", "too many images held out",
      "data.public and model.pretrain take balanced images before the clients get any: T images of "
        + "C classes are T / C of each. A class has too few, or too few are left for the clients.",
      "Lower data.public.size, model.pretrain.images or federation.clients. With a partition file "
        + "only images that it does not list can be held out."),
    Entry(
      "E3254", "classes of pre-training do not fit",
      "model.pretrain.classes names a class that the data do not have, or leaves too few.",
      "Name at least two classes, and leave at least two for the clients; labels count from 0."),
    Entry(
      "E3257", "clients of equal size do not fit",
      "Under dirichlet-prior every client has exactly perClient images, at least minPerClass of "
        + "each class; the data, or the size, cannot give that.",
      "Lower perClient, minPerClass or federation.clients."),
    Entry(
      "E3258", "style does not fit the images",
      "A quarter turn needs square images, luminance needs three channels, and most styles need "
        + "more than one pixel.", "Leave the style out."),
    Entry(
      "E3265", "features do not fit the images",
      "A scattering transform halves square images twice; groups of channels are of equal size.",
      "Resize the images, or name a number of groups that divides the channels."),
    Entry(
      "E3401", "explicit counts do not fit", "longTail.counts must have one entry per class.",
      "Give as many counts as the data set has classes."),
    Entry(
      "E3402", "a class would be empty",
      "The factor is so large that the smallest class keeps no image.",
      "Lower longTail.factor or raise longTail.maxPerClass."),
    Entry(
      "E3403", "long tail wants more images", "A class has fewer images than the profile asks for.",
      "Lower longTail.maxPerClass or the counts."),
    Entry(
      "E3404", "long tail out of range",
      "A number of the long tail cannot be used with these data.", "See fedsim explain longTail."),
    Entry(
      "E3405", "long tail out of range",
      "A number of the long tail cannot be used with these data.", "See fedsim explain longTail."),
    Entry(
      "E3406", "synthetic data too large", "The synthetic problem would not fit in memory.",
      "Lower classes or images per class."),
    Entry(
      "E3411", "minimum cannot be met", "clients times minPerClient exceeds the number of images.",
      "Lower minPerClient or the number of clients."),
    Entry(
      "E3412", "minimum not met after many draws",
      "A thousand draws left some client below minPerClient.",
      "Raise alpha, lower minPerClient or the number of clients."),
    Entry(
      "E3413", "too many shards", "There are more shards than images.",
      "Lower perClient or the number of clients."),
    Entry(
      "E3414", "no natural clients", "The data set does not say who made which image.",
      "Use another partition; natural is for LEAF data."),
    Entry(
      "E3415", "more clients than users",
      "The data set has fewer users than the scenario has clients.",
      "Lower federation.clients to the number of users."),
    Entry(
      "E4060", "images that cannot be used",
      "Several images of a folder cannot be read, or have another size than the others; the "
        + "message names them. Nothing was written.",
      "Mend or remove them; fedsim data convert --size HxW brings all to one size."),
    Entry(
      "E4061", "no program for images",
      "PNG and JPEG files are read through an installed program, and none was found.",
      "Install ImageMagick (Debian: apt-get install imagemagick) or netpbm, or give PPM files."),
  ]
}
