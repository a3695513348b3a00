import Data
import Scenario
import Tensor

/// What a scenario does with images and clients beyond splitting them; nothing where it does not.
extension ConditionText {
  /// Held-out images, pre-training, styles and groups of clients, a line each.
  var setLines: [String] { [heldOut, pretraining, styles, groups].compactMap { $0 } }

  private var heldOut: String? {
    var parts: [String] = []
    if !split.publicIndices.isEmpty { parts.append("\(split.publicIndices.count) public images") }
    if !split.pretrainIndices.isEmpty {
      parts.append("\(split.pretrainIndices.count) for pre-training")
    }
    guard !parts.isEmpty else { return nil }
    let text = "held out first, class-balanced: " + parts.joined(separator: ", ")
    guard let largest = split.longTailCounts?.max() else { return text }
    return text + "; the long tail starts at \(largest) images of the rest"
  }

  private var pretraining: String? {
    guard let settings = scenario.pretrain else { return nil }
    let source =
      switch settings.source {
      case .images(let count): "\(count) images"
      case .classes(let list):
        "classes " + list.map(String.init).joined(separator: ", ")
          + " of the data set, which clients do not know"
      }
    let rate = "\(settings.optimizer.kind.rawValue) \(short(settings.optimizer.learningRate))"
    return "pre-trained on \(source): \(settings.epochs) epochs, batch \(settings.batch), \(rate), "
      + "seed \(settings.seed)"
  }

  private var styles: String? {
    guard let styles = scenario.data.styles else { return nil }
    let names = styles.kinds.map(\.rawValue).joined(separator: ", ")
    return "image styles \(names): \(styles.perClient) per client, all of them in the test images"
  }

  private var groups: String? {
    guard !scenario.clientModels.isEmpty else { return nil }
    let parts = scenario.clientModels.map { group in
      let last = group.clients.upperBound - 1
      return "\(group.clients.lowerBound)-\(last) \(text(of: group.model))"
    }
    return "models of clients " + parts.joined(separator: "; ")
  }
}
