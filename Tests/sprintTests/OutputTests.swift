import Foundation
import SprintFormats
import SprintTestSupport
import Testing

extension ProcessTests {
  /// What `sample` and `decode` write.
  @Suite struct OutputTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func sprint(_ arguments: [String], ranks: Int? = nil) throws -> SprintCommand.Outcome {
      try start(arguments, ranks: ranks).wait(120)
    }

    private func start(_ arguments: [String], ranks: Int? = nil) throws -> SprintCommand {
      guard let ranks else { return try SprintCommand(SprintCommand.sprint, arguments, in: folder) }
      return try SprintCommand(
        "/usr/bin/env",
        ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "\(ranks)", SprintCommand.sprint] + arguments,
        in: folder)
    }

    private func path(_ name: String) -> String { folder.file(name) }
    private func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path(name))) }

    /// Trains two steps of a network on random samples [24, channels, side, side].
    private func train(
      channels: Int, side: Int, patch: Int, texts: [String: String] = [:], _ settings: [String] = []
    ) throws -> (run: String, outcome: SprintCommand.Outcome) {
      var random = Randomness("samples")
      // A second run trains on the same samples.
      try? FileManager.default.removeItem(atPath: path("data.h5"))
      try DatasetFile.write(
        path("data.h5"), shape: [24, channels, side, side], values: random.normal(24 * channels * side * side),
        labels: (0..<24).map { Int64($0 % 10) }, numbers: ["scale": [texts["kind"] == nil ? 0.5 : 1]], texts: texts)
      let run = ShortRun(
        "run", in: folder,
        [
          "data={train: [\(path("data.h5"))]}", "model.channels=\(channels)", "model.side=\(side)",
          "model.patch=\(patch)", "stages[0].batch=8", "stages[1].batch=8",
        ] + settings)
      return (run.path, try run.run(ranks: nil, ["--until", "2"]))
    }

    /// The largest resident memory of `sprint` in KiB.
    private func peak(_ arguments: [String]) throws -> Int {
      let command = try start(arguments)
      var peak = 0
      while command.isRunning {
        let status = (try? String(contentsOfFile: "/proc/\(command.pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        peak = max(peak, line?.split(separator: " ").compactMap { Int($0) }.first ?? 0)
        usleep(2_000)
      }
      #expect(try command.wait(60).code == 0)
      return peak
    }

    @Test(
      "Ten times the images take no more memory; numpy reads the same images from all outputs",
      .enabled(if: Python.has("numpy", "h5py"), Comment(rawValue: Python.lacks("numpy and h5py"))))
    func streaming() throws {
      let (run, trained) = try train(channels: 3, side: 64, patch: 16, texts: ["kind": "pixels"])
      #expect(trained.code == 0, "\(trained)")
      func arguments(_ count: Int, _ name: String) -> [String] {
        [
          "sample", "--run", run, "--weights", "model", "--count", "\(count)", "--steps", "1", "--threads", "1",
          "--out", path(name),
        ]
      }
      let few = try peak(arguments(200, "few.npz"))
      // Their floats alone take 98 MB.
      let many = try peak(arguments(2000, "many.npz"))
      #expect(Double(many) < 1.2 * Double(few), "\(few) KiB for 200 images, \(many) for 2000")
      for name in ["a.npz", "a.h5", "a"] { #expect(try sprint(arguments(20, name)).code == 0) }
      let script = """
        import numpy as np, h5py, subprocess, sys, zipfile
        d = '\(folder.path)/'
        a, many = np.load(d + 'a.npz'), np.load(d + 'many.npz')
        with h5py.File(d + 'a.h5') as f:
            x, labels, source = f['latents'][:], f['labels'][:], f.attrs['source']
        images = (np.float32(127.5) * x + np.float32(127.5)).clip(0, 255).astype('u1').transpose(0, 2, 3, 1)
        assert (a['arr_0'] == images).all() and (a['arr_1'] == labels).all() and a.files == ['arr_0', 'arr_1']
        assert many['arr_0'].shape == (2000, 64, 64, 3) and (many['arr_0'][:20] == images).all()
        text = zipfile.ZipFile(d + 'a.npz').comment
        assert text == (source if isinstance(source, bytes) else source.encode())
        for part in (b'sampler ode, steps 1', b'guidance none', b'seed 0', b'weights step 2, sha256 ', b'float32'):
            assert part in text, text
        for i in (0, 19):
            png = subprocess.run([sys.executable, 'Tests/Reference/read_png.py', d + f'a/{i:06}.png'],
                                 capture_output=True, text=True, check=True).stdout
            assert (np.array(png.split(), 'u1').reshape(64, 64, 3) == images[i]).all()
        """
      let python = try Python.run(["-c", script])
      #expect(python.code == 0, "\(python.errors)")
    }

    private static let hasTools = Python.has("numpy", "safetensors")
    private static let missing = Comment(rawValue: Python.lacks("numpy and safetensors"))

    private func makeAutoencoder(_ channels: Int, _ name: String) throws {
      #expect(try Python.run(["Tests/Reference/tiny_autoencoder.py", "\(channels)", path(name)]).code == 0)
    }

    @Test("Latents are decoded where they are drawn or later, by any number of ranks", .enabled(if: hasTools, missing))
    func decoding() throws {
      try makeAutoencoder(4, "vae.safetensors")
      let run = try train(channels: 4, side: 8, patch: 2).run
      func sample(_ name: String, _ more: [String]) -> [String] {
        ["sample", "--run", run, "--weights", "model", "--count", "400", "--steps", "1", "--out", path(name)] + more
      }
      let vae = path("vae.safetensors")
      #expect(try sprint(sample("a.npz", ["--decode", vae])).code == 0)
      #expect(try sprint(sample("a.h5", [])).code == 0)
      let decode = ["decode", path("a.h5"), "--autoencoder", vae, "--out"]
      let outcome = try sprint(decode + [path("b.npz")])
      #expect(outcome.code == 0 && outcome.output.contains("400 images"), "\(outcome)")
      #expect(try bytes("a.npz") == bytes("b.npz"))
      #expect(String(decoding: try bytes("a.npz"), as: UTF8.self).contains("decoded with vae.safetensors, sha256 "))
      #expect(try sprint(decode + [path("c.npz")], ranks: 3).code == 0)
      #expect(try bytes("c.npz") == bytes("b.npz"))

      let part = try start(decode + [path("d.npz")])
      while part.isRunning, (try? bytes("d.npz.part").count) ?? 0 < 1000 { usleep(500) }
      part.signal(SIGTERM)
      let ended = try part.wait(30)
      #expect(ended.code == 75 && ended.errors.contains("run the same command again"), "\(ended)")
      let rest = try sprint(decode + [path("d.npz")])
      #expect(rest.code == 0 && rest.output.contains("of 400 images are there already"), "\(rest)")
      #expect(try bytes("d.npz") == bytes("b.npz"))

      #expect(try sprint(decode + [path("few"), "--count", "3"]).code == 0)
      #expect(try FolderListing(path("few")).names == ["000000.png", "000001.png", "000002.png", "dataset.json"])
      #expect(try PictureHeader(path: path("few/000002.png"))?.width == 16)
    }

    @Test(
      "What cannot be decoded is refused with one line before anything is drawn", .enabled(if: hasTools, missing))
    func refusals() throws {
      try makeAutoencoder(16, "wide.safetensors")
      let run = try train(channels: 4, side: 8, patch: 2).run
      let (wide, sample) = (path("wide.safetensors"), ["sample", "--run", run, "--count", "2", "--steps", "1"])
      for (arguments, words) in [
        (sample + ["--decode", wide, "--out", path("a.npz")], ["16 channels", "have 4"]),
        (["decode", path("data.h5"), "--autoencoder", wide, "--out", path("a")], ["16 channels", "have 4"]),
        (sample + ["--decode", wide, "--out", path("a.h5")], ["leave out --decode"]),
        (["decode", path("data.h5"), "--autoencoder", path("none"), "--out", path("a")], ["none"]),
        (["decode", path("data.h5"), "--autoencoder", wide, "--count", "25", "--out", path("a")], ["24 samples"]),
        (sample + ["--out", path("a")], ["--decode VAE.safetensors", "sprint decode"]),
      ] {
        let outcome = try sprint(arguments)
        #expect(outcome.code == 2 && outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
        for word in words { #expect(outcome.errors.contains(word), "\(outcome)") }
      }
      #expect(try FolderListing(folder.path).names.filter { $0.hasPrefix("a") } == [])
    }

    @Test(
      "With samples.autoencoder a run draws images instead of latents' colours; a wrong file ends it at its start",
      .enabled(if: hasTools, missing))
    func pictures() throws {
      try makeAutoencoder(4, "vae.safetensors")
      try makeAutoencoder(16, "wide.safetensors")
      let drawing = ["samples={steps: 2, per_class: 1, interval: 2}"]
      for name in ["wide", "none"] {
        let refused = try train(
          channels: 4, side: 8, patch: 2, drawing + ["samples.autoencoder=\(path("\(name).safetensors"))"]
        ).outcome
        #expect(refused.code == 2 && refused.errors.contains("\(name).safetensors"), "\(refused)")
        #expect(!FileManager.default.fileExists(atPath: path("run")))
      }
      #expect(try train(channels: 4, side: 8, patch: 2, drawing).outcome.code == 0)
      let colours = try #require(try PictureHeader(path: path("run/samples/step-000000002.png")))
      try FileManager.default.moveItem(atPath: path("run"), toPath: path("colours"))
      let decoded = try train(
        channels: 4, side: 8, patch: 2, drawing + ["samples.autoencoder=\(path("vae.safetensors"))"]
      ).outcome
      #expect(decoded.code == 0, "\(decoded)")
      let images = try #require(try PictureHeader(path: path("run/samples/step-000000002.png")))
      // 10 rows of images of side 8 at five pixels each, and of side 16 at two.
      #expect(colours.height == 10 * 42 + 2 && images.height == 10 * 34 + 2, "\(colours) \(images)")
      #expect(
        try String(contentsOfFile: path("run/metrics.jsonl"), encoding: .utf8).contains("decoded with vae.safetensors"))
    }
  }
}
