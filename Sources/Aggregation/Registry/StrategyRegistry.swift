import Synchronization

/// Every strategy by name.
///
/// A new method needs one line here; one of another package says `register` before it is asked for.
public enum StrategyRegistry {
  private static let registered = Mutex<[any Strategy.Type]>([])

  /// Methods that only one task knows, in place of those of the same kinds.
  @TaskLocal package static var tried: [any Strategy.Type] = []

  /// All strategies, in the order of `fedsim list strategies`.
  public static var all: [any Strategy.Type] {
    let common = shelf + registered.withLock { $0 }
    let kinds = tried.map { $0.info.kind }
    return common.filter { !kinds.contains($0.info.kind) } + tried
  }

  /// Adds a method of another package.
  ///
  /// Its kind must not be on the shelf yet.
  public static func register(_ type: any Strategy.Type) {
    let kind = type.info.kind
    precondition(self[kind] == nil, "StrategyRegistry.register: there is a method \(kind)")
    registered.withLock { $0.append(type) }
  }

  /// Those of this package.
  private static let shelf: [any Strategy.Type] = [
    FedAvg.self, FedProx.self, Scaffold.self, FedPer.self, FedAvgM.self, FedAvgFineTuned.self,
    LocalOnly.self, Centralised.self, FedAdam.self, FedYogi.self, FedAdagrad.self, FedNova.self,
    FedDyn.self, MOON.self, CCVR.self, CReFF.self, FedLoGe.self, FedRoD.self, KnFu.self, FedMD.self,
    FedDF.self, FedD2S.self, FedDistill.self, FedProto.self, FedGen.self, FedETF.self, FedIns.self,
    FedSSF.self, LinearProbe.self, FedRep.self, FedBABU.self, FedBN.self, LGFedAvg.self, Ditto.self,
    PFedMe.self, PerFedAvg.self, APFL.self, FedAsync.self, FedBuff.self,
  ]

  /// What all strategies say of themselves, in the same order.
  public static var infos: [MethodInfo] { all.map { $0.info } }

  /// The strategy of a kind, or nil.
  public static subscript(kind: String) -> (any Strategy.Type)? {
    all.first { $0.info.kind == kind }
  }
}
