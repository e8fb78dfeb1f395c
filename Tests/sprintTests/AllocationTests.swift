import Foundation
import SprintKernels
import SprintTestSupport
import Testing

extension ProcessTests {
  @Suite struct AllocationTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Trains `steps` steps without a checkpoint. Returns the bytes that the process allocates and the number of
    /// allocations of 4 KiB or more.
    private func allocations(steps: Int, _ precision: Precision) throws -> (bytes: Int, large: Int) {
      let (run, counts) = (folder.file("run \(steps)"), folder.file("allocations \(steps)"))
      let outcome = try SprintCommand(
        SprintCommand.sprint,
        [
          "train", "--config", "configs/digits.yaml", "--run", run, "--until", "\(steps)",
          "--set", "checkpoint.keep=0", "--set", "precision=\(precision.rawValue)",
          // oneDNN makes kernels once for each number of samples whose deep path is dropped.
          "--set", "stages[0].path_drop=0",
        ],
        environment: ["LD_PRELOAD": SprintCommand.build + "/libFaultInjector.so", "SPRINT_ALLOCATIONS": counts],
        in: folder
      ).wait(120)
      #expect(outcome.code == 0, "\(outcome)")
      let numbers = try String(contentsOfFile: counts, encoding: .utf8).split(whereSeparator: \.isWhitespace)
        .compactMap { Int($0) }
      try #require(numbers.count == 2)
      return (numbers[0], numbers[1])
    }

    /// If this fails, a step allocates memory that grows with the batch, the image or the network. The bookkeeping of a
    /// step (its report, its line in the log, the parallel loops) takes a few kilobytes in small pieces, and that of
    /// oneDNN 150 bytes for each of its products, 6,000 a step here.
    @Test("A training step allocates no memory for its computations", arguments: Precision.allCases)
    func step(precision: Precision) throws {
      let (few, many) = (try allocations(steps: 10, precision), try allocations(steps: 30, precision))
      #expect(
        few.large > 20 && few.bytes > 20_000_000, "the counter misses the arenas, which are allocated at the start")
      #expect(many.large - few.large < 4, "\(many.large - few.large) allocations of 4 KiB or more in 20 steps")
      let most = precision == .float32 ? 65_536 : 65_536 + 6_000 * 200
      #expect((many.bytes - few.bytes) / 20 < most, "\((many.bytes - few.bytes) / 20) bytes a step")
    }
  }
}
