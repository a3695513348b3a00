import Tensor
import TestSupport
import Testing

/// Losses of long-tailed and distillation methods against PyTorch's autograd (golden_losses.py).
@Suite("Long-tailed losses against PyTorch")
struct GoldenLossTests {
  @Test("Margins, scale and focus, alone and together", arguments: GoldenFile.names("tail"))
  func tails(name: String) throws {
    let golden = try GoldenFile(name)
    let logits = try golden.floats("logits")
    let labels = try golden.labels().map(Int32.init)
    let loss = SoftmaxCrossEntropy(
      offsets: golden.file["offsets"]?.values, weights: golden.file["weights"]?.values,
      margins: golden.file["margins"]?.values, scale: Float(try golden.number("scale")),
      focus: Float(try golden.number("focus")))
    var gradient = [Float](repeating: .nan, count: logits.count)
    let result = loss.evaluate(
      logits: logits, labels: labels, batch: labels.count, classes: 5, gradient: &gradient)
    // Sixteen roundings, but those of u = s·z + o are as large as u: the loss and, by dp = p·du,
    // every probability feel them.
    let largest = logits.map { Double(abs($0)) }.max() ?? 0
    let bound = 16 * Rounding.unit * (1 + Double(loss.scale) * largest / 8)
    expectClose(
      [Float(result.lossSum / result.weight)], try golden.doubles("loss"), bound: bound, floor: 1,
      "loss")
    expectClose(gradient, try golden.doubles("grad"), bound: bound, "gradient")
  }

  @Test("KL at three temperatures", arguments: GoldenFile.names("distillation"))
  func distillation(
    name: String
  ) throws {
    let golden = try GoldenFile(name)
    let (logits, teacher) = (try golden.floats("logits"), try golden.floats("teacher"))
    let (rows, classes) = (7, 5)
    let loss = Distillation(temperature: Float(try golden.number("temperature")))
    // Sixteen roundings, of z/τ among them, whose size is up to 10/τ.
    let bound = 16 * Rounding.unit * max(1, 2 / Double(loss.temperature))
    var targets = [Float](repeating: .nan, count: rows * classes)
    Distillation.softmax(
      teacher, rows: rows, classes: classes, temperature: loss.temperature, into: &targets)
    expectClose(targets, try golden.doubles("targets"), bound: bound, "softmax")
    var gradient = [Float](repeating: 0, count: rows * classes)
    let value = loss.evaluate(
      logits: logits, targets: targets, rows: rows, classes: classes, addingTo: &gradient)
    expectClose([Float(value)], try golden.doubles("loss"), bound: bound, "loss")
    expectClose(gradient, try golden.doubles("grad"), bound: bound, "gradient")

    // Twice the temperature from the probabilities alone, where none is below the clamp.
    let seen = (0..<rows).filter { row in
      targets[row * classes..<(row + 1) * classes].allSatisfy { $0 > 1e-7 }
    }
    #expect(seen.count > 2)
    Distillation.temper(targets, rows: rows, classes: classes, temperature: 2, into: &targets)
    let truth = try golden.doubles("tempered")
    for row in seen {
      let range = row * classes..<(row + 1) * classes
      expectClose(Array(targets[range]), Array(truth[range]), bound: bound, "tempered row \(row)")
    }
  }
}
