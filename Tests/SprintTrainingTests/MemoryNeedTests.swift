import Foundation
import SprintCommunication
import SprintKernels
import SprintTestSupport
import Testing

import SprintTraining

/// What a run needs is compared with what the machine has before anything is allocated.
@Suite struct MemoryNeedTests {
  private func configuration(_ settings: [String] = []) throws -> Configuration {
    try Configuration(
      ConfigurationDocument(text: ConfigurationTests.valid, source: "c.yaml", settings: settings + ["threads=2"]))
  }

  @Test("The need counts the arenas that a trainer really takes, so that train refuses neither too early nor too late")
  func arenas() throws {
    let folder = try TemporaryFolder()
    var random = Randomness("training data")
    try DatasetFile.write(
      folder.file("data.h5"), shape: [20, 1, 4, 4], values: random.normal(320), labels: (0..<20).map { Int64($0 % 3) })
    let configuration = try configuration(["data.train=[\(folder.file("data.h5"))]"])
    let trainer = try Trainer(configuration, folder: RunFolder(path: folder.file("run")), resume: .never) { _ in }
    let need = MemoryNeed(configuration, ranks: 1, threads: 2)
    func bytes(_ part: String) -> Double? { need.parts.first { $0.part == part }?.bytes }
    #expect(bytes("activations") == 4 * Double(trainer.passFloats))
    #expect(bytes("moving average and moments") == Double(trainer.stateBytes))
    #expect(bytes("weights") == 4 * Double(trainer.network.layout.count))
    #expect(
      need.bytes(isRankZero: true) - need.bytes(isRankZero: false) == 16 * Double(trainer.network.layout.count))
  }

  @Test("Too little memory, of the host or of the process, is one line that names both sizes and what helps")
  func shortage() throws {
    let configuration = try configuration()
    let need = MemoryNeed(configuration, ranks: 1, threads: 2)
    let enough = MachineMemory.Limit.allCases.map { ($0, need.bytes(of: $0, isRankZero: true)) }
    try configuration.checkMemory(.single(), MachineMemory(Dictionary(uniqueKeysWithValues: enough)))
    try configuration.checkMemory(.single(), MachineMemory([:]))
    for (limit, bytes) in enough {
      #expect { try configuration.checkMemory(.single(), MachineMemory([limit: bytes - 1])) } throws: {
        let text = "\($0)"
        return $0 is MemoryShortage && text.hasPrefix("memory: rank 0 needs ") && text.contains("MiB")
          && text.contains("`accumulate`") && !text.contains("\n")
      }
    }
  }

  @Test("Each change that the message suggests lowers what a rank needs")
  func remedies() throws {
    // Large enough that the measurement at the start needs less than the activations do.
    let base =
      ["model.depth=[2,4,2]", "model.side=16", "model.width=256", "checkpoint.background=true"]
      + (0..<2).map { "stages[\($0)].batch=64" }
    func need(_ settings: [String], ranks: Int = 1, threads: Int = 2) throws -> Double {
      try MemoryNeed(configuration(base + settings), ranks: ranks, threads: threads).bytes(isRankZero: true)
    }
    let whole = try need([])
    func both(_ setting: String) -> [String] { (0..<2).map { "stages[\($0)].\(setting)" } }
    for settings in [
      both("batch=4"), both("accumulate=4"), ["memory.recompute=blocks"], ["checkpoint.background=false"],
    ] { #expect(try need(settings) < whole, "\(settings)") }
    #expect(try need([], threads: 1) < whole && need([], ranks: 4) < whole)
  }

  @Test("A pass of more tokens than can be numbered is refused, and `accumulate` makes passes that are not")
  func tokens() throws {
    let settings = ["model.side=4096", "model.patch=1", "stages[0].batch=1024", "stages[1].batch=4"]
    #expect { try configuration(settings).check(ranks: 1) } throws: { "\($0)".contains("raise `accumulate`") }
    try configuration(settings + ["stages[0].accumulate=1024"]).check(ranks: 1)
  }

  @Test("Every thread that multiplies takes its part of an address space, and nothing of the host's memory")
  func threads() {
    #expect(BLAS.threadBytes(300, of: .addressSpace) == 300 * BLAS.threadBytes(1, of: .addressSpace))
    #expect(BLAS.threadBytes(1, of: .data) > 0 && BLAS.threadBytes(1, of: .host) == 0)
  }

  @Test("Every rank refuses together where one of them has too little memory")
  func ranks() throws {
    let configuration = try configuration()
    _ = try Ranks.run(3) { communicator in
      let machine = MachineMemory(communicator.rank == 2 ? [.host: 1] : [:])
      #expect { try configuration.checkMemory(communicator, machine) } throws: {
        communicator.rank > 0 ? $0 is FailureElsewhere : "\($0)".hasPrefix("memory: rank 2 needs ")
      }
    }
  }

  @Test("The largest configuration that can be written needs a finite amount of memory: no product overflows")
  func largest() throws {
    let configuration = try configuration([
      "model={width: 65536, heads: 1, depth: [1000,1000,1000], side: 4096, patch: 1, channels: 4096, "
        + "classes: 1000000, mlp_ratio: 64}",
      "stages=[{batch: 1000000, steps: 1000000000}]", "checkpoint={keep: 1000000, keep_every: 1}",
      "validation.samples=1000000000000", "data.validation=[a.h5]", "samples={interval: 1, guidance: cfg}",
      "alignment={features: a, feature_width: 1000000, projector: 1000000, after_block: 3000}",
    ])
    let need = MemoryNeed(configuration, ranks: 1, threads: 4096)
    #expect(need.bytes(isRankZero: true).isFinite && need.bytes(isRankZero: true) > 1e18)
    #expect(configuration.totalSteps == 1_000_000_000)
    #expect(throws: RunError.self) { try configuration.check(ranks: 1) }
    #expect(throws: MemoryShortage.self) {
      try configuration.checkMemory(.single(), MachineMemory([.host: 1e15]))
    }
  }
}
