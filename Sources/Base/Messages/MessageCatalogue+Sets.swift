/// Codes of public images, pre-training, styles, equal sizes and groups of clients.
extension MessageCatalogue {
  static let sets: [Entry] = [
    Entry(
      "W3030", "frozen network that nothing trained",
      "The method trains a small part on top of a network that stays as it is. Here that network "
        + "would be random, so its features say little.",
      "Add model.pretrain, or take trained weights by model.init with kind file and head fresh."),
    Entry(
      "E3251", "too many images held out",
      "data.public and model.pretrain take balanced images before the clients get any: T images of "
        + "C classes are T / C of each. A class has too few, or too few are left for the clients.",
      "Lower data.public.size, model.pretrain.images or federation.clients. With a partition file "
        + "only images that it does not list can be held out."),
    Entry(
      "E3252", "more styles per client than styles",
      "A client's styles are all different, so there must be that many.",
      "Lower data.styles.perClient or list more kinds."),
    Entry(
      "E3253", "nothing to pre-train on",
      "model.pretrain needs images: a number of them, or whole classes.",
      "Give \"images\" or \"classes\"."),
    Entry(
      "E3254", "classes of pre-training do not fit",
      "model.pretrain.classes names a class that the data do not have, or leaves too few.",
      "Name at least two classes, and leave at least two for the clients; labels count from 0."),
    Entry(
      "E3255", "shares do not add up",
      "The shares of clientModels must give every client to exactly one group.",
      "Let them add up to 1."),
    Entry(
      "E3256", "group without a client",
      "The share is so small that rounding leaves no client for the group.",
      "Raise the share or the number of clients, or remove the group."),
    Entry(
      "E3257", "clients of equal size do not fit",
      "Under dirichlet-prior every client has exactly perClient images, at least minPerClass of "
        + "each class; the data, or the size, cannot give that.",
      "Lower perClient, minPerClass or federation.clients."),
    Entry(
      "E3258", "style does not fit the images",
      "A quarter turn needs square images, luminance needs three channels, and most styles need "
        + "more than one pixel.", "Leave the style out."),
  ]
}
