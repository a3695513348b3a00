import Base

/// How many training images of each class every client has, [K][C], in one block.
package struct ClassCounts: Sendable, Equatable {
  /// Number of clients K.
  package let clients: Int
  /// Number of classes C.
  package let classes: Int
  private var values: [Int32]

  /// Counts the labels of every client's images.
  package init(_ lists: [[Int]], labels: [Int32], classes: Int) {
    clients = lists.count
    self.classes = classes
    values = [Int32](repeating: 0, count: lists.count * classes)
    for (client, list) in lists.enumerated() {
      for index in list { values[client * classes + Int(labels[index])] += 1 }
    }
  }

  /// Images of one class at one client, n_kc.
  package subscript(client: Int, label: Int) -> Int { Int(values[client * classes + label]) }

  /// n_k0 … n_k(C−1) of one client.
  package subscript(client: Int) -> [Int] {
    values[client * classes..<(client + 1) * classes].map(Int.init)
  }

  /// n_k, the images of one client.
  package func total(of client: Int) -> Int {
    var sum = 0
    for value in values[client * classes..<(client + 1) * classes] { sum += Int(value) }
    return sum
  }

  /// n_c, the images of each class over all clients.
  package func pooled() -> [Int] {
    var sums = [Int](repeating: 0, count: classes)
    for client in 0..<clients { for label in 0..<classes { sums[label] += self[client, label] } }
    return sums
  }
}

/// The two files that say how a run's training set was spread.
package enum PartitionSummary {
  /// What is in them; of seeds after the first, `-sSEED` follows their names.
  package static let pages = [
    FilePage(
      "partition.json", in: "run folder, split/", "Who holds which training image.",
      [
        FileField("clients", "list of lists", "Of each client, indices in the training set."),
        FileField(
          "holdout", "list of lists", "Of each client, the images that it keeps for testing.",
          absent: "data.test.local holds none out"),
        FileField(
          "public", "list of integers", "Images of the public set.", absent: "there is none"),
        FileField(
          "pretrain", "list of integers", "Images of pre-training.", absent: "there is none"),
        FileField(
          "validation", "list of lists", "Of each client, the images that nobody trains on.",
          absent: "the scenario has no evaluation.validation"),
        FileField(
          "unseen", "list of lists", "Of each client that never trains for the server, its images.",
          absent: "the scenario has no evaluation.unseen"),
        FileField(
          "unseenHoldout", "list of lists",
          "Of each of those, the images that it keeps for testing.",
          absent: "there is none, or data.test.local holds none out"),
      ]),
    FilePage(
      "split/summary.csv", in: "run folder, split/",
      "How many images of each class a client holds.",
      [
        FileField(
          "client", "integer",
          "The client, from 0; or the name of a set besides, such as holdout or public."),
        FileField("total", "integer", "Its training images."),
        FileField("class_<c>", "integer", "Of these, those of class c."),
      ]),
  ]

  /// `split/partition.json`: `{"clients": [[index in the training set, ...], ...]}`, one client per
  /// line; with a hold-out also `"holdout"`, the images that each client keeps for testing; then
  /// `"public"` and `"pretrain"`, and lists by client of `others`, where there are such images.
  package static func partitionJSON(
    clients: [[Int]], holdout: [[Int]]? = nil, publicIndices: [Int] = [],
    pretrainIndices: [Int] = [], others: [(key: String, lists: [[Int]]?)] = []
  ) -> String {
    var text = "{\"clients\": ["
    append(clients, to: &text)
    if let holdout {
      text += "],\n\"holdout\": ["
      append(holdout, to: &text)
    }
    text += "]"
    for (key, list) in [("public", publicIndices), ("pretrain", pretrainIndices)]
    where !list.isEmpty {
      text += ",\n\"\(key)\": ["
      append(list, to: &text)
      text += "]"
    }
    for (key, lists) in others {
      guard let lists else { continue }
      text += ",\n\"\(key)\": ["
      append(lists, to: &text)
      text += "]"
    }
    return text + "}\n"
  }

  private static func append(_ lists: [[Int]], to text: inout String) {
    for (client, list) in lists.enumerated() {
      text += client == 0 ? "\n[" : ",\n["
      append(list, to: &text)
      text += "]"
    }
    text += "\n"
  }

  private static func append(_ list: [Int], to text: inout String) {
    for (position, index) in list.enumerated() {
      if position > 0 { text += ", " }
      text += String(index)
    }
  }

  /// `split/summary.csv`: one line per client, `client,total,class_0,…,class_{C-1}`, and one for
  /// each of `sets`, whose first entry is its name.
  package static func csv(_ counts: ClassCounts, sets: [(name: String, perClass: [Int])] = [])
    -> String
  {
    var text = "client,total"
    for label in 0..<counts.classes { text += ",class_\(label)" }
    text += "\n"
    var rows = (0..<counts.clients).map { (name: String($0), perClass: counts[$0]) }
    rows += sets
    for row in rows {
      text += "\(row.name),\(row.perClass.reduce(0, +))"
      for count in row.perClass { text += ",\(count)" }
      text += "\n"
    }
    return text
  }
}
