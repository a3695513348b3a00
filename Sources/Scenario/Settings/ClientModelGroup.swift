import Data
import Tensor

/// Clients that share a network which is not the server's.
package struct ClientModelGroup: Sendable, Equatable {
  /// Their network.
  package var model: ModelSpec
  /// Who they are.
  package var clients: Range<Int>

  /// K clients in groups: K·share of each, whole by largest remainders, in order.
  ///
  /// `shares`: ≥ 0 with sum 1.
  package static func ranges(clients: Int, shares: [Double]) -> [Range<Int>] {
    var start = 0
    return Pool.apportion(clients, shares: shares, minimum: 0).map { size in
      defer { start += size }
      return start..<start + size
    }
  }

  /// Networks with shares of K clients.
  static func groups(_ groups: [(share: Double, model: ModelSpec)], of clients: Int) -> [Self] {
    zip(groups, ranges(clients: clients, shares: groups.map(\.share))).map {
      ClientModelGroup(model: $0.model, clients: $1)
    }
  }
}

extension Scenario {
  /// How the network is trained before the first round; nil for not at all.
  package var pretrain: PretrainSettings? { data.pretrain }

  /// The network of a client.
  package func model(of client: Int) -> ModelSpec {
    clientModels.first { $0.clients.contains(client) }?.model ?? model
  }
}
