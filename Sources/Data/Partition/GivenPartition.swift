import Base

/// Partitions that are given and not drawn: by a file, or by the data set's own users.
extension Pool {
  /// The lists of a file `{"clients": [[index, ...], ...]}`, in the file's order.
  ///
  /// Indices count from 0 in the full training set; each is used at most once, and an image that
  /// no client lists is not used. Other keys, such as the "holdout" of a run's own
  /// `split/partition.json`, are passed over.
  package func file(_ path: String, trainingImages: Int) throws(Failure) -> [[Int]] {
    let document: JSON
    do {
      document = try JSON(
        parsing: try FileBytes.read(path, what: "a partition", growth: JSON.bytesPerByte))
    } catch let error as JSONSyntaxError {
      throw DataFailure.malformed(
        path, "line \(error.line), column \(error.column): \(error.message)")
    } catch let failure as Failure { throw failure } catch {
      throw DataFailure.malformed(path, "\(error)")
    }
    return try FilePartition(path: path, pool: self, trainingImages: trainingImages).lists(document)
  }

  /// The data set's own clients, in its order; with fewer clients than users, that many users
  /// drawn at random and kept in order.
  ///
  /// Images that the long tail removed are left out.
  package func natural(_ users: [[Int]]?) throws(Failure) -> [[Int]] {
    guard let users else {
      throw Failure(
        .scenarioInvalid, "E3414",
        "data.partition \"natural\": this data set does not know who its images belong to",
        hint: "only data sets of kind \"leaf\" have users; choose another partition")
    }
    guard clients <= users.count else {
      throw Failure(
        .scenarioInvalid, "E3415",
        "data.partition \"natural\": the data set has \(users.count) users; "
          + "federation.clients is \(clients)",
        hint: "set federation.clients to at most \(users.count)")
    }
    var stream = stream()
    let chosen = stream.permutation(users.count).prefix(clients).sorted()
    let kept = Set(indices)
    return chosen.map { users[$0].filter(kept.contains) }
  }
}

/// Checks of a partition file; every message says where.
private struct FilePartition {
  package let path: String
  package let pool: Pool
  package let trainingImages: Int

  package func lists(_ document: JSON) throws(Failure) -> [[Int]] {
    guard let clients = document["clients"], let lists = clients.elements else {
      throw DataFailure.malformed(
        path,
        "expected an object {\"clients\": [[index, ...], ...]}, found "
          + (document["clients"].map { "\($0.kindName) for \"clients\"" } ?? document.kindName
            + " without \"clients\""))
    }
    guard lists.count == pool.clients else {
      throw DataFailure.inconsistent(
        path,
        "it lists \(lists.count) clients; federation.clients is \(pool.clients), counted with the "
          + "clients of evaluation.unseen",
        hint: "list \(pool.clients) clients, or set federation.clients to fit")
    }
    let kept = Set(pool.indices)
    var owner = [Int](repeating: -1, count: trainingImages)
    var result: [[Int]] = []
    for (client, list) in lists.enumerated() {
      guard let entries = list.elements else {
        throw DataFailure.malformed(
          path,
          "line \(list.line), client \(client): expected a list of indices, "
            + "found \(list.kindName)")
      }
      var mine: [Int] = []
      mine.reserveCapacity(entries.count)
      for (position, entry) in entries.enumerated() {
        let place = "line \(entry.line), client \(client), entry \(position)"
        let index = try checked(entry, at: place, kept: kept)
        guard owner[index] < 0 else {
          throw DataFailure.inconsistent(
            path, "\(place): image \(index) already belongs to client \(owner[index])",
            hint: "every training image may be listed once")
        }
        owner[index] = client
        mine.append(index)
      }
      result.append(mine)
    }
    return result
  }

  private func checked(_ entry: JSON, at place: String, kept: Set<Int>) throws(Failure) -> Int {
    guard let index = entry.int else {
      throw DataFailure.malformed(path, "\(place): expected an index, found \(entry.kindName)")
    }
    guard index >= 0, index < trainingImages else {
      throw DataFailure.inconsistent(
        path, "\(place): image \(index); the training set has images 0 to \(trainingImages - 1)",
        hint: "indices count from 0 in the full training set, before any long tail")
    }
    guard kept.contains(index) else {
      throw DataFailure.inconsistent(
        path, "\(place): image \(index) was removed by data.longTail",
        hint: "remove data.longTail: the file already decides which images are used")
    }
    return index
  }
}
