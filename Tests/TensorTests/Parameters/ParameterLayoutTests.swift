import Tensor
import TestSupport
import Testing

/// Names, order and places of the parameters in the flat vector.
@Suite("Parameter layout")
struct ParameterLayoutTests {
  private func layout(_ recipe: String) throws -> ParameterLayout {
    try NetworkRecipe.build(recipe, input: FeatureShape(height: 4, width: 3, channels: 2)).layout
  }

  static let recipe =
    "conv conv1 5 3 1 1 0; batch bn1; relu; mark; conv conv2 5 3 1 1 0; batch bn2; residual;"
    + "dense fc1 6 1; layer n; dense fc2 4 1"

  @Test("Tensors come in the order of PyTorch's state_dict, with its names and shapes")
  func order()
    throws
  {
    let entries = try layout(Self.recipe).entries
    let names = entries.map(\.name)
    #expect(
      names == [
        "conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var",
        "conv2.weight", "bn2.weight", "bn2.bias", "bn2.running_mean", "bn2.running_var",
        "fc1.weight", "fc1.bias", "n.weight", "n.bias", "fc2.weight", "fc2.bias",
      ])
    #expect(entries[0].shape == [5, 2, 3, 3])
    #expect(entries[10].shape == [6, 60])
    #expect(entries[0].fanIn == 18 && entries[0].fanOut == 45)
    #expect(entries[10].fanIn == 60 && entries[11].fanIn == 60 && entries[10].fanOut == 6)
    #expect(entries[0].layer == "conv1" && entries[3].layer == "bn1")
  }

  @Test("Ranges fill the vector once, and what a gradient trains is its prefix")
  func prefix()
    throws
  {
    let layout = try layout(Self.recipe)
    var owners = [Int](repeating: 0, count: layout.count)
    for entry in layout.entries {
      #expect(entry.range.count == entry.shape.reduce(1, *))
      #expect(entry.role.isTrained == (entry.range.upperBound <= layout.trainedCount))
      for i in entry.range { owners[i] += 1 }
    }
    #expect(owners.allSatisfy { $0 == 1 })
    #expect(layout.trainedCount == layout.count - 4 * 5)
  }

  @Test("Export and place are inverse, and move a convolution's and a flattened layer's values")
  func permutations() throws {
    let layout = try layout(Self.recipe)
    let vector = (0..<layout.count).map { Float($0) }
    var copy = [Float](repeating: -1, count: layout.count)
    for entry in layout.entries {
      let values = layout.exported(entry, from: vector)
      #expect(values.sorted() == entry.range.map { Float($0) }, "\(entry.name)")
      layout.place(values, entry, into: &copy)
    }
    #expect(copy == vector)

    // PyTorch's w[o, i, ky, kx] lies at [ky][kx][i][o].
    let conv = try #require(layout["conv1.weight"])
    let values = layout.exported(conv, from: vector)
    for (o, i, ky, kx) in [(0, 0, 0, 0), (3, 1, 2, 0), (4, 0, 1, 2)] {
      let place = conv.range.lowerBound + ((ky * 3 + kx) * 2 + i) * 5 + o
      #expect(values[((o * 2 + i) * 3 + ky) * 3 + kx] == vector[place])
    }
    // PyTorch flattens (c, y, x) of a 4×3×5 map; ours lies as (y, x, c).
    let dense = try #require(layout["fc1.weight"])
    let columns = layout.exported(dense, from: vector)
    for (row, y, x, c) in [(0, 0, 0, 0), (5, 3, 2, 4), (2, 1, 2, 3)] {
      let place = dense.range.lowerBound + row * 60 + (y * 3 + x) * 5 + c
      #expect(columns[row * 60 + (c * 4 + y) * 3 + x] == vector[place])
    }
  }

  @Test("A selection joins neighbours and restores exactly its own places")
  func selection() throws {
    let layout = try layout(Self.recipe)
    let vector = (0..<layout.count).map { Float($0) }
    let norms = ParameterSelection(layout) { $0.role.isNorm }
    // Behind conv1, after conv2, after fc1, and the running statistics.
    #expect(norms.ranges.count == 4)
    #expect(norms.items.count == 10 && norms.count == 4 * 10 + 2 * 6 - 0)
    #expect(!norms.isEverything && norms.fullCount == layout.count)
    let values = norms.gather(vector)
    #expect(values == norms.items.flatMap { item in item.range.map { Float($0) } })
    var target = [Float](repeating: -1, count: layout.count)
    norms.scatter(values, into: &target)
    for entry in layout.entries {
      for i in entry.range { #expect(target[i] == (entry.role.isNorm ? Float(i) : -1)) }
    }
  }

  @Test("Everything is one range; nothing is none")
  func extremes() throws {
    let layout = try layout(Self.recipe)
    let vector = (0..<layout.count).map { Float($0) }
    let all = ParameterSelection(all: layout)
    #expect(all.isEverything && all.ranges == [0..<layout.count])
    #expect(all.gather(vector) == vector)
    var target = [Float](repeating: 0, count: layout.count)
    all.scatter(vector, into: &target)
    #expect(target == vector)
    let none = ParameterSelection(layout) { _ in false }
    #expect(none.count == 0 && none.ranges.isEmpty && none.gather(vector).isEmpty)
    none.scatter([], into: &target)
    #expect(target == vector)
  }

  @Test("A bias of a norm is no bias of a layer")
  func roles() throws {
    let layout = try layout(Self.recipe)
    #expect(layout["bn1.bias"]?.role == .normShift && layout["fc1.bias"]?.role == .bias)
    #expect(layout["bn1.weight"]?.role == .normScale && layout["nothing"] == nil)
  }

  @Test("The last layers bring the norms among and behind them")
  func lastLayers() throws {
    let layout = try layout(Self.recipe)
    #expect(layout.lastLayers(0).isEmpty)
    #expect(layout.lastLayers(1) == ["fc2"])
    #expect(layout.lastLayers(2) == ["fc1", "n", "fc2"])
    #expect(layout.lastLayers(3) == ["conv2", "bn2", "fc1", "n", "fc2"])
    #expect(layout.lastLayers(99) == Set(layout.entries.map(\.layer)))
  }
}
