import Base
import Client
import Federation
import Tensor

/// What was found beside what is true: the only place, besides the clients' gradients, that reads
/// clients' images.
extension GradientAudit {
  /// Of many candidates, the one next to each original: what an eye would pick out.
  func best(_ candidates: [[Float]], _ victim: Victim, _ places: Range<Int>) -> [[Float]] {
    let size = network.input.count
    let shown = candidates.map(clamped)
    return places.compactMap { place in
      let truth = Array(victim.pixels[place * size..<(place + 1) * size])
      let errors = shown.map { ImageScore.meanSquare($0, truth) }
      return errors.indices.min { errors[$0] < errors[$1] }.map { shown[$0] }
    }
  }

  /// Matches reconstructions with originals and scores each pair in the data's own units.
  func score(
    _ found: [[Float]], _ labels: [Int], _ victim: Victim, _ places: Range<Int>,
    _ outcome: inout Outcome
  ) {
    let size = network.input.count
    let truths = places.map { place in
      pixels(Array(victim.pixels[place * size..<(place + 1) * size]))
    }
    let shown = found.map(pixels)
    let costs = truths.map { truth in shown.map { ImageScore.meanSquare($0, truth) } }
    let matches = Assignment.cheapest(costs)
    for (truth, match) in zip(truths, matches) {
      outcome.scores.append(ImageScore(shown[match], truth, range: range, shape: network.input))
      outcome.images.append(found[match])
      outcome.labels.append(labels[match])
    }
  }

  func clamped(_ image: [Float]) -> [Float] {
    image.indices.map { place in
      let range = box[place % box.count]
      let value = image[place].isNaN ? 0 : image[place]
      return min(max(value, range.lowerBound), range.upperBound)
    }
  }

  /// A normalised image in the data's own units.
  func pixels(_ image: [Float]) -> [Float] {
    let transform = arena.train.transform
    let channels = transform.mean.count
    return image.indices.map { place in
      image[place] * transform.std[place % channels] + transform.mean[place % channels]
    }
  }

  func row(_ job: Job, _ outcomes: [Outcome]) -> InversionRow {
    let images = outcomes.count * job.places.count
    let scores = outcomes.flatMap(\.scores)
    var row = InversionRow(
      attack: job.attack, batch: job.places.count, defence: job.defence, images: images,
      labels: Double(outcomes.map(\.labelsRight).reduce(0, +)) / Double(max(1, images)))
    row.psnr = Self.median(scores.map(\.psnr))
    row.ssim = Self.median(scores.map(\.ssim))
    if !scores.isEmpty { row.exact = Double(scores.count { $0.psnr > 60 }) / Double(scores.count) }
    row.featureError = Self.median(outcomes.flatMap(\.featureErrors))
    return row
  }

  /// The middle value, the lower of two; nil of nothing.
  static func median(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.sorted()[(values.count - 1) / 2]
  }

  /// How many labels two lists have in common, each counted as often as in both.
  static func common(_ found: [Int], _ truth: [Int]) -> Int {
    var rest = truth
    var count = 0
    for label in found {
      guard let place = rest.firstIndex(of: label) else { continue }
      rest.remove(at: place)
      count += 1
    }
    return count
  }

  // MARK: - Pictures

  /// Thumbnails of single images: the original, then every attack and defence.
  func pictures(_ jobs: [Job], _ outcomes: [Outcome]) -> [AuditPicture] {
    let size = network.input.count
    var pictures: [AuditPicture] = []
    var image = 0
    for (number, victim) in victims.enumerated() {
      for place in 0..<min(settings.images, victim.indices.count) {
        func picture(_ title: String, _ label: Int, _ score: ImageScore?, _ values: [Float])
          -> AuditPicture
        {
          AuditPicture(
            image: image, title: title, label: label, score: score, client: victim.client,
            pixels: bytes(values), shape: network.input)
        }
        let truth = Array(victim.pixels[place * size..<(place + 1) * size])
        var list = [picture("original", victim.labels[place], nil, truth)]
        for (job, outcome) in zip(jobs, outcomes)
        where job.victim == number && job.places == place..<place + 1 && !outcome.images.isEmpty {
          list.append(
            picture(
              AuditWords.title(job.attack, job.defence), outcome.labels[0], outcome.scores[0],
              outcome.images[0]))
        }
        if list.count > 1 { pictures += list }
        image += 1
      }
    }
    return pictures
  }

  /// 0…255 over the range of the pixels.
  func bytes(_ image: [Float]) -> [UInt8] {
    return pixels(image).map { value in
      guard value.isFinite else { return 0 }
      let share = (Double(value) - lowest) / range
      return UInt8(clamping: min(255, max(0, (255 * share).rounded())))
    }
  }
}
