import Base
import Client
import Foundation
import Tensor
import TestSupport
import Testing

@Suite("Measuring a model")
struct MeasurementTests {
  @Test("confusion and losses are those of a plain loop over images", arguments: [1, 7, 16])
  func naive(_ capacity: Int) throws {
    let fixture = try DeviceFixture("dense a 5 1; relu; dense b 40 1")
    let space = Workspace(fixture.network, capacity: capacity, training: false)
    let parameters = fixture.network.layout.initialParameters(.he, seed: 2)
    space.load(parameters)
    let indices = [3, 39, 0, 17, 17, 22, 8, 31, 2, 5, 6, 7, 11, 13, 19, 23, 29]
    let measured = fixture.network.measure(space, fixture.loader, indices)

    let reference = ReferenceNetwork(fixture.network, parameters)
    guard case .floats(let pixels) = fixture.images.pixels else { return }
    var confusion = [Int](repeating: 0, count: 1600)
    var losses = [Double](repeating: 0, count: 40)
    var gap = 0.0
    for index in indices {
      let input = pixels[index * 6..<(index + 1) * 6].map(Double.init)
      let logits = reference.logits(input, batch: 1)
      let winner = logits.indices.max { logits[$0] < logits[$1] } ?? 0
      confusion[index * 40 + winner] += 1
      let exponentials = logits.map { exp($0 - logits[winner]) }
      gap += (winner == index ? 1 : 0) - 1 / exponentials.reduce(0, +)
      losses[index] += ReferenceLoss.crossEntropy(logits, labels: [index], classes: 40)
    }
    #expect(measured.confusion == confusion)
    #expect(measured.classCounts == (0..<40).map { c in indices.count { $0 == c } })
    let bound = 4 * Rounding.forward(fixture.network, batch: 1)
    // Over all bins together, without the absolute values that make it an error of calibration.
    let bins = measured.calibration
    let found = Double(bins.correct.reduce(0, +)) - bins.confidence.reduce(0, +)
    #expect(bins.total == indices.count)
    #expect(abs(found - gap) <= bound * Double(indices.count))
    for c in 0..<40 { #expect(abs(measured.lossByClass[c] - losses[c]) <= bound * (1 + losses[c])) }
  }

  @Test("parts add up to the whole")
  func parts() throws {
    let fixture = try DeviceFixture()
    let space = Workspace(fixture.network, capacity: 16, training: false)
    space.load(fixture.network.layout.initialParameters(.he, seed: 2))
    let whole = fixture.network.measure(space, fixture.loader, Array(0..<40))
    var sum = fixture.network.measure(space, fixture.loader, Array(0..<16))
    sum.add(fixture.network.measure(space, fixture.loader, Array(16..<40)))
    #expect(sum.confusion == whole.confusion)
    #expect(sum.lossByClass == whole.lossByClass)
    #expect(sum.calibration.counts == whole.calibration.counts)
    #expect(sum.calibration.correct == whole.calibration.correct)
    // Sums of up to 40 confidences in two orders: as many roundings of at most 40.
    for (a, b) in zip(sum.calibration.confidence, whole.calibration.confidence) {
      #expect(abs(a - b) <= 40 * 40 * .ulpOfOne)
    }
  }

  @Test("within a mask, what is measured is a softmax over its classes, on images of them alone")
  func masks() throws {
    let fixture = try DeviceFixture("dense a 5 1; relu; dense b 40 1")
    let space = Workspace(fixture.network, capacity: 7, training: false)
    let parameters = fixture.network.layout.initialParameters(.he, seed: 2)
    space.load(parameters)
    let reference = ReferenceNetwork(fixture.network, parameters)
    guard case .floats(let pixels) = fixture.images.pixels else { return }
    var stream = RandomStream(seed: 3, .test)
    let masks = (0..<50).compactMap { _ in ClassMask((0..<40).map { _ in stream.below(3) == 0 }) }
    let found = fixture.network.measure(space, fixture.loader, Array(0..<40), within: [nil] + masks)
    #expect(found[0] == fixture.network.measure(space, fixture.loader, Array(0..<40)))
    #expect(ClassMask([false, false]) == nil)
    let bound = 4 * Rounding.forward(fixture.network, batch: 1)
    for (mask, measured) in zip(masks, found.dropFirst()) {
      #expect(measured.classCounts == mask.allows.map { $0 ? 1 : 0 })
      for label in 0..<40 where mask.allows[label] {
        let input = pixels[label * 6..<(label + 1) * 6].map(Double.init)
        let logits = reference.logits(input, batch: 1)
        let kept = logits.indices.filter { mask.allows[$0] }
        let winner = kept.max { logits[$0] < logits[$1] } ?? 0
        #expect(measured.confusion[label * 40 + winner] == 1)
        let loss = ReferenceLoss.crossEntropy(
          kept.map { logits[$0] }, labels: [kept.firstIndex(of: label) ?? 0], classes: kept.count)
        #expect(abs(measured.lossByClass[label] - loss) <= bound * (1 + loss))
      }
    }
  }

  @Test("equal logits go to the lowest class, and nothing is measured on no image")
  func ties()
    throws
  {
    let fixture = try DeviceFixture()
    let space = Workspace(fixture.network, capacity: 4, training: false)
    space.load([Float](repeating: 0, count: fixture.network.layout.count))
    let measured = fixture.network.measure(space, fixture.loader, [5, 9])
    #expect(measured.confusion[5 * 40] == 1)
    #expect(measured.confusion[9 * 40] == 1)
    let nothing = fixture.network.measure(space, fixture.loader, [])
    #expect(nothing == Measurement(classes: 40))
  }

  @Test("measuring leaves no trace of dropout or augmentation, whatever came before")
  func evaluationMode() throws {
    let fixture = try DeviceFixture("dense a 5 1; relu; dropout 0.5; dense b 40 1")
    let before = fixture.network.measure(fixture.workspace, fixture.loader, Array(0..<40))
    fixture.network.forward(fixture.workspace, batch: 4, training: true, dropoutKey: 77)
    let after = fixture.network.measure(fixture.workspace, fixture.loader, Array(0..<40))
    #expect(before == after)
  }
}
