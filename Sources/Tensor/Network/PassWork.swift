/// Floating-point operations of one example in the steps of a network, a multiply-add as two;
/// products only (`Operation.forwardFLOPs`).
package struct PassWork: Sendable {
  /// Of a whole forward pass.
  package let forward: Int
  /// Of each step's backward pass: its weights' gradient, and its input's where somebody reads it.
  package let backward: [Int]
  /// Of each step's backward pass without its weights' gradient.
  let inputOnly: [Int]

  /// The costs of a network's steps.
  init(_ steps: [any Operation], _ writes: [GradientWrite]) {
    var total = 0
    var costs: [Int] = []
    var passing: [Int] = []
    for (step, write) in zip(steps, writes) {
      let forward = step.forwardFLOPs
      let all = step.backwardFLOPs(inputGradient: write != .skip)
      total += forward
      costs.append(all)
      passing.append(all - step.backwardFLOPs(inputGradient: false))
    }
    forward = total
    backward = costs
    inputOnly = passing
  }
}
