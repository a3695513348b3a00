import Client
import Tensor

/// The exchange that most methods share: some tensors go down as they are and come back as a
/// difference, Δ_k = w_k − w (local minus global, so servers add); others stay at the client.
///
/// What the scenario composes with a method lives here: private parameter groups and the
/// server's optimizer.
public struct ModelExchange: Sendable {
  /// Block name of the parameters, in both directions.
  public static let block = "model"
  /// Name of a client's private tensors in its memory.
  public static let privatePart = "private"

  /// The tensors that travel.
  public let shared: ParameterSelection
  /// The tensors that stay at each client.
  public let kept: ParameterSelection
  private let serverOptimizer: ServerOptimizer
  /// Parameters below this index are trained; from it on, batch norm's running statistics.
  private let trainedCount: Int
  /// What private tensors start from.
  private let initial: [Float]

  /// An exchange of the tensors of a layout that satisfy `included` (all by default) and are in no
  /// private group of the scenario.
  ///
  /// `privately`: tensors that the method itself keeps at each client; what is neither included nor
  /// kept stays as it is at the server.
  public init(
    _ problem: LearningProblem, where included: (ParameterLayout.Entry) -> Bool = { _ in true },
    privately: (ParameterLayout.Entry) -> Bool = { _ in false }
  ) {
    let groups = problem.composition.privateGroups
    func isPrivate(_ entry: ParameterLayout.Entry) -> Bool {
      privately(entry) || groups.contains { $0.contains(entry, of: problem.network) }
    }
    shared = ParameterSelection(problem.layout) { included($0) && !isPrivate($0) }
    kept = ParameterSelection(problem.layout) { included($0) && isPrivate($0) || privately($0) }
    serverOptimizer = problem.composition.serverOptimizer
    trainedCount = problem.layout.trainedCount
    initial = problem.initial
  }

  /// Whether every client has one and the same model: nothing is private.
  public var isCommon: Bool { kept.count == 0 }
  /// The models of a method that has no other than those of this exchange.
  public var models: ModelKinds { isCommon ? .generic : .personal }

  /// The download: the shared tensors of the server's model.
  public func download(_ server: ServerState) -> Payload {
    Payload(Self.block, shared, of: server.model)
  }

  /// The received tensors put into a full vector, over what the vector held.
  public func receive(_ received: Payload, into vector: inout [Float]) {
    received.block(Self.block).scatter(shared, into: &vector)
  }

  /// A client's full model: what it received, its private tensors, and the initial values of what
  /// is neither.
  ///
  /// O(1) when everything is shared: the server's vector itself.
  public func model(_ received: Payload, _ memory: ClientMemory) -> [Float] {
    if shared.isEverything { return received[Self.block] }
    var model = initial
    receive(received, into: &model)
    restore(memory, into: &model)
    return model
  }

  /// The server's model with a client's private tensors.
  public func model(_ server: ServerState, _ memory: ClientMemory) -> [Float] {
    if isCommon { return server.model }
    var model = server.model
    restore(memory, into: &model)
    return model
  }

  private func restore(_ memory: ClientMemory, into model: inout [Float]) {
    guard kept.count > 0 else { return }
    kept.scatter(memory[Self.privatePart] ?? kept.gather(initial), into: &model)
  }

  /// Keeps the private tensors of the device's model; nothing when all are shared, so that such a
  /// method has FedAvg's state, digest and checkpoint.
  public func remember(_ device: Device, _ memory: inout ClientMemory) {
    guard kept.count > 0 else { return }
    memory[Self.privatePart] = kept.gather(device.workspace.currentParameters)
  }

  /// The upload: the device's model minus what it received, shared tensors only.
  ///
  /// O(1): the model is lent, not copied, and the difference is taken where it is folded. The
  /// device may read its model afterwards, or go on training it in other memory.
  public func difference(_ device: Device, from received: Payload) -> Payload {
    var upload = Payload.empty
    upload.append(
      Self.block, shared, of: device.workspace.shareParameters(), minus: received.block(Self.block))
    return upload
  }

  /// The server's step by the mean update and the scenario's server optimizer; nothing when no
  /// upload came.
  ///
  /// Running statistics take the mean as it is: a server that overshoots would make a variance
  /// negative.
  public func apply(_ mean: [Float]?, to server: inout ServerState) {
    guard let mean else { return }
    let step = serverOptimizer.step(for: mean, &server.memory)
    apply(mean, scaledBy: Float(serverOptimizer.learningRate), step: step, to: &server.model)
  }

  /// w ← w + a·Δ on the shared tensors, whatever the scenario's server optimizer; nothing when no
  /// upload came.
  ///
  /// `a`: the server's step size. Running statistics always take 1: they are means, and a server
  /// that overshoots would make a variance negative.
  ///
  /// `step`: Δ of trained parameters, [shared.count], where it is not `mean` itself: a momentum,
  /// say. Running statistics always take `mean`.
  public func apply(
    _ mean: [Float]?, scaledBy a: Float = 1, step: [Float]? = nil, to model: inout [Float]
  ) {
    guard let mean else { return }
    let step = step ?? mean
    precondition(
      mean.count == shared.count && step.count == shared.count && model.count == shared.fullCount,
      "apply: [\(mean.count)], [\(step.count)] to [\(model.count)]")
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
