/// sum ← sum + shortcut: where the branches of a residual block meet (He et al.
///
/// 2016, arXiv:1512.03385). In place, so the gradient of the sum's branch needs no copy.
package struct Residual: Operation {
  package let shortcut: Int
  package let sum: Int
  package let count: Int
  package var input: Int { shortcut }
  package var output: Int { sum }
  package var summary: String { "residual add" }

  package func forward(_ pass: borrowing Pass) {
    let y = pass.values[sum]
    let x = pass.values[shortcut]
    for i in 0..<pass.batch * count { y[i] += x[i] }
  }

  package func backward(_ pass: borrowing Pass, inputGradient: GradientWrite) {
    guard inputGradient != .skip else { return }
    Rows.deliver(
      pass.gradients[sum], to: pass.gradients[shortcut], count: pass.batch * count, inputGradient)
  }
}
