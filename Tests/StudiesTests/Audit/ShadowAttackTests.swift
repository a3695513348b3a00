import Base
import Fixtures
import Foundation
import Records
import Report
import Scenario
import Testing

@testable import Studies

/// Membership by shadow runs, and label counts: numbers by hand, and whole audits.
@Suite("Shadow attacks and label counts")
struct ShadowAttackTests {
  @Test("the logit of the label's probability keeps its digits")
  func confidence() {
    // Two classes: z_y − z_other.
    #expect(MembershipSample.confidence([3, -1], label: 0) == 4)
    #expect(MembershipSample.confidence([3, -1], label: 1) == -4)
    // Three: z − ln(e^a + e^b), and p = 1/(1 + e^{−φ}).
    let phi = MembershipSample.confidence([1, 2, 0.5], label: 1)
    let p = exp(2.0) / (exp(1.0) + exp(2.0) + exp(0.5))
    #expect(abs(1 / (1 + exp(-phi)) - p) < 1e-15)
    #expect(abs(MembershipAttack.loss(phi) + log(p)) < 1e-14)
    // Beyond the digits of 1 − p, and of e^x.
    #expect(MembershipSample.confidence([900, -900], label: 0) == 1800)
    #expect(MembershipAttack.loss(1800) == 0 && MembershipAttack.loss(-1800) == 1800)
    #expect(MembershipSample.confidence([.infinity, 0], label: 1).isNaN)
  }

  @Test("LiRA: distances from the shadows' mean, in one deviation of all")
  func lira() {
    // Deviations ±1 and ±2: σ² = (2 + 8)/2; means 1 and 4.
    let scores = ShadowAttack.lira([3, 4, 7], [[0, 2], [2, 6], [5]])
    let sigma = 5.0.squareRoot()
    for (found, expected) in zip(scores, [2 / sigma, 0, 2 / sigma]) {
      #expect(abs(found - expected) < 1e-12)
    }
    // Nothing to take a deviation from.
    #expect(ShadowAttack.lira([3, 1], [[1], [1]]) == [2, 0])
    #expect(ShadowAttack.lira([3], [[1, 1]]) == [2])
  }

