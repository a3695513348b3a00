import Tensor

/// FedLoGe's changes of trained heads, without training or messages: Xiao et al., ICLR 2024,
/// arXiv:2401.08977, section 3.3.
///
/// The length of a class's row follows how much data the class had: over all clients in a shared
/// head, at one client in a private head. A head is the weight [C × d], then the bias [C].
package enum Realignment {
  /// GA-FR: ψ'_c = s·ψ_c/‖ψ_c‖₂ for every class c; the bias stays.
  ///
  /// Rows of zeros stay. It is τ-normalisation (Kang et al. 2020) with τ = 1, times s, with a bias.
  ///
  /// - Complexity: O(C·d).
  package static func generic(_ shared: [Float], classes: Int, scale: Double) -> [Float] {
    scaled(shared, classes: classes) { _, norm in norm > 0 ? scale / norm : 0 }
  }

  /// LA-FR: φ'_c = ψ_c·‖φ_c‖₂ for every class c, with the bias of ψ: the direction is the shared
  /// head's, the length is both heads'.
  ///
  /// - Complexity: O(C·d).
  package static func personal(_ shared: [Float], own: [Float], classes: Int) -> [Float] {
    precondition(shared.count == own.count, "Realignment: [\(shared.count)] and [\(own.count)]")
    let width = shared.count / classes - 1
    return scaled(shared, classes: classes) { c, _ in
      VectorArithmetic.norm(own.span.extracting(c * width..<(c + 1) * width))
    }
  }

  /// The bias of a class that is never to be predicted: no logit of a trained model is as low, and
  /// the loss of such a class stays finite.
  package static let never: Float = -1e9

  /// Classes without examples get weight 0 and a bias that no other class falls below.
  ///
  /// On the logits themselves, so that it holds whatever sign features have. Without any example
  /// nothing is masked.
  ///
  /// `counts`: [C], examples of each class.
  package static func mask(_ head: inout [Float], absentFrom counts: [Int]) {
    let width = head.count / counts.count - 1
    guard counts.contains(where: { $0 > 0 }) else { return }
    for c in counts.indices where counts[c] == 0 {
      for i in c * width..<(c + 1) * width { head[i] = 0 }
      head[counts.count * width + c] = never
    }
  }

  /// Each row times a factor of its class and its length.
  private static func scaled(_ head: [Float], classes: Int, _ factor: (Int, Double) -> Double)
    -> [Float]
  {
    precondition(
      classes > 0 && head.count % classes == 0,
      "Realignment: a head of [\(head.count)] for \(classes) classes")
    let width = head.count / classes - 1
    var result = head
    for c in 0..<classes {
      let row = c * width..<(c + 1) * width
      let a = factor(c, VectorArithmetic.norm(head.span.extracting(row)))
      for i in row { result[i] = Float(Double(head[i]) * a) }
    }
    return result
  }
}
