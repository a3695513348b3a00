import Aggregation
import Base
import Client
import Data
import Federation
import Scenario
import Tensor

/// How fast this machine runs one strategy, from a little of its training and evaluation.
struct SpeedProbe {
  /// FLOP/s of one worker in clients' training while all of them work; nil when nobody computes.
  ///
  /// With everything that a client does besides: batches, optimizer, noise, encoding.
  var training: Double?
  /// FLOP/s of all workers together in evaluation.
  var evaluation: Double?

  /// Trains for about `seconds` as many clients as there are workers, first one step each, then as
  /// many as fit, and measures the first images.
  ///
  /// The state is thrown away; the workers' memory stays, touched as a run touches it.
  static func measure(_ choice: Scenario.StrategyChoice, _ context: RunContext, seconds: Double)
    throws(Failure) -> SpeedProbe
  {
    var probe = SpeedProbe()
    probe.evaluation = evaluationRate(context)
    var context = context
    context.mostJobs = context.pool.workers
    let most =
      context.split.clients.map { client in
        client.isEmpty
          ? 0
          : context.problem.settings.work.steps(
            examples: client.count, batch: context.problem.settings.batch)
      }.max() ?? 0
    guard context.scenario.federation.rounds > 0, most > 0 else { return probe }
    var steps = 1
    let start = SystemClock.steady()
    while true {
      let began = SystemClock.steady()
      context.problem.settings.work = .steps(steps)
      let simulation = try Experiment.simulation(of: choice, context)
      var (flops, busy) = (0, 0.0)
      let prepared = SystemClock.steady()
      // The first measure of all fills caches; the second counts. Cohorts may be empty.
      var measures = steps == 1 ? 2 : 1
      while measures > 0, simulation.round < min(64, context.scenario.federation.rounds) {
        guard let round = try? simulation.runRound() else { return probe }
        let computed = round.clientFLOPs.reduce(0, +)
        if computed == 0 { continue }
        (flops, busy) = (computed, round.trainSeconds)
        measures -= 1
      }
      context.forgetModels()
      guard flops > 0, busy > 0 else { return probe }
      probe.training = Double(flops) / busy
      let now = SystemClock.steady()
      let left = seconds - (now - start)
      // What steps cost beside what every round costs is not known yet: a cautious growth.
      let perStep = max((now - prepared) / Double(steps), 1e-6)
      let fitting = Int((left - (prepared - began)) / perStep)
      let next = min(most, 8 * steps, fitting)
      guard left > 0, next > steps else { return probe }
      steps = next
    }
  }

  private static func evaluationRate(_ context: RunContext) -> Double? {
    let network = context.network
    let count = min(context.test.images.count, 2 * network.evaluationBatch)
    guard count > 0 else { return nil }
    var rate: Double?
    for _ in 0..<2 {
      let before = context.flops
      let start = SystemClock.steady()
      context.pool.run(context.pool.workers) { worker, _ in
        let space = context.spaces[worker]
        space.load(context.problem.initial)
        return network.measure(space, context.test, Array(0..<count))
      } fold: { _, _ in
      }
      let seconds = SystemClock.steady() - start
      if seconds > 0 { rate = Double(context.flops - before) / seconds }
    }
    context.forgetModels()
    return rate
  }
}
