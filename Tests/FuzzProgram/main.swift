import Foundation
import Fuzzing

/// `fuzz PROGRAM [NAME=VALUE]...`: what `make fuzz` calls.
private func complain(_ text: String) -> Never {
  FileHandle.standardError.write(Data("fuzz: \(text)\n".utf8))
  exit(2)
}

/// Lines appear when they are written, whoever reads them.
@Sendable private func say(_ text: String) {
  FileHandle.standardOutput.write(Data((text + "\n").utf8))
}

private let words = Array(CommandLine.arguments.dropFirst())
guard let program = words.first else {
  complain("usage: fuzz PROGRAM [SEED=1] [TRIES=200 | MINUTES=5] [KINDS=a,b] [TRY=N] [OUT=DIR]")
}

guard FileManager.default.isExecutableFile(atPath: program) else {
  complain("\(program): no program")
}

private var plan = Fuzzer.Plan()
private var target = Target(program: URL(filePath: program).path(percentEncoded: false))
for word in words.dropFirst() {
  let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
  guard parts.count == 2 else { complain("\(word): expected NAME=VALUE") }
  let value = String(parts[1])
  // A variable of make that is not set.
  if value.isEmpty { continue }
  switch parts[0] {
  case "SEED":
    guard let seed = UInt64(value) else { complain("SEED: a whole number") }
    plan.seed = seed
  case "TRIES":
    guard let tries = Int(value), tries > 0 else { complain("TRIES: a whole number above 0") }
    plan.tries = tries
  case "TRY":
    guard let number = Int(value), number >= 0 else { complain("TRY: a whole number") }
    (plan.first, plan.tries, plan.workers) = (number, 1, 1)
  case "FIRST":
    guard let number = Int(value), number >= 0 else { complain("FIRST: a whole number") }
    plan.first = number
  case "MINUTES":
    guard let minutes = Double(value), minutes > 0 else { complain("MINUTES: a number above 0") }
    (plan.minutes, plan.tries) = (minutes, nil)
  case "WORKERS":
    guard let workers = Int(value), workers > 0 else { complain("WORKERS: a whole number above 0") }
    plan.workers = workers
  case "KINDS":
    let kinds = value.split(separator: ",").map { FuzzKind(rawValue: String($0)) }
    let known = FuzzKind.allCases.map(\.rawValue).joined(separator: ", ")
    guard !kinds.contains(nil) else { complain("KINDS: some of \(known)") }
    plan.kinds = kinds.compactMap(\.self)
  case "OUT": plan.folder = value
  default: complain("unknown \(parts[0])")
  }
}

for kind in plan.kinds { say("\(kind.rawValue): \(kind.summary)") }
private let result = Fuzzer(plan, target: target).run(say)
say("")
for report in result.reports { say(report.text + "\n") }
say("\(result.tries) tries, \(result.reports.count) kinds of findings, seed \(plan.seed)")
exit(result.reports.isEmpty ? 0 : 1)
