import SprintCommunication
import SprintInstruments
import SprintKernels
import SprintTraining
import Testing

@Suite struct TrainingPlanTests {
  private func plan(_ size: String, side: Int = 32, ranks: Int = 1, _ more: String = "") throws -> TrainingPlan {
    let text = """
      model: {size: \(size), side: \(side), channels: 4, classes: 1000}
      data: {train: [none.h5]}
      \(more)
      """
    let rates = try MachineRates(.single(), Workers(1), matrixProducts: 200e9, linkBandwidth: 1e9)
    return try TrainingPlan(
      Configuration(ConfigurationDocument(text: text, source: "test")), ranks: ranks, threads: 2, rates: rates)
  }

  @Test("The work is that of the published models: about 85 and 238 GFLOP for XL/2, 23 and 47 for B/2")
  func work() throws {
    let extraLarge = try plan("XL").stages
    #expect(abs(extraLarge[0].forwardGflop - 85) < 1 && abs(extraLarge[1].forwardGflop - 238) < 1)
    #expect(
      abs(extraLarge[0].trainingGflop - 3 * extraLarge[0].forwardGflop) < 1e-9
        && abs(extraLarge[0].shareOfDense - 85.03 / 238.6) < 1e-3)
    let base = try plan("B").stages
    #expect(abs(base[0].forwardGflop - 23.3) < 0.3 && abs(base[1].forwardGflop - 46.6) < 0.3)
    #expect(base[1].shareOfDense == 1)
  }

  @Test("Memory, transfer and disk space follow from the number of weights, and shards from the number of ranks")
  func sizes() throws {
    let (one, four) = (try plan("S"), try plan("S", ranks: 4))
    func bytes(_ plan: TrainingPlan, _ part: String) -> Double { plan.memory.first { $0.part == part }?.bytes ?? 0 }
    let weights = Double(one.weights)
    #expect(bytes(one, "weights") == 4 * weights && bytes(one, "moving average and moments") == 12 * weights)
    #expect(bytes(four, "moving average and moments") == 3 * weights)
    #expect(one.memoryNeeded == one.memory.reduce(0) { $0 + $1.bytes })
    #expect(bytes(four, "activations") < bytes(one, "activations") / 3.9)
    #expect(one.wireBytes == 0 && four.wireBytes == 2 * weights * 4 * 3 / 4)
    #expect(try plan("S", ranks: 4, "distribution: {wire: bf16}").wireBytes == weights * (2 + 4) * 3 / 4)
    // Three checkpoints are kept while a fourth is written.
    #expect(one.checkpointBytes == 16 * weights && one.diskBytes == 4 * 16 * weights)
    #expect(try plan("S", "memory: {recompute: blocks}").memory[3].bytes < bytes(one, "activations") / 2)
  }

  @Test("plan says whether the machine has enough memory, and says nothing where the system does not tell")
  func fit() throws {
    let text = "model: {size: S, side: 32, channels: 4, classes: 1000}\ndata: {train: [none.h5]}"
    let configuration = try Configuration(ConfigurationDocument(text: text, source: "test"))
    let rates = try MachineRates(.single(), Workers(1), matrixProducts: 200e9, linkBandwidth: 1e9)
    func fits(_ machine: MachineMemory) throws -> Bool? {
      try TrainingPlan(configuration, ranks: 1, threads: 1, rates: rates, machine: machine).fits
    }
    #expect(try fits(MachineMemory([.host: 1e15])) == true)
    #expect(try fits(MachineMemory([.host: 1e15, .data: 1e6])) == false)
    #expect(try fits(MachineMemory([:])) == nil)
  }

  @Test("Scaling ends at the batch and is never better than ideal; the time is the sum over steps of their seconds")
  func scaling() throws {
    let plan = try plan("B")
    #expect(plan.scaling.map(\.ranks) == [1, 2, 4, 8, 16, 32, 64, 128, 256])
    #expect(
      plan.scaling[0].efficiency == 1
        && plan.scaling.dropFirst().allSatisfy { $0.efficiency < 1.01 && $0.efficiency > 0 })
    let hours = plan.stages.reduce(0) { $0 + Double($1.steps) * $1.secondsPerStep / 3600 }
    #expect(abs(plan.hours - hours) < 1e-9 * hours && plan.coreHours == 2 * plan.hours)
    #expect(throws: RunError.self) { try self.plan("B", ranks: 300) }
  }
}
