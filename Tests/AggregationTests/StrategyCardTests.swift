import Aggregation
import Tensor
import Testing

@Suite("What strategies say of themselves")
struct StrategyCardTests {
  @Test("every kind is registered once and found by its name")
  func kinds() {
    let kinds = StrategyRegistry.cards.map(\.kind)
    #expect(Set(kinds).count == kinds.count)
    for type in StrategyRegistry.all { #expect(StrategyRegistry[type.card.kind] == type) }
    #expect(StrategyRegistry["no-such-method"] == nil)
  }

  @Test("every card is filled in", arguments: StrategyRegistry.cards.map(\.kind))
  func complete(
    _ kind: String
  ) throws {
    let type = try #require(StrategyRegistry[kind])
    let card = type.card
    for text in [card.title, card.summary, card.source, card.memory] { #expect(!text.isEmpty) }
    #expect(!card.equations.isEmpty)
    #expect(!card.messages.isEmpty)
  }

  @Test("a card shows the method's fields, each under its property's name")
  func fields() {
    func check<Method: Strategy>(_ type: Method.Type) {
      let names = Method.Fields.all.map(\.name)
      #expect(type.card.fields.map(\.name) == names, "\(type)")
      let properties = Mirror(reflecting: Method.Fields()).children.map(\.label)
      #expect(properties == names, "\(type)")
    }
    for type in StrategyRegistry.all { check(type) }
  }

  @Test(
    "every default is legal, and none switches the method off",
    arguments: StrategyRegistry.cards.map(\.kind))
  func defaults(_ kind: String) throws {
    let card = try #require(StrategyRegistry[kind]).card
    let settings = StrategySettings(card)
    for field in card.fields {
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
        let isExpected = ["scaffold", "fednova"].contains(type.card.kind) && kind != .sgd
        #expect((objection != nil) == isExpected, "\(type.card.kind) \(kind)")
      }
    }
  }
}
