import Base
import Client
import Tensor

extension LinearHead {
  /// Epochs of cross-entropy on given features, in a new random order each.
  ///
  /// `features`: [n × d]; `labels`: [n]; the last batch of an epoch may be shorter.
  ///
  /// `order`: the stream that an epoch's order is drawn from.
  ///
  /// - Complexity: 6·epochs·n·C·d floating-point operations.
  package mutating func train(
    on features: [Float], labels: [Int32], epochs: Int, batch: Int, learningRate: Double,
    order: (Int) -> RandomStream
  ) {
    var rows = [Float](repeating: 0, count: batch * width)
    var chosen = [Int32](repeating: 0, count: batch)
    for epoch in 0..<epochs {
      var stream = order(epoch)
      let places = stream.permutation(labels.count)
      for start in stride(from: 0, to: places.count, by: batch) {
        let part = places[start..<min(start + batch, places.count)]
        for (row, place) in part.enumerated() {
          chosen[row] = labels[place]
          for i in 0..<width { rows[row * width + i] = features[place * width + i] }
        }
        _ = accumulate(
          features: rows, labels: chosen, count: part.count, loss: SoftmaxCrossEntropy(),
          totalWeight: Double(part.count))
        step(learningRate: learningRate)
      }
    }
  }
}
