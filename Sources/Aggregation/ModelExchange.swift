import Client
import Tensor

/// The exchange that most methods share: some tensors go down as they are and come back as a
/// difference, Δ_k = w_k − w (local minus global, so servers add).
public struct ModelExchange: Sendable {
  /// Block name of the parameters, in both directions.
  public static let block = "model"

  /// The tensors that travel.
  public let shared: ParameterSelection

  /// An exchange of some tensors.
  public init(_ shared: ParameterSelection) { self.shared = shared }

  /// An exchange of the whole model.
  public init(_ problem: LearningProblem) { self.init(ParameterSelection(all: problem.layout)) }

  /// The download: the shared tensors of the server's model.
  public func download(_ server: ServerState) -> Payload {
    Payload(Self.block, shared, of: server.model)
  }

  /// The received tensors put into a full vector, over what the vector held.
  public func receive(_ received: Payload, into vector: inout [Float]) {
    shared.scatter(received[Self.block], into: &vector)
  }

  /// The upload: the device's model minus what it received, shared tensors only.
  public func difference(_ device: Device, from received: Payload) -> Payload {
    let before = received[Self.block]
    var delta = [Float](repeating: 0, count: shared.count)
    var start = 0
    for range in shared.ranges {
      for i in 0..<range.count {
        delta[start + i] = device.workspace.parameters[range.lowerBound + i] - before[start + i]
      }
      start += range.count
    }
    var upload = Payload.empty
    upload.append(Self.block, shared, gathered: delta)
    return upload
  }

  /// w ← w + a·Δ on the shared tensors; nothing when no upload came.
  public func apply(_ mean: [Float]?, scaledBy a: Float = 1, to model: inout [Float]) {
    guard let mean else { return }
    var start = 0
    for range in shared.ranges {
      for i in 0..<range.count { model[range.lowerBound + i] += a * mean[start + i] }
      start += range.count
    }
  }
}
