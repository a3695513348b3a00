import Base
import Client
import Tensor

/// What clients uploaded for the head models at the server: representations at one cut, soft
/// labels and labels, a row per example or per class.
package struct HeadRows: Sendable {
  package struct Part: Sendable, Equatable {
    /// h, [rows × d_s].
    package var representations: [Float] = []
    /// p, [rows × C].
    package var softLabels: [Float] = []
    /// y, [rows].
    package var labels: [Int32] = []
    /// How much each row counts, [rows]; all alike when empty.
    package var weights: [Float] = []
    /// d_s.
    package var width: Int

    package init(width: Int) { self.width = width }
  }

  /// The clients' rows, in a fixed order.
  package let parts: [Part]
  /// Each row's part and place in it.
  private let places: [(part: Int32, row: Int32)]

  /// The union of uploads.
  package init(_ parts: [Part]) {
    self.parts = parts
    places = parts.enumerated().flatMap { part, rows in
      rows.labels.indices.map { (Int32(part), Int32($0)) }
    }
  }

  package var count: Int { places.count }

  package func place(_ row: Int) -> (part: Part, row: Int) {
    (parts[Int(places[row].part)], Int(places[row].row))
  }
}

// MARK: - At a client

extension HeadRows.Part {
  /// h_i, p_i = σ_τ(z_i) and y_i of every example of a device, unaugmented, in evaluation mode and
  /// in the order of its examples.
  package init(of device: Device, at cut: Network.Cut, _ distillation: Distillation) {
    self.init(width: cut.shape.count)
    let classes = device.network.classes
    let width = width
    labels = device.examples.indices.map { Int32(device.label($0)) }
    var (h, z): ([Float], [Float]) = ([], [])
    h.reserveCapacity(labels.count * width)
    z.reserveCapacity(labels.count * classes)
    device.forEachBatch(of: device.examples) { range in
      h += device.workspace.representations(cut).prefix(range.count * width)
      z += device.workspace.logits.prefix(range.count * classes)
    }
    let rows = labels.count
    z.withUnsafeMutableBufferPointer { values in
      guard let values = values.baseAddress else { return }
      Distillation.softmax(
        values, rows: rows, classes: classes, temperature: distillation.temperature, into: values)
    }
    representations = h
    softLabels = z
  }

  /// The means of h and p over each class that is there, with the class's count; in the order of
  /// the classes.
  package func classMeans(_ classes: Int) -> HeadRows.Part {
    var means = HeadRows.Part(width: width)
    for c in 0..<classes {
      let members = labels.indices.filter { labels[$0] == Int32(c) }
      guard !members.isEmpty else { continue }
      means.representations += Self.mean(representations, members, width)
      means.softLabels += Self.mean(softLabels, members, classes)
      means.labels.append(Int32(c))
      means.weights.append(Float(members.count))
    }
    return means
  }

  private static func mean(_ values: [Float], _ rows: [Int], _ width: Int) -> [Float] {
    var sum = [Double](repeating: 0, count: width)
    for row in rows { for i in 0..<width { sum[i] += Double(values[row * width + i]) } }
    return sum.map { Float($0 / Double(rows.count)) }
  }
}

// MARK: - In a message

extension HeadRows.Part {
  /// Adds (h, p, y), and the weights as counts with `counts`.
  package func append(
    to payload: inout Payload, _ name: String, classes: Int, labels element: NamedShape.Element,
    counts: Bool
  ) {
    var tensors = [
      NamedShape("representations", [labels.count, width]),
      NamedShape("soft_labels", [labels.count, classes]),
      NamedShape("labels", [labels.count], element),
    ]
    if counts { tensors.append(NamedShape("counts", [labels.count], .int32)) }
    payload.append(
      name, tensors,
      values: representations + softLabels + labels.map(Float.init) + (counts ? weights : []))
  }

  /// What `append` made.
  package init(_ block: PayloadBlock) {
    self.init(width: block.tensors[0].shape[1])
    let values = block.values
    var at = 0
    let slices = block.tensors.map { tensor in
      defer { at += tensor.count }
      return Array(values[at..<at + tensor.count])
    }
    representations = slices[0]
    softLabels = slices[1]
    labels = slices[2].map { Int32(clamping: $0) }
    if slices.count > 3 { weights = slices[3] }
  }
}