  @Test("RMIA: the share of others that an image is twice as likely as")
  func rmia() {
    // p = ½ everywhere under shadows: p̄ = ½(1.3·½ + 0.7) = 0.675.
    // Ratios of the audited model: a member with p → 1, others with p = ½, and one with p → 0.
    let target = [40.0, 0, 0, 0, -40]
    let found = ShadowAttack.rmia(target, [[Double]](repeating: [0, 0], count: 5), 1)
    // 1 is twice ½ and 0: all four. ½ is twice 0: one of four; 0 is not less than
    // twice 0.
    #expect(found[0] == 1)
    for place in 1...3 { #expect(found[place] == 0.25) }
    #expect(found[4] == 0)
  }

  @Test("label counts are an identity of the bias's gradient")
  func counts() {
    // Four images of two classes, even predictions, labels 0, 0, 0, 1.
    let counts = LabelCounts(bias: [-0.25, 0.25], prediction: [0.5, 0.5], images: 4)
    #expect(counts.estimates == [3, 1] && counts.counts == [3, 1])
    #expect(LabelCounts.rounded([2.6, 1.6, -1, 0.8], sum: 5) == [3, 1, 0, 1])
    #expect(LabelCounts.rounded([0, 0], sum: 3) == [0, 0])
    #expect(LabelCounts.rounded([.nan, 2, .infinity], sum: 2) == [0, 2, 0])
    #expect(LabelCounts.rounded([], sum: 2).isEmpty)
    let row = LabelRow("one step", [([3, 1, 0], [2, 1, 1]), ([0, 0, 4], [0, 1, 3])])
    #expect(row?.images == 8 && row?.clients == 2)
    #expect(row?.miscounted == 0.25 && row?.recall == 3.0 / 5 && row?.precision == 1)
    #expect(LabelRow("one step", []) == nil)
  }

  @Test("random batches: the identity finds every count from true predictions")
  func identity() {
    var stream = RandomStream(seed: 4, .audit)
    for _ in 0..<500 {
      let classes = 2 + stream.below(9)
      let images = 1 + stream.below(60)
      var counts = [Int](repeating: 0, count: classes)
      var mean = [Double](repeating: 0, count: classes)
      var gradient = mean
      for _ in 0..<images {
        let weights = (0..<classes).map { _ in 0.01 + stream.uniform() }
        let total = weights.reduce(0, +)
        let label = stream.below(classes)
        counts[label] += 1
        for c in 0..<classes {
          let p = weights[c] / total
          mean[c] += p / Double(images)
          gradient[c] += (p - (c == label ? 1 : 0)) / Double(images)
        }
      }
      #expect(LabelCounts(bias: gradient, prediction: mean, images: images).counts == counts)
    }
  }

  @Test("an audit with shadow runs: the same for any threads; overfitted members are found")
  func whole() throws {
    let fixture = try RunFixture { text in
      text.federation = #"{ "clients": 3, "rounds": 8 }"#
      text.model = #"{ "kind": "mlp", "hidden": [40] }"#
      text.work = #"{ "epochs": 10 }"#
    }
    try fixture.run("out")
    let audit = try LeakageAuditTests.audit(fixture, "out")
    var settings = LeakageAuditTests.small([.membership, .labelCounts])
    settings.shadows = 4
    let report = try audit.run(settings)
    #expect(try audit.run(settings, threads: 3).json == report.json)
    let run = report.runs[0]
    let all = run.membership.filter { $0.group == "all" }
    #expect(all.map(\.attack) == ["loss", "lira", "rmia"])
    for row in all {
      // The shares of a small population are often equal, which is guessing.
      #expect(
        row.score.auc > (row.attack == "rmia" ? 0.45 : 0.6), "\(row.attack): \(row.score.auc)")
      #expect(row.bounds == [nil, nil])
      #expect(row.score.recall(at: 0.001) <= row.score.recall)
    }
    #expect(run.labels.map(\.what) == ["one step", "local training"])
    #expect(run.labels.allSatisfy { $0.miscounted <= 0.5 && $0.recall > 0.5 })
    #expect(
      report.text(width: 160).contains("lira") && report.text(width: 160).contains("miscounted"))
    try audit.write(report)
    let page = String(decoding: try fixture.bytes("out/audit/audit.html"), as: UTF8.self)
    #expect(TagBalance.problem(page) == nil && page.contains("rmia"))
  }

  @Test("under privacy the allowed share stands beside what was found")
  func allowed() throws {
    let fixture = try RunFixture { text in
      text.strategies = [
        ScenarioText.strategy(
          "fedavg", #""privacy": { "unit": "example", "clip": 0.5, "noiseMultiplier": 4 }"#)
      ]
      text.federation = #"{ "clients": 3, "rounds": 1 }"#
    }
    try fixture.run("out")
    let report = try LeakageAuditTests.audit(fixture, "out").run(
      LeakageAuditTests.small([.membership]))
    let row = try #require(report.runs[0].membership.first)
    let (rare, usual) = (try #require(row.bounds[0]), try #require(row.bounds[1]))
    #expect(rare > 0.001 && rare < usual && usual < 0.5)
  }

  @Test("recall of a curve")
  func recall() throws {
    let score = try #require(
      MembershipScore(members: [1, 2, 3, 4], others: [2.5, 5, 6, 7]))
    #expect(score.recall(at: 0) == 0.5 && score.recall(at: 0.25) == 1)
    #expect(score.recall(at: 0.24) == 0.5 && score.recall(at: 1) == 1)
  }

  @Test("the ROC curve begins at the axes' end, rises, and keeps its corners")
  func curve() throws {
    let members = (0..<4000).map { Double($0) }
    let score = try #require(MembershipScore(members: members, others: members.map { $0 + 300.5 }))
    let points = AuditReport.shown(score.curve)
    #expect(points.count < 800 && points.count > 100)
    #expect(points.first?.x == 0.05 && points.first?.y == 0.05)
    #expect(points.last?.x == 100 && points.last?.y == 100)
    #expect(zip(points, points.dropFirst()).allSatisfy { $0.x <= $1.x && $0.y <= $1.y })
  }
}
