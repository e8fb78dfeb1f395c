import Foundation
import SprintFormats
import SprintTestSupport
import Testing

extension ProcessTests {
  /// `sprint evaluate` as a command.
  @Suite struct EvaluateTests {
    private let folder: TemporaryFolder
    private static let (train, holdout) = ("configs/data/digits.h5", "configs/data/digits-holdout.h5")

    init() throws { folder = try TemporaryFolder() }

    private func evaluate(_ arguments: [String]) throws -> SprintCommand.Outcome {
      try SprintCommand(SprintCommand.sprint, ["evaluate"] + arguments, in: folder).wait(60)
    }

    private func object(_ outcome: SprintCommand.Outcome) throws -> [String: Any] {
      try #require(outcome.code == 0, "\(outcome)")
      return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    @Test(
      "The distance of the digits is numpy's, and the object says what it depends on",
      .enabled(if: Python.has("numpy", "h5py"), Comment(rawValue: Python.lacks("numpy and h5py"))))
    func digits() throws {
      let found = try object(
        evaluate([Self.train, "--reference", Self.holdout, "--network", "pixels", "--json", "--threads", "1"]))
      let script = """
        import sys, h5py, numpy as np
        a, b = (np.clip(np.asarray(h5py.File(p)["latents"], "f8"), -1, 1).reshape(-1, 64) for p in sys.argv[1:])
        ca, cb = np.cov(a.T), np.cov(b.T)
        cross = np.sqrt(np.maximum(np.linalg.eigvals(ca @ cb).real, 0)).sum()
        print(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca) + np.trace(cb) - 2 * cross)
        """
      let outcome = try Python.run(["-c", script, Self.train, Self.holdout])
      let expected = try #require(
        Double(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)), "\(outcome.errors)")
      let fd = try #require(found["fd"] as? Double)
      #expect(abs(fd - expected) < 1e-6 * expected, "\(fd) against \(expected)")
      let samples = try #require(found["samples"] as? [String: Any])
      #expect(samples["images"] as? Int == 1437 && samples["extents"] as? String == "1 x 8 x 8", "\(samples)")
      #expect("\(samples["origin"] ?? "")".contains("UCI Optical"), "\(samples)")
      #expect((found["not_computed"] as? [String: String])?.keys.sorted() == ["inception_score"], "\(found)")
      #expect(found["precision"] is Double && found["recall"] is Double, "\(found)")
    }

    @Test("Statistics are written, and used with the same numbers")
    func statistics() throws {
      let saved = folder.file("holdout.npz")
      let table = try evaluate([Self.holdout, "--network", "pixels", "--save", saved])
      #expect(table.code == 0 && table.output.contains(saved) && !table.output.contains("fd "), "\(table)")
      let images = try object(evaluate([Self.train, "--reference", Self.holdout, "--network", "pixels", "--json"]))
      let stored = try object(evaluate([Self.train, "--reference", saved, "--network", "pixels", "--json"]))
      #expect(images["fd"] as? Double == stored["fd"] as? Double && stored["precision"] == nil, "\(stored)")
    }

    @Test("Mistakes are one line that says what to do, and end with 2")
    func mistakes() throws {
      let latents = folder.file("latents.h5")
      try DatasetFile.write(
        latents, shape: [2, 4, 2, 2], values: [Float](repeating: 0, count: 32), labels: [0, 0])
      let wide = folder.file("wide.npz")
      try NPYArray.writeNPZ(
        [.init("arr_0", .uint8, shape: [2, 64, 64, 3], [UInt8](repeating: 0, count: 2 * 64 * 64 * 3))], to: wide)
      let good = [Self.train, "--network", "pixels"]
      for (arguments, part) in [
        (good, "--reference"), (good + ["--save", "x.h5"], ".npz"), ([Self.train, "--network", "vgg=x"], "inception="),
        ([Self.train, "--reference", Self.holdout, "--network", "inception=\(folder.file("none"))"], "No such file"),
        ([latents, "--reference", Self.holdout, "--network", "pixels"], "sprint decode"),
        (good + ["--reference", latents], "sprint decode"),
        ([wide, "--reference", wide, "--network", "pixels"], "--network inception="),
        (good + ["--reference", folder.file("nothing")], "No such file"),
      ] {
        let outcome = try evaluate(arguments)
        let lines = outcome.errors.split(separator: "\n").filter { !$0.contains("OPENBLAS_CORETYPE") }
        #expect(outcome.code == 2 && outcome.errors.contains(part), "\(arguments): \(outcome), expected `\(part)`")
        #expect(lines.count == 1, "\(arguments): \(outcome.errors)")
      }
    }
  }
}
