import Foundation
import SprintFormats
import SprintTestSupport
import Testing

extension ProcessTests {
  /// Training that starts from other weights, and data without classes.
  @Suite(.timeLimit(.minutes(5))) struct FineTuneTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func sprint(_ arguments: [String]) throws -> SprintCommand.Outcome {
      try SprintCommand(SprintCommand.sprint, arguments, in: folder).wait(120)
    }

    /// Trains the digits for some steps and exports the weights.
    private func weights(_ settings: [String] = []) throws -> String {
      #expect(try ShortRun("digits", in: folder, settings).run(ranks: nil, ["--until", "4"]).code == 0)
      let path = folder.file("digits.safetensors")
      #expect(try sprint(["export", "--run", folder.file("digits"), "--weights", "model", path]).code == 0)
      return path
    }

    /// Writes 64 images, with labels below 4 or without labels; returns settings for them.
    private func pictures(labelled: Bool) throws -> [String] {
      let (path, file) = (folder.file("own.h5"), try HDF5File(creating: folder.file("own.h5")))
      let values = (0..<4096).map { Float($0 % 7) / 3 - 1 }
      try values.withUnsafeBufferPointer { try file.write("/latents", shape: [64, 1, 8, 8], $0, checked: false) }
      if labelled { try file.write("/labels", shape: [64], (0..<64).map { Int64($0 % 4) }) }
      try file.write(attribute: "kind", "pixels")
      try file.close()
      return ["data={train: [\"\(path)\"]}", "model.classes=\(labelled ? 4 : 0)"]
    }

    @Test("The error about another number of classes names the option, which starts the table of classes anew")
    func otherClasses() throws {
      let initial = ["--init", try weights()]
      let run = ShortRun("tuned", in: folder, try pictures(labelled: true))
      let refused = try run.run(ranks: nil, initial)
      #expect(refused.code == 2 && refused.errors.split(separator: "\n").count == 1, "\(refused)")
      #expect(
        refused.errors.contains("is of shape [11, 32], expected [5, 32]; if they are to start anew"), "\(refused)")
      #expect(!FileManager.default.fileExists(atPath: run.path), "a refused start leaves no run")
      let option = try #require(refused.errors.firstMatch(of: /(--allow-shape) '([^']+)'/))
      let tuned = try run.run(ranks: nil, initial + [String(option.1), String(option.2), "--until", "4"])
      let line = "`y_embedder.embedding_table.weight` is of shape [11, 32] in the file and [5, 32] in the network"
      #expect(tuned.code == 0 && tuned.errors.contains("\(line): it starts anew\n"), "\(tuned)")
    }

    @Test("A run whose loss is not finite is told to begin again with all options of its start")
    func optionsOfTheStart() throws {
      let settings = try pictures(labelled: true) + ["stages[0].learning_rate=1.0e30", "stages[0].warmup=0"]
      let failed = try ShortRun("failed", in: folder, settings).run(
        ranks: nil, ["--init", try weights(), "--allow-shape", "y_embedder.*"])
      #expect(failed.code == 1 && failed.errors.contains("--allow-shape 'y_embedder.*'"), "\(failed)")
    }

    @Test(
      "Data without labels are trained, drawn, exported and drawn again without classes; what needs classes says so")
    func withoutClasses() throws {
      let bare = try pictures(labelled: false)
      let labelled = try ShortRun("ten", in: folder, [bare[0]]).run(ranks: nil)
      #expect(labelled.code == 2 && labelled.errors.contains("set `model.classes: 0`"), "\(labelled)")
      let path = try weights(bare + ["samples={interval: 4, steps: 2, guidance: pdg, scale: 1.5, per_class: 2}"])
      #expect(FileManager.default.fileExists(atPath: folder.file("digits/samples/step-000000004.png")))
      for origin in [["--run", folder.file("digits"), "--weights", "model"], ["--safetensors", path]] {
        let sample = ["sample"] + origin + ["--count", "3", "--steps", "2"]
        let drawn = try sprint(sample + ["--guidance", "pdg", "--out", folder.file("\(origin[0]).h5")])
        #expect(drawn.code == 0 && !drawn.errors.contains("label_drop"), "\(drawn)")
        for more in [["--guidance", "cfg"], ["--classes", "0"]] {
          let refused = try sprint(sample + more + ["--out", folder.file("no.png")])
          #expect(refused.code == 2 && refused.errors.contains("classes"), "\(refused)")
        }
      }
      let files = try ["--run", "--safetensors"].map { try HDF5File(reading: folder.file("\($0).h5")) }
      #expect(try files.map { try $0.integers("/labels") } == [[0, 0, 0], [0, 0, 0]])
      let images = try files.map { file in
        var values = [Float](repeating: 0, count: 192)
        try values.withUnsafeMutableBufferPointer { try file.floats("/latents", into: $0) }
        return values
      }
      #expect(images[0] == images[1], "the exported weights draw the same images")
      #expect(try sprint(["inspect", folder.file("own.h5")]).output.contains("no labels"))
    }
  }
}
