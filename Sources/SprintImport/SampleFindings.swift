import SprintCommunication
import SprintFormats

/// What is odd about some samples: those that cannot be used, and those that hold nothing but zeros.
struct SampleFindings: Sendable {
  /// How many samples get a line of their own, and how many of them one line names.
  static let (mostTold, mostNamed) = (1000, 20)

  /// The number of samples that were looked at.
  private(set) var tried = 0
  /// The number of samples that cannot be used.
  private(set) var broken = 0
  /// What is wrong with the first of them.
  private(set) var problems: [String] = []
  private var told = 0
  /// The number of samples that are all zeros, and the first of them.
  private(set) var zeros = 0
  private(set) var firstZero: Int?

  init(tried: Int = 0) { self.tried = tried }

  mutating func noteBroken(_ problem: String) {
    broken += 1
    if problems.count < Self.mostTold { problems.append(problem) }
  }

  mutating func noteZero(_ index: Int) {
    zeros += 1
    firstZero = min(firstZero ?? index, index)
  }

  /// Adds the findings of all ranks, in the order of ranks. All ranks call it and get the counts; rank zero alone gets
  /// the problems and the first sample of zeros.
  mutating func add(_ own: SampleFindings, of communicator: Communicator) throws {
    let counts = try communicator.sum([Double(own.tried), Double(own.broken), Double(own.zeros)])
    (tried, broken, zeros) = (tried + Int(counts[0]), broken + Int(counts[1]), zeros + Int(counts[2]))
    let all = try communicator.gather([own.firstZero ?? .max, own.problems.count])
    if let first = all.map({ $0[0] }).min(), first < .max { firstZero = min(firstZero ?? .max, first) }
    let most = Int(try communicator.broadcast([Double(all.map { $0[1] }.max() ?? 0)])[0])
    let texts = try (0..<most).map { try communicator.gather($0 < own.problems.count ? own.problems[$0] : "") }
    for rank in all.indices {
      problems += texts.map { $0[rank] }.filter { !$0.isEmpty }.prefix(Self.mostTold - problems.count)
    }
  }

  /// Tells the problems that were not told yet. A single one waits for the end, which tells it alone.
  mutating func tell(atOnce: Bool, _ note: (String) -> Void) {
    guard atOnce || broken > 1 else { return }
    problems[told...].forEach(note)
    told = problems.count
  }

  /// Tells how many samples are all zeros, if there are any.
  func noteZeros(_ name: (Int) -> String, _ note: (String) -> Void) {
    guard zeros > 0, let firstZero else { return }
    note(
      "\(zeros) of \(tried) samples hold nothing but zeros, the first is \(name(firstZero)); were they ever written?")
  }
}
