import Aggregation
import Base
import Client
import Records
import Tensor

/// Something that a round does besides learning: it looks at messages, changes them, or decides
/// what becomes of them.
///
/// A run has one ordered list of stages (`StageList`). A client's upload passes through it in
/// order; the server, which undoes and counts what clients did, goes through it in reverse. Each
/// hook has a default that does nothing, so that a stage is as long as what it has to say.
///
/// The hooks below are the server's and run on the one thread that runs the rounds, in this order:
/// `beginRound` and `choose` once; then for each exchange `prepare`, `begin`, `arrive` for each
/// upload in the order of the jobs, `settle`, `willStep` and `didStep` if the server makes a step,
/// and `endExchange`; at last `endRound`. What happens on clients is in the `ClientStage` that
/// `prepare` returns: a value that workers may share.
protocol MessageStage: AnyObject {
  /// What the names of its tensors begin with, before a point; nil for a stage without memory.
  var sectionName: String? { get }
  /// What it remembers at the server, hashed into the digests and kept in checkpoints.
  var section: StateTensors { get set }
  /// What it keeps in checkpoints besides, such as the time; no part of the digest. Setting it gets
  /// what all stages kept.
  var progress: StateTensors { get set }

  /// Before a round: forgets the last one.
  func beginRound(_ round: Round)
  /// May choose the cohort, or leave clients out of it.
  func choose(_ round: Round) throws(RoundFailure)
  /// Before an exchange: may leave out jobs; returns what clients do, nil for nothing.
  func prepare(_ exchange: Exchange) throws(RoundFailure) -> (any ClientStage)?
  /// After all stages are prepared, before anybody trains.
  func begin(_ exchange: Exchange) throws(RoundFailure)
  /// One client's message is there, or known to be lost; may take its upload away from the method.
  func arrive(_ arrival: inout Arrival, _ exchange: Exchange)
  /// After the last arrival: uploads that reach the method only now.
  func settle(_ exchange: Exchange) throws(RoundFailure) -> [WeightedUpload]
  /// The server is about to make its step.
  func willStep(_ exchange: Exchange)
  /// The server has made its step.
  func didStep(_ exchange: Exchange)
  /// The exchange is over.
  func endExchange(_ exchange: Exchange)
  /// The round is over, and its digest is not taken yet.
  func endRound(_ round: Round) throws(RoundFailure)
  /// Its part of the round's record and of the files beside it.
  func describe(_ lines: inout RoundParts)
}

extension MessageStage {
  var sectionName: String? { nil }
  var section: StateTensors {
    get { StateTensors() }
    set {}
  }
  var progress: StateTensors {
    get { StateTensors() }
    set {}
  }
  func beginRound(_ round: Round) {}
  func choose(_ round: Round) throws(RoundFailure) {}
  func prepare(_ exchange: Exchange) throws(RoundFailure) -> (any ClientStage)? { nil }
  func begin(_ exchange: Exchange) throws(RoundFailure) {}
  func arrive(_ arrival: inout Arrival, _ exchange: Exchange) {}
  func settle(_ exchange: Exchange) throws(RoundFailure) -> [WeightedUpload] { [] }
  func willStep(_ exchange: Exchange) {}
  func didStep(_ exchange: Exchange) {}
  func endExchange(_ exchange: Exchange) {}
  func endRound(_ round: Round) throws(RoundFailure) {}
  func describe(_ lines: inout RoundParts) {}
}

/// What every message stage of a run works with.
struct StageContext {
  let method: any Strategy
  let context: RunContext
  /// Everything that moves; stages read it, and write what is theirs.
  let state: RunState
}

/// A stage's half on the clients of one exchange.
///
/// Runs on workers, many clients at a time.
protocol ClientStage: Sendable {
  /// Changes what the client reads of what it was sent; the last stage comes first.
  func receive(_ delivery: inout Delivery, _ turn: ClientTurn, _ state: ClientState)
    throws(RoundFailure)
  /// How the client's gradients are made private; nil when this is nothing to the stage.
  func training(_ turn: ClientTurn, _ state: ClientState) -> PrivateTraining?
  /// Changes what leaves the client, and what it remembers of that; the first stage comes first.
  func leave(_ message: inout ClientMessage, _ device: Device, _ turn: ClientTurn)
    throws(RoundFailure)
  /// Settings under which the client has to train again, because what it did took too long; nil to
  /// take it as it is.
  func shortened(_ message: ClientMessage, _ job: RoundJobs.Job, _ settings: LocalSettings)
    -> LocalSettings?
  /// Whether an upload that is not finite becomes nothing by itself.
  var clearsNonFinite: Bool { get }
}

extension ClientStage {
  func receive(_ delivery: inout Delivery, _ turn: ClientTurn, _ state: ClientState)
    throws(RoundFailure)
  {}
  func training(_ turn: ClientTurn, _ state: ClientState) -> PrivateTraining? { nil }
  func leave(_ message: inout ClientMessage, _ device: Device, _ turn: ClientTurn)
    throws(RoundFailure)
  {}
  func shortened(_ message: ClientMessage, _ job: RoundJobs.Job, _ settings: LocalSettings)
    -> LocalSettings?
  { nil }
  var clearsNonFinite: Bool { false }
}

