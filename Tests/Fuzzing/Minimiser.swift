import Base

/// Makes a try smaller while it breaks the same rule in the same place.
package struct Minimiser {
  let trial: Trial
  /// The finding that must stay.
  let signature: String
  /// Tries that may still be made.
  private(set) var budget: Int

  package init(_ trial: Trial, signature: String, budget: Int = 150) {
    self.trial = trial
    self.signature = signature
    self.budget = budget
  }

  /// The smallest try that was found.
  package mutating func minimised(_ tried: FuzzCase) -> FuzzCase {
    var best = tried
    if let step = trial.run(tried)?.step { best.steps = Array(best.steps.prefix(step + 1)) }
    best = smallerList(best, \.damages)
    best = smallerSteps(best)
    best = smallerList(best, \.links)
    best = smallerList(best, \.copies)
    best = smallerList(best, \.files)
    for index in best.steps.indices { best = smallerWords(best, index) }
    for index in best.files.indices {
      if let json = try? JSON(parsing: best.files[index].bytes), json.members != nil {
        best = smallerJSON(best, index, json)
      } else {
        best = smallerBytes(best, index)
      }
    }
    return best
  }

  private mutating func stays(_ tried: FuzzCase) -> Bool {
    guard budget > 0 else { return false }
    budget -= 1
    return trial.run(tried)?.signature == signature
  }

  /// Without elements of a list that are not needed.
  private mutating func smallerList<Element>(
    _ tried: FuzzCase, _ list: WritableKeyPath<FuzzCase, [Element]>
  ) -> FuzzCase {
    var best = tried
    for index in tried[keyPath: list].indices.reversed() {
      var next = best
      next[keyPath: list].remove(at: index)
      if stays(next) { best = next }
    }
    return best
  }

  /// Without calls before the last one.
  private mutating func smallerSteps(_ tried: FuzzCase) -> FuzzCase {
    var best = tried
    for index in tried.steps.indices.dropLast().reversed() {
      var next = best
      next.steps.remove(at: index)
      if stays(next) { best = next }
    }
    return best
  }

  private mutating func smallerWords(_ tried: FuzzCase, _ step: Int) -> FuzzCase {
    var best = tried
    var place = best.steps[step].words.count
    while place > 0 {
      place -= 1
      // An option goes with its value, or alone.
      for count in [2, 1] where place + count <= best.steps[step].words.count {
        var next = best
        next.steps[step].words.removeSubrange(place..<place + count)
        if stays(next) {
          best = next
          break
        }
      }
    }
    return best
  }

  private mutating func smallerJSON(_ tried: FuzzCase, _ file: Int, _ json: JSON) -> FuzzCase {
    var best = tried
    var json = json
    var isSmaller = true
    while isSmaller, budget > 0 {
      isSmaller = false
      for place in JSONTree.places(in: json) {
        let smaller = JSONTree.replacing(place, by: nil, in: json)
        var next = best
        next.files[file].bytes = Array(smaller.pretty.utf8)
        if stays(next) {
          (best, json, isSmaller) = (next, smaller, true)
          break
        }
      }
    }
    return best
  }

  private mutating func smallerBytes(_ tried: FuzzCase, _ file: Int) -> FuzzCase {
    var best = tried
    var size = best.files[file].bytes.count / 2
    while size > 0, budget > 0 {
      var start = 0
      while start < best.files[file].bytes.count, budget > 0 {
        var next = best
        let end = min(start + size, next.files[file].bytes.count)
        next.files[file].bytes.removeSubrange(start..<end)
        if stays(next) { best = next } else { start += size }
      }
      size /= 4
    }
    return best
  }
}
