/// What stands above the columns of tables, and what it means.
package enum TableWords {
  /// Names in lower case, as `explain` is asked for them.
  package static let all: [(name: String, meaning: String)] = [
    ("strategy", "A federated method under the label that the scenario gives it."),
    ("generic accuracy", "Of the server's one model for all, on the global test set."),
    (
      "personal accuracy",
      "Of what each client gets, on its local test, each client counting the same."
    ),
    ("all", "Accuracy of the generic model on all test images."),
    ("head", "Mean of the per-class accuracies of the frequent classes; see shots."),
    ("middle", "Mean of the per-class accuracies of the classes in between; see shots."),
    ("tail", "Mean of the per-class accuracies of the rare classes; see shots."),
    (
      "shots",
      "Groups of classes by their training images over all clients. By cumulative share: from the "
        + "most frequent on, head up to 75 % of all images, middle up to 95 %, tail the rest. "
        + "Absolute: head above 100 images, tail below 20."
    ), ("mean", "Mean over seeds, or over clients each counting the same."),
    ("all classes", "Mean over clients of their own model's accuracy, all classes counting alike."),
    ("std", "Standard deviation over clients, or over seeds."),
    ("worst 10 %", "Mean accuracy of the worst tenth of the clients, at least one."),
    ("worst", "Accuracy of the worst client."),
    (
      "helped",
      "Share of clients whose model is better on their local test than what they reach by "
        + "training alone (local-only under the same seed)."
    ),
    (
      "prior-weighted",
      "The local test of a client is the whole test set, each class weighted by its share of the "
        + "client's training images (data.test.local)."
    ),
    (
      "digest",
      "A hash chain over all that training has changed: two runs with the same digest are the same "
        + "bit for bit. It stands in digest.txt and at the end of a run."
    ), ("epsilon", "The largest ε of all clients and seeds at the end; none: no guarantee."),
    ("up", "Encoded bytes of all messages from clients to the server, in 10⁶ bytes."),
    ("down", "Encoded bytes of all messages from the server to clients, in 10⁶ bytes."),
    ("setup", "Encoded bytes that were sent before the first round, in 10⁶ bytes."),
    ("cost per run", "What a run spent: bytes of its messages, and time."),
    ("mb", "Encoded bytes in both directions, with those before the first round, in 10⁶ bytes."),
    ("of the baseline's", "The number divided by that of the baseline."),
    ("simulated s", "Seconds on the clock of the simulated federation."),
    ("virtual", "Time on the clock of the simulated federation."),
    ("wall", "Time that the rounds took on this machine."),
    ("n", "Seeds that have a value."),
    ("difference", "Strategy - baseline over common seeds, with its 95 % interval (paired t)."),
    ("seeds", "Wins/ties/losses over common seeds; of a target, how many seeds reached it."),
    ("clients", "Wins/ties/losses over pairs of client and seed; or how many clients there are."),
    ("t holm", "p of the paired t test after Holm's correction over all strategies."),
    ("sign flip", "p of the sign-flip permutation test of the paired differences."),
    ("least", "The smallest p that so many seeds can reach by sign flips."),
    ("wilcoxon", "p of Wilcoxon's signed-rank test; ~: approximate."),
    ("d_z", "Effect size: mean paired difference over its standard deviation."),
    ("±", "Half of the width of the 95 % interval over seeds (Student t)."),
    ("setting", "A path of the scenario whose value differs between folders."),
    ("rounds", "Rounds up to the first evaluated one that reaches the accuracy, mean over seeds."),
    ("tflop", "Floating-point operations of training, in 10¹²."),
    ("clock", "Seconds on the clock of the simulated federation."),
    ("median", "The middle value over clients or seeds."), ("min", "The smallest value."),
    ("max", "The largest value."), ("10 %", "The value below which a tenth of the clients are."),
    ("90 %", "The value below which nine tenths of the clients are."),
    ("delta", "δ of the guarantee."),
    ("guarantee", "Whether ε holds: nothing leaves a client without protection."),
    ("clip", "The bound on the norm of a gradient or a message."),
    ("clipped", "Share of gradients or messages that were scaled down to the bound."),
    ("noise / signal", "Norm of the noise over the norm of the sum that it was added to."),
    ("ece", "Expected calibration error: |confidence - accuracy|, mean over 15 bins."),
    ("nc1", "Neural collapse: scatter within classes beside that between them."),
    ("std of cosines", "Deviation of the cosines between centred class means."),
    ("gap of cosines", "How far these cosines are from -1/(C - 1), mean over pairs."),
    ("spread of norms", "Deviation of the class means' norms over their mean."),
    ("|w - m|", "Distance of classifier and centred class means, both of unit norm."),
    ("cos(w, m)", "Mean cosine of a class's weights and its centred mean."),
    ("better", "Pairs of client and seed that gain over training alone."),
    ("as good", "Pairs of client and seed that stay the same."),
    ("worse", "Pairs of client and seed that lose against training alone."),
    ("median gain", "The middle gain over training alone, in points."),
    ("10 % gain less than", "The gain that a tenth of the clients do not reach, in points."),
    ("largest loss", "The largest loss against training alone, in points."),
    ("client", "A client by its number, from 0."), ("seed", "The seed of the run."),
    ("images", "Training images."), ("round", "The last round, from 1."),
    ("class", "A class by its number, from 0, and its name where the data set gives one."),
    ("group", "head, middle or tail; see shots."), ("trial", "A scenario of a sweep, from 1."),
  ]

  /// What a heading means; nil when nothing says so.
  package static func meaning(_ heading: String) -> String? {
    var name = heading.lowercased()
    if name.hasPrefix("of "), name.hasSuffix("'s") { name = "of the baseline's" }
    let units = ["", " mb", " %", " s"].filter { name.hasSuffix($0) }
    return units.lazy.compactMap { unit in
      all.first { $0.name == name.dropLast(unit.count) }?.meaning
    }.first
  }
}
