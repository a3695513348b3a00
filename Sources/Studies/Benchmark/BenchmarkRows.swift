import Base
import Federation
import Records
import Tensor

/// One line of JSON per measurement, with the fields that the programs in `bench/` print, too.
extension WorkloadResult {
  package var secondsPerRound: Double { Metrics.median(laps.map(\.seconds)) }
  /// 10⁹ floating-point operations per second; products only, see ``Network/trainingFLOPs``.
  package var gigaflops: Double { Double(flopsPerRound) / secondsPerRound / 1e9 }
  /// Median over the rounds of what everything else kept busy, in CPUs.
  package var noise: Double { Metrics.median(laps.map(\.noise)) }
  /// Median CPUs in use.
  package var cpus: Double { Metrics.median(laps.map(\.own)) }

  /// What is varied.
  package var variant: String {
    var words = ["threads=\(settings.threads)"]
    if let sigma = workload.noiseMultiplier {
      words.append("dp-sgd,noise=\(JSON.number(sigma).compact)")
    } else if Workload.named(workload.name)?.noiseMultiplier != nil {
      words.append("plain")
    }
    if workload.hasDropout != Workload.named(workload.name)?.hasDropout {
      words.append("dropout=\(workload.hasDropout ? 1 : 0)")
    }
    if !settings.files.isEmpty { words.append("given_files") }
    return words.joined(separator: ",")
  }

  /// `limits`: of as many threads, when measured in the same run.
  package func json(limits: SpeedLimits?) -> JSON {
    let seconds = laps.map(\.seconds)
    var members: [(String, JSON)] = [
      ("peer", "fedsim"), ("variant", .string(variant)), ("workload", .string(workload.name)),
      ("rounds", .int(laps.count)), ("sec_per_round", .rounded(secondsPerRound, 5)),
      ("sec_min", .rounded(seconds.min() ?? .nan, 5)),
      ("sec_max", .rounded(seconds.max() ?? .nan, 5)),
      ("samples_per_s", .rounded(Double(workload.samplesPerRound) / secondsPerRound, 1)),
      ("gflop_per_round", .rounded(Double(flopsPerRound) / 1e9, 4)),
      ("gflop_s", .rounded(gigaflops, 2)),
      ("us_per_client", .rounded(secondsPerRound / Double(workload.cohort) * 1e6, 1)),
      ("cpus_used", .rounded(cpus, 2)), ("noise", .rounded(noise, 3)),
      ("first_round_s", .rounded(firstRound, 4)), ("since_start_s", .rounded(sinceStart, 3)),
      ("peak_rss_mb", .rounded(peakMebibytes ?? .nan, 1)),
      ("update_l2_round0", .rounded(updateNorm, 6)),
      ("versions", .string(MachineFacts.current.buildTitle)),
      ("round_s", .array(seconds.map { .rounded($0, 4) })),
      ("round_noise", .array(laps.map { .rounded($0.noise, 2) })),
      ("threads", .int(settings.threads)),
    ]
    if let limits, limits.threads == settings.threads {
      members += [
        ("fma_limit_gflop_s", .rounded(limits.multiplyAdd, 1)),
        ("share_of_limit", .rounded(gigaflops / limits.multiplyAdd, 4)),
      ]
    }
    return .object(members)
  }
}

extension MeanSpeed {
  /// One line of JSON.
  package var json: JSON {
    let seconds = laps.map(\.seconds)
    return [
      "peer": "fedsim", "variant": .string("threads=\(threads)"), "workload": "w5",
      "rounds": .int(laps.count), "updates": .int(updates), "parameters": .int(parameters),
      "sec": .rounded(Metrics.median(seconds), 5), "sec_min": .rounded(seconds.min() ?? .nan, 5),
      "sec_max": .rounded(seconds.max() ?? .nan, 5), "gb_s": .rounded(gigabytesPerSecond, 2),
      "read_gb_s": .rounded(read, 2), "share_of_read": .rounded(gigabytesPerSecond / read, 4),
      "correct": .bool(isRight), "relative_error": .number(error),
      "cpus_used": .rounded(Metrics.median(laps.map(\.own)), 2),
      "noise": .rounded(Metrics.median(laps.map(\.noise)), 3),
      "peak_rss_mb": .rounded(peakMebibytes ?? .nan, 1),
      "versions": .string(MachineFacts.current.buildTitle),
      "round_s": .array(seconds.map { .rounded($0, 4) }), "threads": .int(threads),
    ]
  }
}

extension SpeedLimits {
  /// One line of JSON.
  package var json: JSON {
    [
      "peer": "fedsim", "workload": "limits", "threads": .int(threads),
      "fma_gflop_s": .rounded(multiplyAdd, 1), "read_gb_s": .rounded(read, 2),
      "copy_gb_s": .rounded(copy, 2), "triad_gb_s": .rounded(triad, 2),
      "array_mib": .rounded(Double(arrayCount) / Double(1 << 18), 1),
      "versions": .string(MachineFacts.current.buildTitle),
    ]
  }
}

extension LayerSpeed {
  /// 10⁹ floating-point operations per second of the forward pass.
  package var forwardSpeed: Double { Double(flops) / forward / 1e9 }
  /// The same of the weights' gradient.
  package var weightSpeed: Double { Double(flops) / weightGradient / 1e9 }
  /// The same of the input's gradient; 0 where there is none.
  package var inputSpeed: Double { inputGradient.map { Double(flops) / $0 / 1e9 } ?? 0 }
  /// The same of all passes of a training step together.
  package var speed: Double { Double(trainingFLOPs) / seconds / 1e9 }

  /// `limits`: of one thread, when measured in the same run.
  package func json(limits: SpeedLimits?) -> JSON {
    var members: [(String, JSON)] = [
      ("peer", "fedsim"), ("workload", "kernels"), ("model", .string(model)),
      ("layer", .string(layer)), ("batch", .int(batch)), ("threads", 1),
      ("mflop", .rounded(Double(flops) / 1e6, 1)), ("forward", .rounded(forwardSpeed, 1)),
      ("input_grad", .rounded(inputSpeed, 1)), ("weight_grad", .rounded(weightSpeed, 1)),
      ("all", .rounded(speed, 1)), ("us_all", .rounded(seconds * 1e6, 1)),
    ]
    if let limits, limits.threads == 1 {
      members += [
        ("fma_limit_gflop_s", .rounded(limits.multiplyAdd, 1)),
        ("share_of_limit", .rounded(speed / limits.multiplyAdd, 4)),
      ]
    }
    return .object(members)
  }
}

extension MachineFacts {
  /// Such as "fedsim 0.1 release avx512, OpenBLAS SkylakeX".
  var buildTitle: String {
    "fedsim \(FedsimVersion.current) \(build) \(compiledFor), OpenBLAS \(blas.coreType)"
  }
}

extension JSON {
  /// A number with so many decimals; null when not finite.
  package static func rounded(_ value: Double, _ decimals: Int) -> JSON {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    return .number((value * scale).rounded() / scale)
  }
}
