import Client
import Tensor
import Testing

@Suite("Gradients at models of one's own")
struct PointGradientTests {
  @Test("the gradient is the batch's, and the model outside is not moved")
  func gradient() throws {
    let fixture = try DeviceFixture()
    let model = fixture.workspace.currentParameters
    var usual = fixture.device(examples: Array(0..<10))
    _ = usual.nextBatch()
    var rule = PlainRule(SoftmaxCrossEntropy())
    let expected = try usual.computeGradient(&rule)
    let slopes = Array(fixture.workspace.gradient)

    var device = fixture.device(examples: Array(0..<10))
    _ = device.nextBatch()
    var point = model
    var gradient = [Float](repeating: 7, count: model.count)
    fixture.workspace.load([Float](repeating: 0, count: model.count))
    let result = try device.gradient(&rule, at: &point, into: &gradient)
    #expect(result.lossSum == expected.lossSum)
    #expect(gradient == slopes)
    #expect(point == model)
  }

  @Test("a copy of the device asks another model about the same batch and the same dropout")
  func twin() throws {
    let fixture = try DeviceFixture("dense a 9 1; relu; dropout 0.5; dense b 40 1")
    var model = fixture.workspace.currentParameters
    var device = fixture.device(examples: Array(0..<12), order: .shuffled)
    var rule = PlainRule(SoftmaxCrossEntropy())
    var gradients = [[Float]](repeating: model, count: 3)
    _ = device.nextBatch()
    var twin = device
    _ = try device.gradient(&rule, at: &model, into: &gradients[0])
    _ = try twin.gradient(&rule, at: &model, into: &gradients[1])
    // The device itself has gone on to the next step's dropout.
    _ = try device.gradient(&rule, at: &model, into: &gradients[2])
    #expect(gradients[0] == gradients[1])
    #expect(gradients[0] != gradients[2])
  }

  @Test("running statistics of the model move, its trained parameters do not")
  func statistics()
    throws
  {
    let fixture = try DeviceFixture("conv a 3 1 1 0 1; batch n; relu; dense b 40 1")
    let layout = fixture.network.layout
    let model = fixture.workspace.currentParameters
    try #require(layout.trainedCount < layout.count)
    var device = fixture.device(examples: Array(0..<8))
    var rule = PlainRule(SoftmaxCrossEntropy())
    var point = model
    var gradient = [Float](repeating: 7, count: model.count)
    _ = device.nextBatch()
    _ = try device.gradient(&rule, at: &point, into: &gradient)
    #expect(point[..<layout.trainedCount] == model[..<layout.trainedCount])
    #expect(point[layout.trainedCount...] != model[layout.trainedCount...])
    #expect(gradient[layout.trainedCount...].allSatisfy { $0 == 7 })
    #expect(gradient[..<layout.trainedCount].allSatisfy { $0 != 7 })
  }
}
