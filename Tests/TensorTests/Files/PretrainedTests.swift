import Tensor
import Testing

/// Weights of a file whose classifier, or whose images, are others.
@Suite("Weights of another task")
struct PretrainedTests {
  private func vit(classes: Int, side: Int = 8) throws -> Network {
    let spec = ModelSpec(kind: .vit, width: 12, patch: 4, depth: 1, heads: 3)
    let input = FeatureShape(height: side, width: side, channels: 3)
    return try Network(spec, input: input, classes: classes)
  }

  @Test("A fresh head takes everything else from the file, and itself from the seed")
  func freshHead() throws {
    let (from, to) = (try vit(classes: 21), try vit(classes: 4))
    let trained = from.layout.initialParameters(.timm, seed: 9)
    var file = from.layout.safetensors(trained)
    let rule = ModelSpec.Initialisation.file(path: "w", head: .fresh)
    let read = try to.layout.parameters(from: file, leavingOut: to.classifier)
    let (a, b) = (
      to.initialParameters(rule, seed: 1, file: read),
      to.initialParameters(rule, seed: 2, file: read)
    )
    for entry in to.layout.entries {
      if entry.layer == "head" {
        #expect(a[entry.range] != b[entry.range])
        let random = to.layout.initialParameters(.pytorch, seed: 1)
        #expect(a[entry.range] == random[entry.range])
      } else {
        let other = try #require(from.layout[entry.name])
        #expect(a[entry.range] == b[entry.range])
        let same = Array(a[entry.range]) == Array(trained[other.range])
        #expect(same, "\(entry.name)")
      }
    }
    // A file without any classifier is as good.
    file.items.removeAll { $0.name.hasPrefix("head.") }
    #expect(try to.layout.parameters(from: file, leavingOut: to.classifier) == read)
  }

  @Test("With the file's own head, other classes and a missing head are errors")
  func headOfTheFile() throws {
    let (from, to) = (try vit(classes: 21), try vit(classes: 4))
    var file = from.layout.safetensors(from.layout.initialParameters(.timm, seed: 9))
    let shape = #expect(throws: Safetensors.FormatError.self) {
      try to.layout.parameters(from: file)
    }
    #expect(shape?.message.contains("head.weight is [21, 12]") == true)
    file.items.removeAll { $0.name.hasPrefix("head.") }
    let missing = #expect(throws: Safetensors.FormatError.self) {
      try to.layout.parameters(from: file)
    }
    #expect(missing?.message.contains("lacks head.weight, head.bias") == true)
    let whole = to.layout.initialParameters(.timm, seed: 5)
    #expect(to.initialParameters(.file(path: "w"), seed: 1, file: whole) == whole)
  }

  @Test("Positions of another image size are named as such")
  func positions() throws {
    let (from, to) = (try vit(classes: 4, side: 16), try vit(classes: 4))
    let file = from.layout.safetensors(from.layout.initialParameters(.timm, seed: 9))
    let error = #expect(throws: Safetensors.FormatError.self) {
      try to.layout.parameters(from: file)
    }
    #expect(error?.message.contains("16 patches, these images have 4") == true)
  }

  @Test("Only the classifier may be left out, and only what is unknown is complained of")
  func otherTensors() throws {
    let network = try vit(classes: 4)
    var file = network.layout.safetensors(network.layout.initialParameters(.timm, seed: 9))
    file.items.removeAll { $0.name == "norm.bias" }
    file.items.append(.init(name: "pre_logits.fc.weight", shape: [1], values: [0]))
    let error = #expect(throws: Safetensors.FormatError.self) {
      try network.layout.parameters(from: file, leavingOut: network.classifier)
    }
    #expect(error?.message.contains("lacks norm.bias") == true)
    #expect(error?.message.contains("the unknown pre_logits.fc.weight") == true)
  }
}
