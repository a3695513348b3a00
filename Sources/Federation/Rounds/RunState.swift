import Aggregation
import Base
import Client
import Tensor

/// What one client carries from round to round: what its method remembers, and beside it a section
/// for each message stage that remembers something of the client.
struct ClientState: Sendable, Equatable {
  var method = ClientMemory()
  private var sections: [String: StateTensors] = [:]

  init() {}

  /// What a stage remembers of the client.
  subscript(section: String) -> StateTensors {
    get { sections[section] ?? StateTensors() }
    _modify { yield &sections[section, default: StateTensors()] }
  }

  /// Whether nothing is remembered.
  var isEmpty: Bool { method.isEmpty && sections.values.allSatisfy(\.isEmpty) }

  /// Everything, as digests and checkpoints have it: a stage's tensors have its name before theirs.
  var merged: StateTensors { method.merging(sections.values) }

  /// The owners' parts of what `merged` was.
  init(_ merged: StateTensors, sections names: [String]) {
    let parts = merged.split(by: names)
    method = parts.rest
    sections = parts.sections
  }
}

/// Everything that moves in a run: rounds done, the server, the clients, and the hash over them.
///
/// Only the thread that runs the rounds touches it; workers get copies of what they need.
final class RunState {
  /// Rounds done, the one under way among them.
  var round = 0
  /// What the server carries: the model and the method's memory.
  var server: ServerState
  /// What each client that ever took part carries.
  var clients: [Int: ClientState] = [:]
  /// The hash chain over all states so far.
  var digest: UInt64 = 0

  /// Before the first round.
  init(_ server: ServerState) { self.server = server }

  /// Takes back what a client remembers after its part.
  func commit(_ state: ClientState, of client: Int) {
    clients[client] = state.isEmpty ? nil : state
  }

  /// digest ← hash(digest, server state, states of some clients).
  func extendDigest(_ stages: [any MessageStage], with clients: [Int]) {
    var hash = XXHash64(seed: digest)
    hash.update([Int64(round)])
    hash.update(server.model)
    hash.update(memory(stages))
    for client in clients {
      guard let state = self.clients[client] else { continue }
      hash.update([Int64(client)])
      hash.update(state.merged)
    }
    digest = hash.finish()
  }

  func memory(_ stages: [any MessageStage]) -> StateTensors {
    server.memory.merging(stages.map(\.section))
  }

  /// All that the next rounds depend on.
  func checkpoint(_ stages: [any MessageStage]) -> Checkpoint {
    var server = server
    server.memory = memory(stages)
    return Checkpoint(
      round: round, digest: digest, server: server, memories: clients.mapValues(\.merged),
      clock: StateTensors().merging(stages.map(\.progress)))
  }

  /// Continues from a checkpoint as if it had never stopped.
  func restore(_ checkpoint: Checkpoint, _ stages: [any MessageStage]) {
    let names = Array(Set(stages.compactMap(\.sectionName)))
    round = checkpoint.round
    digest = checkpoint.digest
    server = checkpoint.server
    server.round = round
    let parts = checkpoint.server.memory.split(by: names)
    server.memory = parts.rest
    clients = checkpoint.memories.mapValues { ClientState($0, sections: names) }
    for stage in stages {
      if let name = stage.sectionName { stage.section = parts.sections[name] ?? StateTensors() }
    }
    for stage in stages { stage.progress = checkpoint.clock }
  }
}

extension StateTensors {
  /// These tensors and those of others, whose names differ from each other.
  func merging(_ others: some Sequence<StateTensors>) -> StateTensors {
    var all = self
    for other in others { for name in other.names { all[name] = other[name] } }
    return all
  }

  /// Tensors whose names begin with "<section>.", by section, and the rest.
  func split(by sections: [String]) -> (sections: [String: StateTensors], rest: StateTensors) {
    var found: [String: StateTensors] = [:]
    var rest = StateTensors()
    for name in names {
      if let section = sections.first(where: { name.hasPrefix($0 + ".") }) {
        found[section, default: StateTensors()][name] = self[name]
      } else {
        rest[name] = self[name]
      }
    }
    return (found, rest)
  }
}

extension XXHash64 {
  /// Adds all tensors in the order of their names.
  mutating func update(_ state: StateTensors) {
    for name in state.names {
      update(name)
      update(state[name, default: []])
    }
  }
}
