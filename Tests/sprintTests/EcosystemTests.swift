import Foundation
import SprintFormats
import SprintTestSupport
import Testing

extension ProcessTests {
  /// Other programs read the files that sprint writes.
  @Suite struct EcosystemTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func sprint(_ arguments: [String]) throws -> SprintCommand.Outcome {
      try SprintCommand(SprintCommand.sprint, arguments, in: folder).wait(120)
    }

    /// Makes a run of 100 steps that is killed between two checkpoints and then continued.
    private func resumedRun() throws -> ShortRun {
      let run = ShortRun("resumed", in: folder, ["validation={interval: 20, samples: 8}", "samples.interval=25"])
      let command = try run.start(ranks: nil)
      try run.wait(command, for: "a checkpoint") { !run.manifests().isEmpty }
      try run.waitForStep((run.losses().last?.step ?? 0) + 3, command)
      command.signal(SIGKILL)
      #expect(try command.wait(10).code == SIGKILL)
      let again = try run.run(ranks: nil)
      #expect(again.code == 0 && again.output.contains("resumed at step"), "\(again)")
      return run
    }

    @Test(
      "TensorBoard reads each step of a resumed run once, with the numbers of the log, pictures and stages",
      .enabled(if: Python.has("tensorboard"), Comment(rawValue: Python.lacks("tensorboard"))))
    func tensorBoard() throws {
      let run = try resumedRun()
      let read = try Python.run(["Tests/Reference/read_events.py", "\(run.path)/tensorboard"])
      #expect(read.code == 0, "\(read.errors)")
      let found = try #require(
        JSONSerialization.jsonObject(with: Data(read.output.utf8)) as? [String: [String: [[Any]]]])
      let scalars = try #require(found["scalars"])
      func steps(_ kind: String, _ tag: String) -> [Int] { found[kind]?[tag]?.compactMap { $0[0] as? Int } ?? [] }
      for tag in [
        "loss/training", "optimizer/gradient_norm", "optimizer/learning_rate", "optimizer/stage",
        "speed/images_per_second", "speed/peak_share",
      ] {
        #expect(steps("scalars", tag) == Array(1...100), "\(tag)")
      }
      #expect(steps("scalars", "loss/validation") == [20, 40, 60, 80, 100])
      let losses = (scalars["loss/training"] ?? []).compactMap { $0[1] as? Double }
      #expect(zip(losses, try run.losses()).allSatisfy { abs($0 - $1.loss) < 1e-5 * $1.loss })
      #expect(steps("images", "samples/average") == [25, 50, 60, 75, 100])
      #expect(found["images"]?["samples/average"]?.allSatisfy { ($0[3] as? Int ?? 0) > 100 } == true)
      #expect(steps("texts", "run/stage") == [1, 61] && steps("texts", "run/configuration") == [0])
    }

    @Test(
      "PyTorch loads exported weights with strict=True and computes the same; --init reads them back bit by bit",
      .enabled(if: Python.has("torch", "safetensors"), Comment(rawValue: Python.lacks("torch"))))
    func pyTorch() throws {
      let run = ShortRun("exported", in: folder)
      #expect(try run.run(ranks: nil, ["--until", "30"]).code == 0)
      for weights in ["ema", "model"] {
        let (out, back) = (folder.file("\(weights).safetensors"), folder.file("\(weights)-back.safetensors"))
        #expect(try sprint(["export", "--run", run.path, "--weights", weights, out]).code == 0)
        let loaded = try Python.run([
          "Tests/Reference/sprint_reference.py", "case", "--width", "32", "--depth", "1,1,1", "--channels", "1",
          "--side", "8", "--lr", "0",
          "--weights", out, "--out", folder.file("case.safetensors"),
        ])
        #expect(loaded.code == 0, "\(loaded.errors)")
        let verified = try sprint(["verify", folder.file("case.safetensors")])
        #expect(verified.code == 0 && verified.output.contains("agrees"), "\(verified)")

        let begun = ShortRun("begun with \(weights)", in: folder, ["stages[0].learning_rate=1.0e-30"])
        #expect(
          try begun.run(
            ranks: nil, ["--until", "1", "--init", folder.file("case.safetensors.weights.safetensors")]
          ).code == 0)
        #expect(try sprint(["export", "--run", begun.path, "--weights", "model", back]).code == 0)
        #expect(try tensors(out) == tensors(back))
      }
    }

    /// Returns the bytes after the header of a safetensors file.
    private func tensors(_ path: String) throws -> Data {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      return data.dropFirst(8 + data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) })
    }

    @Test("Exported weights draw the same images as the run; the error for other weights lists the names that differ")
    func exporting() throws {
      let run = ShortRun("run", in: folder)
      #expect(try run.run(ranks: nil, ["--until", "5"]).code == 0)
      let file = folder.file("w.safetensors")
      #expect(try sprint(["export", "--run", run.path, "--weights", "ema", file]).code == 0)
      func draw(_ name: String, _ from: [String]) throws -> Data {
        let out = folder.file(name)
        let outcome = try sprint(["sample"] + from + ["--count", "10", "--steps", "2", "--out", out])
        #expect(outcome.code == 0, "\(outcome)")
        return try ZipArchive(reading: out).contents(of: "arr_0.npy")
      }
      #expect(try draw("a.npz", ["--run", run.path]) == draw("b.npz", ["--safetensors", file]))
      let other = try sprint(
        ["train", "--config", "configs/digits.yaml", "--run", folder.file("other"), "--init", file])
      #expect(other.code == 2 && other.errors.contains("middle_blocks.1.attn.k_norm.weight"), "\(other)")
      #expect(!FileManager.default.fileExists(atPath: folder.file("other")))
      let elsewhere = try sprint([
        "sample", "--safetensors", "Tests/Reference/cases/no-encoder.safetensors", "--out", folder.file("c.png"),
      ])
      #expect(elsewhere.code == 2 && elsewhere.errors.contains("--config"))
    }

    @Test(
      "Weights that say nothing of their latents draw with an assumed scale, which a line names",
      .enabled(if: Python.has("safetensors", "numpy"), Comment(rawValue: Python.lacks("safetensors"))))
    func plainWeights() throws {
      let run = ShortRun("run", in: folder)
      #expect(try run.run(ranks: nil, ["--until", "2"]).code == 0)
      let (told, plain) = (folder.file("told.safetensors"), folder.file("plain.safetensors"))
      #expect(try sprint(["export", "--run", run.path, told]).code == 0)
      let program = "import sys; from safetensors.numpy import *; save_file(load_file(sys.argv[1]), sys.argv[2])"
      let stripped = try Python.run(["-c", program, told, plain])
      #expect(stripped.code == 0, "\(stripped)")
      func draw(_ weights: String) throws -> SprintCommand.Outcome {
        try sprint(
          ["sample", "--safetensors", weights, "--config", "\(run.path)/config.yaml", "--count", "2", "--steps"]
            + ["2", "--out", folder.file("a.png")])
      }
      let line = "\(plain): does not say what its latents are; assumed: scale 1.0, shift 0, no known autoencoder"
      #expect(try draw(plain).errors.contains(line))
      #expect(try !draw(told).errors.contains("assumed"))
    }

    @Test(
      "Samples beyond all numbers are not written; with a lower scale, as the message says, they are",
      .enabled(if: Python.has("safetensors", "numpy"), Comment(rawValue: Python.lacks("safetensors"))))
    func lowerScale() throws {
      let run = ShortRun("run", in: folder)
      #expect(try run.run(ranks: nil, ["--until", "30"]).code == 0)
      let (told, large) = (folder.file("told.safetensors"), folder.file("large.safetensors"))
      #expect(try sprint(["export", "--run", run.path, told]).code == 0)
      let program = """
        import sys; from safetensors.numpy import *
        w = load_file(sys.argv[1])
        save_file({k: v * 1e10 if k.startswith('final_layer.linear') else v for k, v in w.items()}, sys.argv[2])
        """
      let enlarged = try Python.run(["-c", program, told, large])
      #expect(enlarged.code == 0, "\(enlarged)")
      func draw(_ scale: String) throws -> SprintCommand.Outcome {
        try sprint(
          ["sample", "--safetensors", large, "--config", "\(run.path)/config.yaml", "--count", "2", "--steps", "4"]
            + ["--guidance", "cfg", "--scale", scale, "--out", folder.file("a.h5")])
      }
      let refused = try draw("1e38")
      #expect(refused.code == 1 && refused.errors.contains("try a lower --scale"), "\(refused)")
      #expect(!FileManager.default.fileExists(atPath: folder.file("a.h5")))
      let drawn = try draw("1.5")
      #expect(drawn.code == 0 && FileManager.default.fileExists(atPath: folder.file("a.h5")), "\(drawn)")
    }

    @Test(
      "A report is one self-contained page with every curve, stage and picture; the CSV file has every step"
    )
    func report() throws {
      let run = try resumedRun()
      let (page, csv) = (folder.file("r.html"), folder.file("r.csv"))
      #expect(try sprint(["report", run.path, "--out", page, "--csv", csv]).code == 0)
      let html = try String(contentsOfFile: page, encoding: .utf8)
      // Base64 pictures may contain any of these words.
      let text = html.split(separator: "base64,").map { $0.drop { $0 != "\"" } }.joined()
      #expect(
        !text.contains("http") && !text.contains("src=\"/") && !text.contains("<link") && !text.contains(">nan")
          && !text.contains("\"nan"))
      for part in [
        "Loss", "Throughput", ">masked<", ">full<", "step 100 of 100", "prefers-color-scheme:dark", "viewport",
      ] {
        #expect(html.contains(part), "\(part)")
      }
      #expect(html.components(separatedBy: "<svg").count - 1 == 6)
      #expect(html.components(separatedBy: "data:image/png").count - 1 == 5)
      // The run was started twice.
      #expect(html.components(separatedBy: ProcessInfo.processInfo.hostName).count - 1 >= 2)
      let lines = try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false)
      }
      #expect(lines.dropFirst().map { String($0[0]) } == (1...100).map(String.init))
      #expect(lines.allSatisfy { $0.count == lines[0].count } && !lines[20].last!.isEmpty && lines[21].last!.isEmpty)
    }

    private static let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
      .first { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(
      "A browser shows the report, and a phone needs no horizontal scrolling",
      .enabled(if: chromium != nil, "no Chromium is installed"))
    func browser() throws {
      let run = ShortRun("shown", in: folder, ["samples.interval=50"])
      #expect(try run.run(ranks: nil).code == 0)
      let page = folder.file("r.html")
      #expect(try sprint(["report", run.path, "--out", page]).code == 0)
      // The page in a frame as wide as a phone says how wide it wants to be.
      try Data(
        """
        <iframe id="f" src="r.html" width="360" height="800"></iframe><p id="p"></p><script>f.onload = () => {
        const d = f.contentDocument
        const charts = [...d.querySelectorAll("svg polyline")].filter(e => e.getBBox().width > 100).length
        const pictures = [...d.images].filter(i => i.naturalWidth > 50).length
        const size = e => parseFloat(f.contentWindow.getComputedStyle(e).fontSize)
        const hasText = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.getClientRects().length
        const smallest = Math.min(...[...d.body.querySelectorAll("*")].filter(hasText).map(size))
        const plot = d.querySelector(".plot"), tip = plot.querySelector(".tip")
        const frame = plot.getBoundingClientRect(), told = []
        const tell = () => told.push(parseFloat(tip.textContent.replace("step ", "")))
        const press = key => plot.dispatchEvent(new f.contentWindow.KeyboardEvent("keydown", {key}))
        const point = (kind, share) => plot.dispatchEvent(new f.contentWindow.PointerEvent(kind,
          {clientX: frame.left + share * frame.width, button: 0}))
        plot.setPointerCapture = () => {}
        point("pointermove", 0.5); tell()
        for (const key of ["ArrowRight", "End", "+", "Home"]) { press(key); tell() }
        press("Escape"); press("Home"); tell()
        point("pointerdown", 0.195); point("pointermove", 0.405); point("pointerup", 0.405); press("Home"); tell()
        const curve = () => plot.querySelector("polyline").getAttribute("points"), linear = curve()
        d.querySelector(".bar button").click()
        p.textContent = `wide ${d.documentElement.scrollWidth} charts ${charts} pictures ${pictures} `
          + `smallest ${Math.floor(smallest)} told ${told.join()} log ${linear !== curve()}` }</script>
        """.utf8
      ).write(to: URL(fileURLWithPath: folder.file("frame.html")))
      let shown = try SprintCommand(
        Self.chromium ?? "",
        [
          "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--virtual-time-budget=5000",
          "--user-data-dir=\(folder.file("profile"))", "--dump-dom", "file://\(folder.file("frame.html"))",
        ], in: folder
      ).wait(60)
      let words = shown.output.split { " \n<>".contains($0) }.map(String.init)
      func number(after word: String) -> Int { words.firstIndex(of: word).flatMap { Int(words[$0 + 1]) } ?? -1 }
      #expect((1...360).contains(number(after: "wide")), "\(shown.output)")
      #expect(number(after: "charts") == 6 && number(after: "pictures") >= 2, "\(shown.output)")
      #expect(number(after: "smallest") >= 12 && words.contains("true"), "\(shown.output)")
      // Pointer in the middle, one step on, the end, the end in the right half alone, that half's begin, all again, and
      // the begin of a chosen fifth.
      #expect(words.contains("50,51,100,100,50,1,20"), "\(shown.output)")
    }

    @Test("plan reads every bundled configuration and prints tables and JSON; three shells get completion scripts")
    func planning() throws {
      let configs = try FileManager.default.contentsOfDirectory(atPath: SprintCommand.root + "/configs").filter {
        $0.hasSuffix(".yaml")
      }
      #expect(configs.count == 13)
      for config in configs {
        let given = [
          "plan", "configs/\(config)", "--gflops", "200", "--bandwidth", "25", "--ranks", "2", "--threads", "1",
        ]
        let table = try sprint(given)
        #expect(table.code == 0 && table.output.contains("core-hours") && table.errors.isEmpty, "\(table)")
        let object =
          try JSONSerialization.jsonObject(with: Data(sprint(given + ["--json"]).output.utf8)) as? [String: Any]
        // SR-DiT is published with a single stage.
        #expect((object?["stages"] as? [Any])?.count == (config.lowercased().contains("srdit") ? 1 : 2), "\(config)")
      }
      for shell in ["bash", "zsh", "fish"] {
        let script = try sprint(["--generate-completion-script", shell])
        #expect(script.code == 0 && script.output.contains("import") && script.errors.isEmpty)
      }
    }
  }
}
