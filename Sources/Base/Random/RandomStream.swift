/// What a random stream is used for.
///
/// Part of a stream's address, so that two uses never share numbers. The raw values are part of the
/// results: never renumber, only append.
public enum Purpose: UInt64, Sendable, CaseIterable {
  case initialWeights = 1
  case syntheticData = 2
  case longTail = 3
  case partition = 4
  case localTests = 5
  case cohort = 6
  case batchOrder = 7
  case augmentation = 8
  case dropout = 9
  case strategy = 10
  case server = 11
  case publicData = 20
  case styles = 21
  case pretrainData = 22
  case dpNoise = 30
  case dpSampling = 31
  case dpRounding = 32
  case audit = 33
  case compression = 40
  case deviceSpeed = 50
  case deviceNetwork = 51
  case deviceAvailability = 52
  case deviceDropout = 53
  case messageLoss = 54
  case asynchronousStart = 55
  case candidates = 60
  case oortExploitation = 61
  case oortExploration = 62
  case cohortGroups = 63
  case signFlips = 70
  case sweep = 80
  case test = 99
}

/// A counter-based random stream: the n-th number is a pure function of the address and n.
///
/// The address (seed, purpose, round, client, step) is mixed into a 64-bit key; number n is the
/// SplitMix64 finaliser of key + (n + 1)·γ with γ = 0x9E3779B97F4A7C15. Nothing is threaded from
/// one use to the next, so neither worker order nor a resume can change a draw.
/// Not cryptographic: anyone who knows the seed can repeat every draw.
///
/// - Source: Steele, Lea and Flood, OOPSLA 2014 (SplitMix64); Salmon et al., SC 2011 (the idea).
public struct RandomStream: RandomNumberGenerator, Sendable {
  /// The mixed address.
  public let key: UInt64
  /// How many 64-bit numbers have been taken.
  public private(set) var counter: UInt64 = 0

  package static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// The stream at an address; fields that have no meaning for a purpose stay 0.
  public init(seed: UInt64, _ purpose: Purpose, round: Int = 0, client: Int = 0, step: Int = 0) {
    // Written out: a loop over an array would allocate in every training step.
    var state = Self.mix(seed &+ Self.gamma)
    state = Self.absorb(state, purpose.rawValue)
    state = Self.absorb(state, UInt64(round))
    state = Self.absorb(state, UInt64(client))
    state = Self.absorb(state, UInt64(step))
    key = state
  }

  private static func absorb(_ state: UInt64, _ word: UInt64) -> UInt64 {
    mix((state ^ mix(word &+ gamma)) &+ gamma)
  }

  /// The next 64 uniform bits.
  public mutating func next() -> UInt64 {
    counter &+= 1
    return Self.mix(key &+ counter &* Self.gamma)
  }

  /// SplitMix64's finaliser, a bijection of 64-bit words.
  public static func mix(_ word: UInt64) -> UInt64 {
    var z = word
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in [0, 1), 53 bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in 0 ..< bound, without bias (Lemire 2019, arXiv:1805.10941).
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "RandomStream.below: bound is \(bound)")
    let range = UInt64(bound)
    var product = next().multipliedFullWidth(by: range)
    if product.low < range {
      let threshold = (0 &- range) % range
      while product.low < threshold { product = next().multipliedFullWidth(by: range) }
    }
    return Int(product.high)
  }

  /// Fisher–Yates shuffle with this stream; O(n).
  ///
  /// Not generic: a generic one would run unspecialised, and allocate for each swap, when called
  /// from another module.
  public mutating func shuffle(_ items: inout [Int]) {
    var last = items.count - 1
    while last > 0 {
      items.swapAt(last, below(last + 1))
      last -= 1
    }
  }

  /// 0 ..< count in random order.
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    shuffle(&order)
    return order
  }
}
