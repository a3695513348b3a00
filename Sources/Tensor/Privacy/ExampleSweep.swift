extension ExampleGradients {
  /// The backward sweep, after a training forward pass on examples · K rows, from
  /// `workspace.logitsGradient`, which must be the gradient of each example's own loss: not divided
  /// by the number of examples.
  ///
  /// `part`: as in `Network.backward`: after `.head` a caller may add to
  /// `workspace.featuresGradient`; `.body` goes on from there.
  ///
  /// `first`: steps before this one are left out; gradients of layers that were not reached are 0.
  ///
  /// `workspace.gradient` is neither read nor written. Counted as an ordinary sweep, however norms
  /// and sums are found.
  ///
  /// - Complexity: that of `Network.backward`, and O(examples · parameters) memory moved for layers
  ///   that write gradients out.
  public func sweep(
    _ workspace: Workspace, examples count: Int, part: BackwardPart = .everything,
    from first: Int = 0
  ) {
    precondition(workspace.isForTraining, "ExampleGradients: the workspace is for evaluation only")
    precondition(
      count > 0 && count <= capacity, "ExampleGradients: \(count) examples, room for \(capacity)")
    workspace.withPass(batch: count * rowsPerExample, training: true, accumulate: false) { pass in
      sweep(workspace, pass, examples: count, part: part, from: first)
    }
  }

  private func sweep(
    _ workspace: Workspace, _ pass: borrowing Pass, examples count: Int, part: BackwardPart,
    from first: Int
  ) {
    if part == .body {
      precondition(
        count == examples && workspace === self.workspace,
        "ExampleGradients: the body of other examples than the head's")
    } else {
      begin(workspace, count, pass)
    }
    let start = max(first, plan.first)
    reached = max(start, part == .head ? network.headStart : 0)
    var cost = 0
    let computes = !workspace.isDryRun
    network.forEachBackwardStep(part, from: start) { index in
      if let layer = plan.layerOf[index] {
        cost += network.work.backward[index]
        guard computes else { return }
        switch plan.layers[layer].method {
        case .rows: writeRows(pass, index, layer)
        case .products: keepProducts(pass, index, layer)
        }
      } else {
        cost += network.work.inputOnly[index]
        if computes { passOn(pass, index) }
      }
    }
    workspace.flops &+= pass.batch &* cost
    guard part != .head, computes else { return }
    for (index, layer) in plan.layers.enumerated() where layer.steps.count > 1 {
      for example in 0..<count { takeNorm(of: row(layer, example), layer, index, example) }
    }
  }

  /// Forgets the last sweep and notes where examples lie.
  private func begin(_ workspace: Workspace, _ count: Int, _ pass: borrowing Pass) {
    self.workspace = workspace
    examples = count
    squares.update(repeating: 0, count: layers.count * capacity)
    for layer in plan.layers where layer.steps.count > 1 {
      row(layer, 0).update(repeating: 0, count: count * layer.stride)
    }
    let slots = network.slots.count
    for slot in 0..<slots {
      let stride = rowsPerExample * network.slots[slot].perExample
      for example in 0..<count {
        values[example * slots + slot] = pass.values[slot] + example * stride
        gradients[example * slots + slot] = pass.gradients[slot] + example * stride
      }
    }
  }

  /// Where a layer's memory of an example is.
  package func row(_ layer: ExamplePlan.Layer, _ example: Int) -> UnsafeMutablePointer<Float> {
    ledger + (capacity * layer.offset + example * layer.stride)
  }

  /// What parameters are counted from so that place `start` of them is at `memory`.
  ///
  /// An address, not a pointer into memory: it may lie before all of it.
  package static func base(_ memory: UnsafeMutablePointer<Float>, _ start: Int)
    -> UnsafeMutablePointer<Float>
  {
    let address = UInt(bitPattern: memory) &- UInt(start * MemoryLayout<Float>.stride)
    return UnsafeMutablePointer(bitPattern: address) ?? memory
  }

  /// A sweep over one example, whose parameters' gradients start at `memory`.
  private func view(
    _ pass: borrowing Pass, _ example: Int, _ memory: UnsafeMutablePointer<Float>, _ start: Int,
    accumulate: Bool
  ) -> Pass {
    let slots = network.slots.count
    return pass.on(
      batch: rowsPerExample, accumulate: accumulate, gradient: Self.base(memory, start),
      values: values + example * slots, gradients: gradients + example * slots)
  }

  /// A step without parameters that move.
  private func passOn(_ pass: borrowing Pass, _ index: Int) {
    let how = network.stepWrites[index]
    if let step = plan.weighted[index] {
      step.gateGradient(pass)
      step.inputGradient(pass, how)
    } else {
      let beside = pass.on(
        batch: pass.batch, accumulate: false, gradient: Self.base(aside, plan.starts[index]))
      network.steps[index].backward(beside, inputGradient: how)
    }
  }

  /// A step whose gradients are written out, example by example; their norms while they are in the
  /// cache.
  private func writeRows(_ pass: borrowing Pass, _ index: Int, _ number: Int) {
    let layer = plan.layers[number]
    let how = network.stepWrites[index]
    let isShared = layer.steps.count > 1
    let weighted = plan.weighted[index]
    weighted?.gateGradient(pass)
    for example in 0..<examples {
      let memory = row(layer, example)
      let one = view(pass, example, memory, layer.hull.lowerBound, accumulate: isShared)
      if let weighted {
        weighted.weightGradient(one)
      } else {
        network.steps[index].backward(one, inputGradient: how)
      }
      if !isShared { takeNorm(of: memory, layer, number, example) }
    }
    // All examples at once, which large matrices like better.
    weighted?.inputGradient(pass, how)
  }

  private func takeNorm(
    of row: UnsafePointer<Float>, _ layer: ExamplePlan.Layer, _ number: Int, _ example: Int
  ) {
    var total = 0.0
    for range in layer.moving {
      let start = range.lowerBound - layer.hull.lowerBound
      total += ScaledRows.squaredLength(row + start, range.count)
    }
    squares[number * capacity + example] = total
  }

  /// A step whose norms follow from its input and its output's gradient, which is kept because its
  /// place is written again.
  private func keepProducts(_ pass: borrowing Pass, _ index: Int, _ number: Int) {
    let layer = plan.layers[number]
    guard let step = plan.weighted[index], let norm = norms[number] else { return }
    let slots = network.slots.count
    step.gateGradient(pass)
    for example in 0..<examples {
      let a = values[example * slots + step.input]
      let b = gradients[example * slots + step.output]
      row(layer, example).update(from: b, count: norm.outputCount)
      if let squared = norm.squared(a, b, scratch: normScratch) {
        squares[number * capacity + example] = squared
      } else {
        step.weightGradient(view(pass, example, aside, layer.hull.lowerBound, accumulate: false))
        takeNorm(of: aside, layer, number, example)
      }
    }
    step.inputGradient(pass, network.stepWrites[index])
  }
}
