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
    let rates = try MachineRates(.single(), Workers(1), matrixProducts: 200e9, network: 1e9)
    return try TrainingPlan(
      Configuration(ConfigurationDocument(text: text, source: "test")), ranks: ranks, threads: 2, rates: rates)
  }

  @Test("Work is that of the published models: XL/2 about 85 and 238 GFLOP, B/2 about 23 and 47")
  func work() throws {
    let xl = try plan("XL").stages
    #expect(abs(xl[0].forwardGflop - 85) < 1 && abs(xl[1].forwardGflop - 238) < 1)
    #expect(abs(xl[0].trainingGflop - 3 * xl[0].forwardGflop) < 1e-9 && abs(xl[0].shareOfDense - 85.03 / 238.6) < 1e-3)
    let b = try plan("B").stages
    #expect(abs(b[0].forwardGflop - 23.3) < 0.3 && abs(b[1].forwardGflop - 46.6) < 0.3)
    #expect(b[1].shareOfDense == 1)
  }

  @Test("Memory, wire and disk follow from the weights, and shards from the ranks")
  func sizes() throws {
    let (one, four) = (try plan("S"), try plan("S", ranks: 4))
    func bytes(_ plan: TrainingPlan, _ part: String) -> Double { plan.memory.first { $0.part == part }?.bytes ?? 0 }
    let weights = Double(one.weights)
    #expect(bytes(one, "weights") == 4 * weights && bytes(one, "moving average and moments") == 12 * weights)
    #expect(bytes(four, "moving average and moments") == 3 * weights)
    #expect(bytes(four, "activations") < bytes(one, "activations") / 3.9)
    #expect(one.wireBytes == 0 && four.wireBytes == 2 * weights * 4 * 3 / 4)
    #expect(try plan("S", ranks: 4, "distribution: {wire: bf16}").wireBytes == weights * (2 + 4) * 3 / 4)
    // Three are kept, one is being written.
    #expect(one.checkpointBytes == 16 * weights && one.diskBytes == 4 * 16 * weights)
    #expect(try plan("S", "memory: {recompute: blocks}").memory[3].bytes < bytes(one, "activations") / 2)
  }

  @Test("Scaling goes as far as the batch, never beyond ideal, and time is steps times their seconds")
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
