/// Joins neighbouring operations whose passes over a map can be one.
///
/// The list of operations says what a network computes; the fused list is how. Both give the same
/// values up to rounding.
enum Fusion {
  /// The list to run, in order.
  static func fuse(_ operations: [any Operation]) -> [any Operation] {
    var fused: [any Operation] = []
    for operation in operations {
      switch operation {
      case let sum as Residual:
        if let place = indexOfNorm(before: sum, in: fused), var norm = fused[place] as? GroupNorm {
          // Nobody reads the norm's result before the sum, so it can wait for the shortcut.
          fused.remove(at: place)
          norm.shortcut = sum.shortcut
          fused.append(norm)
        } else {
          fused.append(sum)
        }
      case let activation as ReLU:
        if let last = fused.last, last.output == activation.slot, let joined = rectified(last) {
          fused[fused.count - 1] = joined
        } else {
          fused.append(activation)
        }
      case let pooling as Pooling:
        // Only the pooling reads the map: the reader after it would have to see it too.
        let readers = operations.filter { $0.input == pooling.input && $0.output != $0.input }
        if readers.count == 1, let convolution = fused.last as? Convolution,
          PooledConvolution.joins(convolution, pooling)
        {
          fused[fused.count - 1] = PooledConvolution(convolution: convolution, pooling: pooling)
        } else {
          fused.append(pooling)
        }
      default: fused.append(operation)
      }
    }
    return fused
  }

  /// The maps between operations that were joined: nothing is ever stored there.
  static func unusedSlots(_ fused: [any Operation]) -> Set<Int> {
    Set(fused.compactMap { ($0 as? PooledConvolution)?.convolution.output })
  }

  /// The group norm whose result only the residual sum reads.
  private static func indexOfNorm(before sum: Residual, in operations: [any Operation]) -> Int? {
    guard let place = operations.lastIndex(where: { $0.output == sum.sum }),
      let norm = operations[place] as? GroupNorm, norm.shortcut == nil, !norm.rectified,
      !operations[(place + 1)...].contains(where: { $0.input == sum.sum })
    else { return nil }
    // Its map must have no other reader: its gradient is written once.
    let readers = operations.filter { $0.input == norm.map && $0.output != norm.map }
    return readers.count == 1 && norm.map != sum.shortcut ? place : nil
  }

  /// The operation with a ReLU at its end, if it can have one.
  private static func rectified(_ operation: any Operation) -> (any Operation)? {
    switch operation {
    case var layer as Convolution where !layer.rectified:
      layer.rectified = true
      return layer
    case var layer as Dense where !layer.rectified:
      layer.rectified = true
      return layer
    case var layer as GroupNorm where !layer.rectified:
      layer.rectified = true
      return layer
    default: return nil
    }
  }
}
