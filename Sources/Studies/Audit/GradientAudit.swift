import Aggregation
import Base
import Client
import Data
import Federation
import Scenario
import Tensor

/// Attacks on gradients that clients could send for the model, with and without defences.
///
/// Gradients are those of cross-entropy on single images, or on the mean of a few, at the model
/// as it is: the update of one step. More local steps tell less.
struct GradientAudit {
  let context: RunContext
  let model: [Float]
  let settings: AuditSettings
  let network: Network
  let victims: [Victim]
  /// What a normalised pixel can be, per channel.
  let box: [ClosedRange<Float>]
  /// A pixel's smallest value in the data's own units, and its largest minus that.
  let lowest: Double
  let range: Double

  /// Why gradients of a method are not attacked.
  struct Obstacle: Error { let reason: String }

  /// Some images of one client; read for gradients and scores only.
  struct Victim {
    let client: Int
    let indices: [Int]
    let labels: [Int]
    /// Normalised, one after the other.
    let pixels: [Float]
  }

  /// Chooses clients and images.
  init(_ scenario: Scenario, _ context: RunContext, _ model: [Float], _ settings: AuditSettings)
    throws(Obstacle)
  {
    var spec = scenario.model
    spec.dropout = []
    let built = try? Network(
      spec, input: context.network.input, classes: context.network.classes, inputGradient: true)
    let same: ([ParameterLayout.Entry]) -> [String] = { $0.map { "\($0.name) \($0.shape)" } }
    guard let built, same(built.layout.entries) == same(context.network.layout.entries) else {
      throw Obstacle(reason: "gradients not attacked: the method trains a network of its own")
    }
    self.context = context
    self.model = model
    self.settings = settings
    network = built
    (box, lowest, range) = Self.box(context)
    let most = max(settings.images, settings.batches.max() ?? 1)
    let inGroups = Set(context.problem.groups.flatMap { Array($0.clients) })
    var clients = context.split.clients.indices.filter {
      !context.split.clients[$0].isEmpty && !inGroups.contains($0)
    }
    var stream = RandomStream(seed: context.seed, .audit, step: 2)
    stream.shuffle(&clients)
    victims = clients.prefix(settings.clients).sorted().map { client in
      var indices = context.split.clients[client]
      var stream = RandomStream(seed: context.seed, .audit, client: client, step: 3)
      stream.shuffle(&indices)
      indices = Array(indices.prefix(most))
      let space = Workspace(built, capacity: indices.count, training: false)
      context.train.fill(space, indices)
      return Victim(
        client: client, indices: indices,
        labels: indices.map { Int(context.train.images.labels[$0]) },
        pixels: Array(space.input.prefix(indices.count * built.input.count)))
    }
    guard !victims.isEmpty else {
      throw Obstacle(reason: "gradients not attacked: no client with images has the main network")
    }
  }

  /// Bytes can have any value; of floats the test set, which belongs to nobody, shows the range,
  /// and half of it more is allowed on both sides.
  private static func box(_ context: RunContext) -> (
    box: [ClosedRange<Float>], lowest: Double, range: Double
  ) {
    let transform = context.train.transform
    var (low, high): (Float, Float) = (0, 1)
    func measure(_ least: Float?, _ most: Float?) {
      low = least ?? 0
      high = max(most ?? 1, low + .leastNormalMagnitude)
    }
    switch context.test.images.pixels {
    case .bytes: break
    case .floats(let values): measure(values.min(), values.max())
    case .halves(let values): measure(values.min().map(Float.init), values.max().map(Float.init))
    }
    let spare = context.test.images.isBytes ? 0 : (high - low) / 2
    let box = zip(transform.mean, transform.std).map { mean, deviation in
      let least = (low - spare - mean) / deviation
      return least...max(least, (high + spare - mean) / deviation)
    }
    return (box, Double(low), Double(high) - Double(low))
  }

  // MARK: - Attacks

  /// One attack on one gradient.
  struct Job {
    let attack: AuditSettings.Attack
    let victim: Int
    /// Places of the images in the victim's list.
    let places: Range<Int>
    let defence: GradientDefence?
  }

  /// What came of a job.
  package struct Outcome {
    var labelsRight = 0
    var scores: [ImageScore] = []
    var featureErrors: [Double] = []
    /// Normalised reconstructions and their labels, in the order of the originals.
    var images: [[Float]] = []
    var labels: [Int] = []
  }

  /// Adds rows and pictures to a run.
  func fill(_ run: inout AuditedRun) {
    let clip = settings.clip ?? medianLength
    run.clip = clip
    let jobs = jobs(clip)
    let outcomes = context.pool.map(jobs.count) { _, index in attack(jobs[index]) }
    var rows: [(key: Job, outcomes: [Outcome])] = []
    for (job, outcome) in zip(jobs, outcomes) {
      let known = rows.firstIndex {
        $0.key.attack == job.attack && $0.key.places.count == job.places.count
          && $0.key.defence == job.defence
      }
      if let known { rows[known].outcomes.append(outcome) } else { rows.append((job, [outcome])) }
    }
    run.inversion = rows.map { row($0.key, $0.outcomes) }
    run.pictures = pictures(jobs, outcomes)
    if AnalyticInversion(network) == nil, settings.attacks.contains(.analytic) {
      run.notes.append("analytic attack gives labels only: no trained dense layer with a bias")
    }
    if context.problem.settings.loss != .crossEntropy {
      run.notes.append("gradients are those of cross-entropy, not of the method's loss")
    }
  }

