import Foundation
import SprintKernels
import SprintTestSupport
import Testing

extension ProcessTests {
  /// Benches measure, and scripts can read their results. No test judges a speed.
  @Suite struct BenchTests {
    private let folder: TemporaryFolder

    /// The temporary folder of `sprint bench`.
    private let temporary: String

    init() throws {
      folder = try TemporaryFolder()
      temporary = folder.file("temporary")
      try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
    }

    /// Runs a bench and returns the JSON object that it prints.
    private func object(_ executable: String, _ arguments: [String], environment: [String: String?] = [:]) throws
      -> [String: Any]
    {
      let command = try SprintCommand(executable, arguments + ["--json"], environment: environment, in: folder)
      let outcome = try command.wait(120)
      #expect(outcome.code == 0 && outcome.output.split(separator: "\n").count == 1, "\(outcome)")
      return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    private func bench(_ arguments: [String]) throws -> [String: Any] {
      try object(SprintCommand.sprint, ["bench"] + arguments, environment: ["TMPDIR": temporary])
    }

    @Test(
      "bench train reports speed, memory and the parts of a step, which add up to the step",
      arguments: ["none", "blocks"])
    func train(recompute: String) throws {
      let found = try bench(["train", "--size", "S", "--batch", "2", "--steps", "2", "--recompute", recompute])
      let parts = try #require(found["parts"] as? [String: Double])
      for key in ["images_per_second", "peak_gib", "peak_share", "peak_gflops", "gflops"] {
        #expect(try #require(found[key] as? Double) > 0, "\(key)")
      }
      for key in ["matrix_products", "attention", "element_wise", "optimizer"] {
        #expect(parts[key] ?? 0 > 0, "\(key)")
      }
      let step = try #require(found["seconds_per_step"] as? Double)
      let sum = parts.values.reduce(0, +)
      #expect(sum > 0.5 * step && sum < 1.5 * step, "parts \(parts) of \(step) s")
      #expect(try FileManager.default.contentsOfDirectory(atPath: temporary).isEmpty, "the bench left files behind")
    }

    private func onTwoRanks(_ options: [String]) throws -> [String: Any] {
      try object(
        "/usr/bin/mpirun",
        [
          "--allow-run-as-root", "--oversubscribe", "-np", "2", SprintCommand.sprint, "bench", "train", "--size", "S",
          "--batch", "2", "--steps", "2", "--threads", "1",
        ] + options, environment: ["TMPDIR": temporary])
    }

    /// If this fails, weights or gradients travel in float32 though passes compute in bfloat16.
    @Test("Two ranks send half the bytes in bfloat16")
    func bytesSent() throws {
      func bytes(_ options: [String]) throws -> Double {
        try #require(try onTwoRanks(options)["bytes_sent_per_step"] as? Double)
      }
      let (whole, half) = (try bytes([]), try bytes(["--precision", "bfloat16", "--wire", "bf16"]))
      #expect(whole > 1e8 && abs(half / whole - 0.5) < 0.01, "\(half) of \(whole) bytes")
    }

    @Test("bench train --trace writes the stretches of one step as Chrome's trace events")
    func trace() throws {
      let path = folder.file("trace.json")
      let found = try bench(["train", "--size", "S", "--batch", "2", "--steps", "2", "--trace", path])
      let file = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any]
      let events = try #require(file?["traceEvents"] as? [[String: Any]])
      let kinds = Set(events.compactMap { $0["cat"] as? String })
      #expect(kinds.isSuperset(of: ["task", "product", "attention", "block", "optimizer", "waiting"]), "\(kinds)")
      let step = try #require(found["seconds_per_step"] as? Double)
      for event in events {
        let (start, duration) = (event["ts"] as? Double ?? -1, event["dur"] as? Double ?? -1)
        #expect(event["ph"] as? String == "X" && start >= 0 && duration >= 0 && start + duration < 20e6 * step)
      }
    }

    @Test("bench sample and bench data report their rates", .tags(.alone))
    func sampleAndData() throws {
      let sample = try bench(["sample", "--size", "S", "--batch", "2", "--steps", "1", "--rounds", "1"])
      #expect(try #require(sample["images_per_second"] as? Double) > 0)
      let data = try bench(["data", "--megabytes", "20", "--rounds", "1", "--threads", "2"])
      #expect(try #require(data["read_per_second"] as? Double) > (data["prepared_per_second"] as? Double ?? .infinity))
    }

    @Test(
      "bench reduce computes right sums over real ranks with both number types on the wire", arguments: ["f32", "bf16"])
    func reduce(wire: String) throws {
      let found = try object(
        "/usr/bin/mpirun",
        [
          "--allow-run-as-root", "--oversubscribe", "-np", "3", SprintCommand.sprint, "bench", "reduce", "--megabytes",
          "8", "--rounds", "2", "--wire", wire, "--no-sharded",
        ])
      #expect(found["is_right"] as? Bool == true && found["ranks"] as? Int == 3, "\(found)")
    }
  }
}
