import Aggregation
import Tensor
import Testing

@Suite("What strategies say of themselves")
struct StrategyCardTests {
  @Test("every kind is registered once and found by its name")
  func kinds() {
    let kinds = StrategyRegistry.infos.map(\.kind)
    #expect(Set(kinds).count == kinds.count)
    for type in StrategyRegistry.all { #expect(StrategyRegistry[type.info.kind] == type) }
    #expect(StrategyRegistry["no-such-method"] == nil)
  }

  @Test("every card is filled in", arguments: StrategyRegistry.infos.map(\.kind))
  func complete(
    _ kind: String
  ) throws {
    let type = try #require(StrategyRegistry[kind])
    let info = type.info
    for text in [info.title, info.summary, info.source, info.memory] { #expect(!text.isEmpty) }
    #expect(!info.equations.isEmpty)
    #expect(!info.messages.isEmpty)
  }

  @Test("a card shows the method's fields, each under its property's name")
  func fields() {
    func check<Method: Strategy>(_ type: Method.Type) {
      let names = Method.Fields.all.map(\.name)
      #expect(type.info.fields.map(\.name) == names, "\(type)")
      let properties = Mirror(reflecting: Method.Fields()).children.map(\.label)
      #expect(properties == names, "\(type)")
    }
    for type in StrategyRegistry.all { check(type) }
  }

  @Test(
    "every default is legal, and none switches the method off",
    arguments: StrategyRegistry.infos.map(\.kind))
  func defaults(_ kind: String) throws {
    let info = try #require(StrategyRegistry[kind]).info
    let settings = StrategySettings(info)
    for field in info.fields {
      #expect(settings[field.name] == field.initial)
      switch (field.domain, field.initial) {
      case (.number(let range, let exclusive), .number(let value)):
        #expect(range.contains(value))
        #expect(!exclusive || value > range.lowerBound)
      case (.integer(let range), .integer(let value)): #expect(range.contains(value))
      case (.flag, .flag): break
      case (.choice(let words), .choice(let word)): #expect(words.contains(word))
      case (.integers(let range), .integers(let list)): #expect(list.allSatisfy(range.contains))
      default: Issue.record("\(field.name): the default is of another type")
      }
      guard let degenerate = field.degenerate else { continue }
      #expect(degenerate.value != field.initial, "\(field.name) switches the method off")
      #expect(StrategyRegistry[degenerate.equals] != nil)
    }
  }

  @Test("SCAFFOLD and FedNova object to adaptive optimizers and to nothing else")
  func objections()
    throws
  {
    for type in StrategyRegistry.all {
      for kind in OptimizerSpec.Kind.allCases {
        let objection = type.objection(to: OptimizerSpec(kind: kind, learningRate: 0.1))
        let isExpected = ["scaffold", "fednova"].contains(type.info.kind) && kind != .sgd
        #expect((objection != nil) == isExpected, "\(type.info.kind) \(kind)")
      }
    }
  }
}
