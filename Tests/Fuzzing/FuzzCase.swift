/// The kinds of tries.
package enum FuzzKind: String, CaseIterable, Sendable {
  /// Scenarios with wrong fields and broken texts, validated.
  case scenarios
  /// Small valid scenarios, run, resumed, reported, verified.
  case runs
  /// Pairs of settings, each pair in some small run.
  case pairs
  /// Damaged data files and files beside them.
  case data
  /// Damaged run folders.
  case folders
  /// Sweep files, valid and not.
  case sweeps
  /// Command lines.
  case words
  /// The calculator `fedsim privacy`.
  case calculator

  /// What `make fuzz` says of it.
  package var summary: String {
    switch self {
    case .scenarios: "scenarios with wrong fields and broken texts, through validate"
    case .runs: "small valid scenarios through validate, run, report, verify, resume"
    case .pairs: "pairs of strategy, codec, privacy, clock, model and others, each in a small run"
    case .data: "damaged data files, weights, partitions, traces, tables"
    case .folders: "damaged run and sweep folders through report, compare, verify, audit, resume"
    case .sweeps: "sweep files, valid and not, listed and run"
    case .words: "command lines with changed options, values, paths"
    case .calculator: "fedsim privacy with numbers at all ends"
    }
  }
}

/// A file that a try starts with.
package struct InputFile: Sendable, Equatable {
  package var path: String
  package var bytes: [UInt8]

  package init(_ path: String, _ bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
  }

  package init(_ path: String, _ text: String) { self.init(path, Array(text.utf8)) }
}

/// One call of the program.
package struct Step: Sendable, Equatable {
  /// The words; scalars U+E080 to U+E0FF stand for the raw bytes 0x80 to 0xFF.
  package var words: [String]
  /// Whether stdout is a device without room.
  package var isStdoutFull = false

  package init(_ words: [String], isStdoutFull: Bool = false) {
    self.words = words
    self.isStdoutFull = isStdoutFull
  }

  package init(_ words: String...) { self.init(words) }

  /// The command, as far as it can be told.
  package var command: String { words.first { !$0.hasPrefix("-") } ?? "" }

  /// The words as a shell takes them.
  package var line: String {
    let quoted = words.map { word in
      let isPlain = !word.isEmpty && word.utf8.allSatisfy { Self.isPlain($0) }
      return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
    return (["fedsim"] + quoted).joined(separator: " ") + (isStdoutFull ? " > /dev/full" : "")
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "_-.,/=:+".utf8.contains(byte)
    }
  }
}

/// A try: what lies in its folder, and what is called there.
package struct FuzzCase: Sendable, Equatable {
  package let kind: FuzzKind
  package let seed: UInt64
  package let number: Int
  package var files: [InputFile] = []
  /// Symbolic links: name and what it leads to.
  package var links: [Link] = []
  /// Prepared folders that are copied first.
  package var copies: [Copy] = []
  /// What is changed in the copies.
  package var damages: [Damage] = []
  package var steps: [Step] = []
  /// Whether a scenario that `validate` accepts must not be refused by `run`.
  package var mustRunWhenValid = false
  /// Whether data that `data check` accepts must not be refused by `run`.
  package var mustReadWhenChecked = false

  /// A symbolic link.
  package struct Link: Sendable, Equatable {
    package var name: String
    package var target: String

    package init(_ name: String, to target: String) {
      self.name = name
      self.target = target
    }
  }

  /// A copy of a prepared folder.
  package struct Copy: Sendable, Equatable {
    package var sample: PreparedFolder
    package var name: String

    package init(_ sample: PreparedFolder, as name: String) {
      self.sample = sample
      self.name = name
    }
  }

  package init(_ kind: FuzzKind, seed: UInt64, number: Int) {
    self.kind = kind
    self.seed = seed
    self.number = number
  }

  /// Its own draws.
  package var dice: Dice { Dice(seed: seed, kind: kind.rawValue, number: number) }
}

/// What a try showed to be wrong.
package struct Finding: Sendable {
  /// Which rule is broken, such as "signal".
  package let oracle: String
  /// The step that broke it.
  package let step: Int
  /// What was seen, on a line.
  package let detail: String
  /// Equal for findings that probably have the same cause.
  package let signature: String
}
