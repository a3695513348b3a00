import Aggregation
import Base
import Client
import Tensor

/// What a worker hands over: both messages of a client, and what it remembers.
struct ClientMessage: Sendable {
  /// What the client read.
  var received: Payload
  /// Bytes of the message that carried it.
  var downBytes: Int
  /// What was sent to it, where that was encoded.
  var down: CodedMessage?
  /// What it made of that; its upload is what the server reads.
  var update: ClientUpdate
  /// What was sent to the server, where that was encoded.
  var up: CodedMessage?
  /// What the client remembers when its message arrives.
  var state: ClientState
  /// What the update looks like, where its upload is something else.
  var template: Payload?
  /// Floating-point operations of its passes through networks.
  var flops = 0
  /// Seconds that its worker spent on it.
  var seconds = 0.0
  /// Those of them that encoding and decoding took.
  var codingSeconds = 0.0
  /// What stages on the client tell their halves at the server.
  var notes = Notes()

  var upBytes: Int { up?.byteCount ?? update.upload.byteCount }
  /// The update, whatever was sent of it.
  var shape: Payload { template ?? update.upload }

  /// The same with an upload that holds no worker's memory.
  var withOwnValues: ClientMessage {
    var copy = self
    copy.update.upload = update.upload.materialised
    return copy
  }
}

/// A message: what its receiver reads, and its buffers where it was encoded.
struct Delivery: Sendable {
  var payload: Payload
  /// nil for plain numbers.
  var message: CodedMessage?
  /// Time of encoding and decoding.
  var seconds = 0.0

  init(_ payload: Payload) { self.payload = payload }

  var byteCount: Int { message?.byteCount ?? payload.byteCount }
}

/// One client's part of an exchange: download, local training, upload.
///
/// A value with a snapshot of all that it reads, so that workers share it and the compiler knows.
/// Whoever makes it lets go of it before the server moves the model: else the model is copied.
struct ClientTask: Sendable {
  let context: RunContext
  let method: any Strategy
  /// The server as it is before anybody answers.
  let server: ServerState
  /// What happens to messages on clients, in order.
  let stages: [any ClientStage]

  /// What a client reads of what it is sent.
  func deliver(_ turn: ClientTurn, _ state: ClientState) throws(RoundFailure) -> Delivery {
    var delivery = Delivery(method.download(server, to: turn.client))
    for stage in stages.reversed() { try stage.receive(&delivery, turn, state) }
    return delivery
  }

  /// A client's part; where it takes too long, as often as it takes to find work that fits.
  ///
  /// - Parameters:
  ///   - job: whose and on what.
  ///   - settings: what the client is asked to do.
  ///   - turn: when and on which worker.
  ///   - state: what the client remembers.
  ///   - delivery: what it read when it started; nil to be sent something now.
  /// - Returns: what it hands over, or why not.
  func run(
    _ job: RoundJobs.Job, _ settings: LocalSettings, _ turn: ClientTurn, _ state: ClientState,
    delivery: Delivery? = nil
  ) -> Result<ClientMessage, RoundFailure> {
    do throws(RoundFailure) {
      var settings = settings
      while true {
        let message = try train(job, settings, turn, state, delivery)
        guard let shorter = shortened(message, job, settings) else { return .success(message) }
        settings = shorter
      }
    } catch { return .failure(error) }
  }

  private func shortened(_ message: ClientMessage, _ job: RoundJobs.Job, _ settings: LocalSettings)
    -> LocalSettings?
  {
    for stage in stages {
      if let shorter = stage.shortened(message, job, settings) { return shorter }
    }
    return nil
  }

  private func train(
    _ job: RoundJobs.Job, _ settings: LocalSettings, _ turn: ClientTurn, _ state: ClientState,
    _ delivery: Delivery?
  ) throws(RoundFailure) -> ClientMessage {
    let spaces = context.spaces(of: job.client)
    let before = spaces.flops(turn.worker)
    let start = SystemClock.steady()
    var device = context.device(
      client: job.client, round: turn.round, examples: job.examples, worker: turn.worker,
      settings: settings, phase: .start(turn.number),
      privacy: stages.lazy.compactMap { $0.training(turn, state) }.first)
    let received: Delivery
    if let delivery { received = delivery } else { received = try deliver(turn, state) }
    var state = state
    let update = try RoundFailure.diverging { () throws(Divergence) in
      try method.train(&device, received: received.payload, memory: &state.method)
    }
    if context.checksUploads, !stages.contains(where: \.clearsNonFinite),
      let tensor = update.upload.blocks.lazy.compactMap(\.firstNonFinite).first
    {
      throw .diverged(device.divergence(upload: tensor))
    }
    var message = ClientMessage(
      received: received.payload, downBytes: received.byteCount, down: received.message,
      update: update, state: state, flops: spaces.flops(turn.worker) - before,
      codingSeconds: received.seconds)
    for stage in stages { try stage.leave(&message, device, turn) }
    message.seconds = SystemClock.steady() - start
    return message
  }
}