  /// The median norm of the single gradients; 1 where all are 0.
  private var medianLength: Double {
    let probe = GradientProbe(network, capacity: 1)
    let lengths = victims.flatMap { victim in
      (0..<min(settings.images, victim.indices.count)).map { place in
        Norm.length(gradient(victim, place..<place + 1, probe))
      }
    }
    let median = Self.median(lengths) ?? 1
    return median > 0 && median.isFinite ? median : 1
  }

  private func jobs(_ clip: Double) -> [Job] {
    var jobs: [Job] = []
    for attack in [AuditSettings.Attack.analytic, .cosine, .squares]
    where settings.attacks.contains(attack) {
      var defences: [GradientDefence?] = [nil]
      if attack != .squares {
        defences += settings.noises.map { GradientDefence(clip: clip, noise: $0) }
      }
      for defence in defences {
        for (number, victim) in victims.enumerated() {
          for place in 0..<min(settings.images, victim.indices.count) {
            jobs.append(
              Job(attack: attack, victim: number, places: place..<place + 1, defence: defence))
          }
        }
      }
      for batch in settings.batches where batch > 1 {
        for (number, victim) in victims.enumerated() where victim.indices.count >= batch {
          jobs.append(Job(attack: attack, victim: number, places: 0..<batch, defence: nil))
        }
      }
    }
    return jobs
  }

  /// The client's side: the gradient of the mean loss of some of its images.
  private func gradient(_ victim: Victim, _ places: Range<Int>, _ probe: GradientProbe) -> [Float] {
    let size = network.input.count
    return probe.gradient(
      model, Array(victim.pixels[places.lowerBound * size..<places.upperBound * size]),
      Array(victim.labels[places]))
  }

  private func attack(_ job: Job) -> Outcome {
    let victim = victims[job.victim]
    let probe = GradientProbe(network, capacity: job.places.count)
    var seen = gradient(victim, job.places, probe)
    // The same noise in every attack on an image, whatever σ: only its size changes.
    let example = victim.indices[job.places.lowerBound]
    if let defence = job.defence {
      seen = defence.protect(seen, stream(.gradientNoise, victim, example))
    }
    // From here on the attacker knows the gradient alone; `victim` is read again for scores.
    let labels = AnalyticInversion.labels(from: seen, network: network, batch: job.places.count)
    var outcome = Outcome()
    outcome.labelsRight = Self.common(labels, Array(victim.labels[job.places]))
    switch job.attack {
    case .membership, .canary, .oneRun, .labelCounts: break
    case .analytic: analytic(seen, victim, job.places, probe, labels, &outcome)
    case .cosine, .squares:
      let cost: GradientInversion.Cost =
        job.attack == .cosine ? .cosine(totalVariation: settings.totalVariation) : .squares
      let known = GradientInversion.Knowledge(model: model, labels: labels, box: box)
      var stream = stream(.inversion, victim, example, batch: job.places.count)
      let found = GradientInversion(cost: cost, iterations: settings.iterations).images(
        from: seen, known, probe, &stream)
      let size = network.input.count
      score(
        labels.indices.map { Array(found[$0 * size..<($0 + 1) * size]) }, labels, victim,
        job.places, &outcome)
    }
    return outcome
  }

  /// The random numbers of an attack on a victim's example; `batch` where they are others for each
  /// size of a batch.
  private func stream(
    _ phase: StreamAddress.Phase, _ victim: Victim, _ example: Int, batch: Int = 0
  ) -> RandomStream {
    RandomStream(
      StreamAddress(
        seed: context.seed, .audit, round: batch, client: victim.client, phase: phase, step: example
      ))
  }

  private func analytic(
    _ seen: [Float], _ victim: Victim, _ places: Range<Int>, _ probe: GradientProbe,
    _ labels: [Int], _ outcome: inout Outcome
  ) {
    guard let attack = AnalyticInversion(network) else { return }
    let size = network.input.count
    if attack.readsInput {
      var found = places.count == 1 ? attack.input(from: seen).map { [$0] } ?? [] : []
      if places.count > 1 { found = best(attack.candidates(from: seen), victim, places) }
      guard found.count == places.count else { return }
      score(found.map(clamped), labels, victim, places, &outcome)
    } else if places.count == 1, let found = attack.input(from: seen) {
      let image = Array(victim.pixels[places.lowerBound * size..<places.upperBound * size])
      probe.run(model, image, Array(victim.labels[places]))
      let slot = attack.layer.input
      let truth = probe.workspace.slotValues(slot, count: attack.layer.inputs)
      let apart = zip(found, truth).map { $0 - $1 }
      let length = Norm.length(truth)
      outcome.featureErrors.append(length > 0 ? Norm.length(apart) / length : .infinity)
    }
  }
}

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
    let transform = context.train.transform
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
