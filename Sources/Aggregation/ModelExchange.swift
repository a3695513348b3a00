import Client
import Tensor

/// The exchange that most methods share: some tensors go down as they are and come back as a
/// difference, Δ_k = w_k − w (local minus global, so servers add).
public struct ModelExchange: Sendable {
  /// Block name of the parameters, in both directions.
  public static let block = "model"

  /// The tensors that travel.
  public let shared: ParameterSelection
  /// Parameters below this index are trained; from it on, batch norm's running statistics.
  private let trainedCount: Int

  /// An exchange of the tensors of a layout that satisfy `included`; of all by default.
  public init(
    _ problem: LearningProblem,
    where included: (ParameterLayout.Entry) -> Bool = { _ in true }
  ) {
    shared = ParameterSelection(problem.layout, where: included)
    trainedCount = problem.layout.trainedCount
  }

  /// The download: the shared tensors of the server's model.
  public func download(_ server: ServerState) -> Payload {
    Payload(Self.block, shared, of: server.model)
  }

  /// The received tensors put into a full vector, over what the vector held.
  public func receive(_ received: Payload, into vector: inout [Float]) {
    received.block(Self.block).scatter(shared, into: &vector)
  }

  /// The upload: the device's model minus what it received, shared tensors only.
  ///
  /// O(1): the model is lent, not copied, and the difference is taken where it is folded. The
  /// device may read its model afterwards, or go on training it in other memory.
  public func difference(_ device: Device, from received: Payload) -> Payload {
    var upload = Payload.empty
    upload.append(
      Self.block,
      shared,
      of: device.workspace.shareParameters(),
      minus: received.block(Self.block)
    )
    return upload
  }

  /// w ← w + a·Δ on the shared tensors; nothing when no upload came.
  ///
  /// `a`: the server's step size. Running statistics always take 1: they are means, and a server
  /// that overshoots would make a variance negative.
  ///
  /// `step`: Δ of trained parameters, [shared.count], where it is not `mean` itself: a momentum,
  /// say. Running statistics always take `mean`.
  public func apply(
    _ mean: [Float]?,
    scaledBy a: Float = 1,
    step: [Float]? = nil,
    to model: inout [Float]
  ) {
    guard let mean else { return }
    let step = step ?? mean
    precondition(
      mean.count == shared.count && step.count == shared.count && model.count == shared.fullCount,
      "apply: [\(mean.count)], [\(step.count)] to [\(model.count)]"
    )
    model.withUnsafeMutableBufferPointer { model in
      var start = 0
      for range in shared.ranges {
        let trained = max(0, min(range.upperBound, trainedCount) - range.lowerBound)
        for i in 0..<trained { model[range.lowerBound + i] += a * step[start + i] }
        for i in trained..<range.count { model[range.lowerBound + i] += mean[start + i] }
        start += range.count
      }
    }
  }
}
