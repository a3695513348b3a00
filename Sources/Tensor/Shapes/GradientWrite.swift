/// How an operation delivers the gradient of its input.
package enum GradientWrite: Sendable {
  /// Nobody reads it: the input is data.
  case skip
  /// It is the first to write this slot in this sweep.
  case overwrite
  /// Another operation has written this slot: add.
  case add
}
