import Foundation
import Fuzzing
import Testing
import fedsim

@Suite("Fuzzing")
struct FuzzTests {
  /// Tries of each kind: a minute of two cores in all.
  private static let tries: [(kind: FuzzKind, count: Int)] = [
    (.scenarios, 120), (.runs, 30), (.pairs, 60), (.data, 80), (.folders, 60), (.sweeps, 30),
    (.words, 120), (.calculator, 60),
  ]

  /// Kinds that are left out of the short run, because what they find is known and not yet mended.
  private static let waiting: Set<FuzzKind> = []

  private static func fuzzer(_ plan: Fuzzer.Plan) throws -> Fuzzer {
    let starts = ([Bundle.main.executablePath] + Bundle.allBundles.map(\.bundlePath)).compactMap {
      $0
    }
    let program = try #require(Target.path(beside: starts), "no fedsim beside the test bundle")
    // A slow machine is no finding.
    return Fuzzer(plan, target: Target(program: program, seconds: 60))
  }

  @Test("no try breaks a rule", arguments: tries.filter { !waiting.contains($0.kind) })
  func short(
    kind: FuzzKind, count: Int
  ) throws {
    var plan = Fuzzer.Plan()
    (plan.kinds, plan.tries, plan.workers) = ([kind], count, 1)
    let result = try Self.fuzzer(plan).run { _ in }
    #expect(result.tries == count)
    for report in result.reports { Issue.record("\(report.text)") }
  }

  @Test("a seed and a number always make the same try", arguments: FuzzKind.allCases)
  func repeatable(kind: FuzzKind) throws {
    var plan = Fuzzer.Plan()
    plan.seed = 7
    let (one, other) = (try Self.fuzzer(plan), try Self.fuzzer(plan))
    let first = (0..<6).map { one.make(kind, $0) }
    #expect(first == (0..<6).reversed().map { other.make(kind, $0) }.reversed())
    #expect(Set(first.compactMap { $0.map { "\($0.files)\($0.steps)\($0.damages)" } }).count > 3)
  }

  @Test("the table of options is the program's")
  func options() {
    for command in CommandName.allCases {
      let known = WordKind.options[command.rawValue]
      #expect(known?.valued.sorted() == command.options.filter(\.value).keys.sorted())
      #expect(known?.bare.sorted() == command.options.filter { !$0.value }.keys.sorted())
    }
  }
}