/// Who does its part, when, and where.
struct ClientTurn: Sendable {
  let client: Int
  /// The round in which it started.
  let round: Int
  /// The exchange of the round, from 0; for clients that come and go, how often it was started in
  /// the round before.
  let number: Int
  let worker: Int
}

/// A round on its way: who takes part, and what all of them did together.
package final class Round {
  /// From 1.
  let number: Int
  /// Whether the server waits for the cohort.
  let isSynchronous: Bool
  /// Clients drawn, ascending; stages may choose others, or leave some out.
  lazy var cohort: [Int] = draw()
  /// How uploads are weighted.
  var weighting: WeightingRule
  /// Clients that were drawn and may take part, ascending.
  var sampled: [Int] = []
  /// Clients whose states the round's digest covers, in this order.
  var trained: [Int] = []
  /// What all clients did together.
  var report = LocalReport()
  /// Floating-point operations of all clients' passes through networks.
  var flops = 0
  /// Those of each client's part, in the order of the fold.
  package var clientFLOPs: [Int] = []
  /// Seconds that all workers spent on clients' parts.
  package var trainSeconds = 0.0

  private let draw: () -> [Int]

  /// A round in which nothing has happened.
  ///
  /// `draw`: the cohort when no stage chooses one.
  init(_ number: Int, isSynchronous: Bool, weighting: WeightingRule, draw: @escaping () -> [Int]) {
    self.number = number
    self.isSynchronous = isSynchronous
    self.weighting = weighting
    self.draw = draw
  }

  /// Adds what a client did.
  func add(_ message: ClientMessage) {
    report.add(message.update.report)
    flops += message.flops
    clientFLOPs.append(message.flops)
    trainSeconds += message.seconds
  }
}

/// One exchange of messages: download → train → upload → server step.
final class Exchange {
  let round: Round
  /// From 0 within its round; for clients that come and go, how often clients were looked for.
  let number: Int
  /// Clients that are sent something, whether they answer or not.
  let addressees: [Int]
  /// What is to be done.
  var jobs: RoundJobs
  /// What stages do on clients, in their order.
  var clientStages: [any ClientStage] = []
  /// What stages want each other to know of the exchange.
  var notes = Notes()
  /// Uploads whose time has not come, in the order of the jobs.
  var held: [WeightedUpload] = []
  /// Uploads that reached the server in time.
  var arrived = 0
  /// Clients whose uploads will be lost.
  var losing: Set<Int> = []
  /// Clients whose uploads came too late.
  var late: [Int] = []
  /// Whether the server makes its step even if nothing arrived.
  var alwaysSteps = false

  init(_ round: Round, _ number: Int, _ jobs: RoundJobs, addressees: [Int]? = nil) {
    self.round = round
    self.number = number
    self.jobs = jobs
    self.addressees = addressees ?? jobs.list.map(\.client)
  }

  var senders: Int { sendersOfRound ?? jobs.list.count }
  /// How many send where that is more than these jobs; nil for these.
  var sendersOfRound: Int?
  /// Whether the server makes its step.
  var steps: Bool { arrived > 0 || alwaysSteps }
}

/// What becomes of a client's message.
enum Fate: Sendable {
  case taken
  /// Whether it is taken in is known when all times are.
  case held
  /// It was sent, and did not arrive.
  case lost
  /// Its sender vanished before it could be sent.
  case dropped
}

/// One client's message at the server.
struct Arrival {
  let job: RoundJobs.Job
  /// Its place among the jobs.
  let place: Int
  var message: ClientMessage
  var fate = Fate.taken
  /// Seconds that the client took on the federation's clock; nil without one.
  var seconds: Double?
  /// Whether a stage has taken the upload, so that the method never sees it by itself.
  var isConsumed = false

  init(_ job: RoundJobs.Job, place: Int, _ message: ClientMessage) {
    self.job = job
    self.place = place
    self.message = message
  }

  /// The upload with the client's share.
  var upload: WeightedUpload {
    WeightedUpload(message.update.upload, weight: job.weight, client: job.client)
  }
}

/// Values by their type: what a stage passes to another, or its half on the clients to its half at
/// the server.
struct Notes: Sendable {
  private var values: [ObjectIdentifier: any Sendable] = [:]

  subscript<Value: Sendable>(type: Value.Type) -> Value? {
    get { values[ObjectIdentifier(type)] as? Value }
    set { values[ObjectIdentifier(type)] = newValue }
  }
}

/// What a round leaves: its record and the lines of the files beside it.
struct RoundParts {
  /// The round's record, as far as it is known.
  var record: RoundRecord
  /// Whether the models are measured after this round.
  let isEvaluated: Bool
  /// What was sent in the round, and before the first one.
  var messages = MessageLedger()
  var broadcast = MessageLedger()
  /// What happened in virtual time.
  var events: [ClockEvent] = []
  /// The line of `privacy.jsonl`.
  var privacy: JSON?
}
