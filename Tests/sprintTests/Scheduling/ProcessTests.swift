import Testing

/// Tests that start processes. Several run at once, as their tags allow; the cases of one test run one after another.
@Suite(.inTurn) enum ProcessTests {}

extension Tag {
  /// The processes mostly wait: for a timeout, a host that stands still, a disk. Such a test runs beside tests that
  /// compute.
  @Tag static var waits: Self

  /// The test judges times or memory, or its ranks need all cores: nothing runs beside it.
  @Tag static var alone: Self
}

/// Runs a test when its turn has come, on a thread of its own: waiting for processes blocks threads, of which Swift
/// has only one for each core.
struct InTurn: SuiteTrait, TestTrait, TestScoping {
  let isRecursive = true

  func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? { test.isSuite || testCase != nil ? nil : self }

  func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void)
    async throws
  {
    let kind: Turns.Kind = test.tags.contains(.alone) ? .alone : test.tags.contains(.waits) ? .waiting : .computing
    try await Turns.shared.take(kind) {
      try await withTaskExecutorPreference(ThreadExecutor.shared) {
        let cases: ParallelizationTrait = .serialized
        try await cases.provideScope(for: test, testCase: nil, performing: function)
      }
    }
  }
}

extension Trait where Self == InTurn {
  /// Runs each test when its turn has come.
  static var inTurn: Self { InTurn() }
}
