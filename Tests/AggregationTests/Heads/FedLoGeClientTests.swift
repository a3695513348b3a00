import Aggregation
import Client
import Tensor
import TestSupport
import Testing

@Suite("A client of FedLoGe")
struct FedLoGeClientTests {
  static let recipes = [
    "conv c 8 3 1 1 0; group n 2; relu; global; dense fc 5 1",
    "conv c 8 3 1 1 0; batch n; relu; global; dropout 0.3; dense fc 5 1",
    "dense a 8 1; relu; dense fc 5 1",
  ]

  private func settings(_ values: [String: AnyHyperparameter.Value] = [:]) -> StrategySettings {
    StrategySettings(FedLoGe.info, values.merging(["constructionSteps": .integer(50)]) { $1 })
  }

  @Test("the backbone is what training under the frozen head alone gives", arguments: recipes)
  func isolated(recipe: String) throws {
    let fixture = try HeadFixture(recipe)
    let method = FedLoGe(settings(), fixture.problem)
    let server = method.start(fixture.problem)
    let place = try #require(ClassifierPlace(fixture.network))

    var device = fixture.device()
    var memory = ClientMemory()
    let update = try method.train(
      &device, received: method.download(server, to: 0), memory: &memory)
    let trained = device.workspace.currentParameters

    var alone = fixture.device()
    alone.workspace.load(server.model)
    var rule = PlainRule(alone.loss)
    let body = ParameterSelection(fixture.network.layout) { $0.role.isTrained && $0.layer != "fc" }
    let report = try alone.train(LocalPhase(.epochs(2), ranges: body.ranges), &rule)

    #expect(bits(trained) == bits(alone.workspace.currentParameters))
    #expect(update.report == report)
    #expect(trained != server.model)
    // The frame has not moved, here or at the server; the heads have, and differ from each other
    // only by what they started from: nothing.
    #expect(bits(place.head(of: trained)) == bits(place.head(of: server.model)))
    let psi = try #require(server.memory["auxiliary"])
    let phi = try #require(memory["head"])
    #expect(phi != psi)
    let difference = update.upload["auxiliary"]
    for i in psi.indices { #expect(difference[i] == phi[i] - psi[i]) }
  }

  @Test("the heads' loss is plain, or the scenario's")
  func losses() throws {
    func heads(_ loss: LossSpec, _ choice: String) throws -> [Float] {
      let fixture = try HeadFixture(loss: loss)
      let method = FedLoGe(settings(["headLoss": .choice(choice)]), fixture.problem)
      var device = fixture.device()
      var memory = ClientMemory()
      let server = method.start(fixture.problem)
      _ = try method.train(&device, received: method.download(server, to: 0), memory: &memory)
      return try #require(memory["head"])
    }
    let plain = try heads(.crossEntropy, "cross-entropy")
    #expect(try heads(.crossEntropy, "composed") == plain)
    // Class weights change the divisor of a batch's mean, too.
    for loss in [LossSpec.balancedSoftmax(prior: .local), .classBalanced(beta: 0.9)] {
      let separate = try heads(loss, "cross-entropy")
      let composed = try heads(loss, "composed")
      #expect(separate != composed)
      // θ moves by the composed loss either way.
      #expect(separate != plain)
    }
  }

  @Test("predictions are sums of the heads that their names say")
  func predictions() throws {
    let fixture = try HeadFixture()
    let place = try #require(ClassifierPlace(fixture.network))
    var memory = ClientMemory()
    memory["head"] = (0..<place.count).map { Float($0 % 5) - 1.5 }
    let phi = try #require(memory["head"])
    func models(_ choice: String) throws -> (ServerState, [Float]) {
      let method = FedLoGe(settings(["prediction": .choice(choice)]), fixture.problem)
      let server = method.start(fixture.problem)
      var device = fixture.device()
      let model = try #require(try method.personalModel(&device, server, memory))
      return (server, place.head(of: model))
    }
    let (server, realigned) = try models("realigned")
    let psi = try #require(server.memory["auxiliary"])
    #expect(realigned == Realignment.personal(psi, own: phi, classes: 5))
    #expect(try models("sum-of-private").1 == zip(phi, realigned).map { $0 + $1 })
    #expect(try models("sum-of-shared").1 == zip(psi, realigned).map { $0 + $1 })
    #expect(try models("stage-one").1 == zip(phi, psi).map { $0 + $1 })
    for (choice, expected) in [
      ("frame", place.head(of: server.model)), ("auxiliary", psi),
      ("realigned", Realignment.generic(psi, classes: 5, scale: 1.7)),
    ] {
      let method = FedLoGe(settings(["generic": .choice(choice)]), fixture.problem)
      #expect(place.head(of: try #require(method.genericModel(server))) == expected)
    }
    let method = FedLoGe(settings(["mask": .flag(true)]), fixture.problem)
    var device = fixture.device()
    let masked = place.head(of: try #require(try method.personalModel(&device, server, memory)))
    // The client has no image of class 3.
    #expect(masked.suffix(5).map { $0 == Realignment.never } == [false, false, false, true, false])
  }

  @Test("networks that cannot host it are refused with advice; doubtful ones get a remark")
  func hosts() throws {
    func network(_ recipe: String) throws -> Network {
      try NetworkRecipe.build(recipe, input: HeadFixture.shape)
    }
    let narrow = try network("dense a 4 1; relu; dense fc 5 1")
    let refused = try #require(FedLoGe.objection(settings(), to: narrow))
    #expect(refused.problem.contains("4 features cannot hold 5 classes"))
    #expect(refused.hint.contains("mlp with 5 hidden neurons"))
    let bare = try network("dense fc 5 1")
    #expect(FedLoGe.objection(settings(), to: bare) != nil)
    let tight = try network("dense a 7 1; relu; dense fc 5 1")
    let wide = try network("dense a 8 1; relu; dense fc 5 1")
    for fine in [tight, wide] { #expect(FedLoGe.objection(settings(), to: fine) == nil) }
    // (1 − 0.6)·7 < 3 ≤ (1 − 0.6)·8.
    #expect(FedLoGe.cautions(settings(), on: tight).count == 1)
    #expect(FedLoGe.cautions(settings(), on: wide).isEmpty)
    #expect(FedLoGe.cautions(settings(["mask": .flag(true)]), on: wide).count == 1)
  }

  @Test("a frame is made once for its sizes, settings and seed")
  func shelf() {
    var settings = SparseFrame.Settings()
    settings.steps = 20
    func frame(_ seed: UInt64) -> SparseFrame {
      FrameShelf.frame(classes: 3, width: 8, settings: settings, seed: seed)
    }
    let first = frame(1)
    var stream = FrameShelf.stream(1)
    #expect(SparseFrame(classes: 3, width: 8, settings: settings, stream: &stream) == first)
    #expect(frame(1) == first)
    #expect(frame(2) != first)
    settings.norm = 0.2
    #expect(frame(1) != first)
    // More frames than the shelf holds.
    let many = (10..<40).map { frame($0) }
    #expect(frame(10) == many[0])
  }
}
