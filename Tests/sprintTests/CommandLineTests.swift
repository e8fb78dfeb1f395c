import Foundation
import SprintKernels
import SprintTestSupport
import Testing

extension ProcessTests {
  @Suite struct CommandLineTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Runs `sprint` in the checkout and waits for its end.
    private func sprint(_ arguments: [String], environment: [String: String?] = [:]) throws -> SprintCommand.Outcome {
      try SprintCommand(SprintCommand.sprint, arguments, environment: environment, in: folder).wait(120)
    }

    /// A few steps of a small network on the digits.
    private let short = [
      "model={width: 32, heads: 2, depth: [1, 1, 1], patch: 2, side: 8, channels: 1, classes: 10}",
      "stages[0].steps=4", "stages[1].steps=2", "samples={interval: 100, steps: 2, per_class: 1}",
      "validation.samples=8",
    ].flatMap { ["--set", $0] }

    private func train(_ run: String, _ more: [String] = []) throws -> SprintCommand.Outcome {
      try sprint(["train", "--config", "configs/digits.yaml", "--run", folder.file(run)] + short + more)
    }

    @Test("Matrix<Float> products reach half of what the CPU's vector width allows", .tags(.alone))
    func blasSpeed() throws {
      // A setting for OpenBLAS may be slow on purpose. The best of three runs counts: another process may hold the
      // cores.
      let shares = try (0..<3).map { _ -> Double in
        let text = try sprint(
          ["machine", "--threads", "1"], environment: ["OPENBLAS_CORETYPE": nil, "OPENBLAS_L2_SIZE": nil]
        ).output
        func number(after label: String) throws -> Double {
          let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(label) })
          return try #require(line.dropFirst(label.count).split(separator: " ").compactMap { Double($0) }.first)
        }
        return try number(after: "matrix products:") / Self.expectedRate
      }
      #expect(
        (shares.max() ?? 0) > 0.5, "shares \(shares): OpenBLAS uses the wrong kernels for this CPU, or the CPU is busy")
    }

    /// 10⁹ FLOP/s of a core with two fused multiply-add units, at the clock and width that /proc/cpuinfo has.
    private static var expectedRate: Double {
      let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
      let line = text.split(separator: "\n").first { $0.hasPrefix("cpu MHz") }
      let clock = line?.split(separator: ":").last.flatMap { Double($0.trimmingCharacters(in: .whitespaces)) } ?? 1000
      let isWide = CPU.flags.contains("avx512f") && !CPU.splitsWideOperations
      return clock / 1000 * (isWide ? 16 : CPU.flags.contains("avx2") ? 8 : 4) * 2 * 2
    }

    /// The environment of a `sprint` whose OpenBLAS takes every CPU for a Prescott.
    private let wrongGuess: [String: String?] = [
      "LD_PRELOAD": SprintCommand.build + "/libFaultInjector.so", "SPRINT_FAULT_GUESS": "Prescott",
      "OPENBLAS_CORETYPE": nil,
    ]

    private static let hasFasterKernels =
      (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.contains("avx2") == true

    @Test(
      "A wrong guess of OpenBLAS makes sprint restart itself once; commands that compute for long say so",
      .enabled(if: hasFasterKernels))
    func wrongGuesses() throws {
      let long = try sprint(["machine", "--threads", "1"], environment: wrongGuess)
      #expect(long.code == 0 && long.output.contains("openblas core:") && !long.output.contains("Prescott"), "\(long)")
      #expect(
        long.errors.split(separator: "\n").count == 1
          && long.errors.contains("OpenBLAS took this CPU for Prescott; restarted with OPENBLAS_CORETYPE="), "\(long)")
      for arguments in [["--help"], ["inspect", "configs/data/digits.h5"], ["plan", "--help"], ["--version"]] {
        let short = try sprint(arguments, environment: wrongGuess)
        #expect(short.code == 0 && short.errors.isEmpty, "\(short)")
      }
    }

    @Test("sample warns of weights and of guidance that were not trained, and takes a preset and a file of labels")
    func untrained() throws {
      let run = ShortRun("run", in: folder, ["stages[0].label_drop=0", "stages[1].label_drop=0"])
      #expect(try run.run(ranks: nil, ["--until", "1"]).code == 0)
      try Data("3 7".utf8).write(to: URL(fileURLWithPath: folder.file("labels.txt")))
      let sample = ["sample", "--run", run.path, "--count", "4", "--threads", "1", "--out", folder.file("a.npz")]
      let outcome = try sprint(sample + ["--guidance", "cfg", "--labels", folder.file("labels.txt"), "--steps", "2"])
      let lines = outcome.errors.split(separator: "\n")
      #expect(outcome.code == 0 && lines.count == 2, "\(outcome)")
      #expect(outcome.errors.contains("random weights of the start; try --weights model"))
      #expect(outcome.errors.contains("`label_drop` is 0 in every stage"))
      let published = try sprint(sample + ["--preset", "published", "--weights", "model"])
      #expect(published.code == 0 && published.errors.isEmpty, "\(published)")
      let wrong = try sprint(sample + ["--labels", folder.file("none.txt")])
      #expect(wrong.code == 2 && wrong.errors.contains("none.txt"), "\(wrong)")
    }

    @Test(
      "sprint keeps a slow core type that the user set; only commands that compute for long say what it costs",
      .enabled(if: hasFasterKernels))
    func slowSettings() throws {
      let slow: [String: String?] = ["OPENBLAS_CORETYPE": "Prescott"]
      for arguments in [
        ["train", "--config", "configs/digits.yaml", "--run", folder.file("slow"), "--until", "1"] + short,
        [
          "sample", "--run", folder.file("slow"), "--weights", "model", "--count", "2", "--steps", "1", "--out",
          folder.file("a.npz"),
        ],
        ["machine", "--threads", "1"], ["plan", "configs/digits.yaml", "--ranks", "1", "--threads", "1"],
        ["bench", "data", "--megabytes", "1", "--rounds", "1"],
      ] {
        let long = try sprint(arguments, environment: slow)
        #expect(
          long.code == 0 && long.errors.split(separator: "\n").count == 1
            && long.errors.contains("OPENBLAS_CORETYPE=Prescott: ") && long.errors.contains("unset it"), "\(long)")
      }
      for arguments in [
        ["--help"], ["train", "--help"], ["--version"], ["inspect", "configs/data/digits.h5"],
        ["export", "--run", folder.file("slow"), folder.file("a.safetensors")], ["report", folder.file("slow")],
      ] {
        let quiet = try sprint(arguments, environment: slow)
        #expect(quiet.code == 0 && quiet.errors.isEmpty, "\(quiet)")
      }
    }

    @Test("Users can train, stop, resume, sample in every format and inspect")
    func wholeWay() throws {
      let first = try train("r", ["--until", "3"])
      #expect(
        first.code == 0 && first.output.contains("stopped after step 3") && !first.output.contains("\u{1B}"), "\(first)"
      )
      let second = try train("r", ["--resume", "auto"])
      #expect(
        second.code == 0 && second.output.contains("resumed at step 3") && second.output.contains("step 6/6"),
        "\(second)"
      )
      for (name, options) in [
        ("a.png", ["--guidance", "pdg", "--scale", "2"]), ("a.npz", ["--sampler", "sde", "--classes", "3,1"]),
        ("a.h5", ["--guidance", "cfg", "--interval", "0.2,0.8", "--weights", "model"]),
      ] {
        let outcome = try sprint(
          ["sample", "--run", folder.file("r"), "--count", "12", "--steps", "2", "--out", folder.file(name)] + options)
        #expect(outcome.code == 0 && FileManager.default.fileExists(atPath: folder.file(name)), "\(outcome)")
      }
      for file in [folder.file("a.h5"), folder.file("r/checkpoints/step-000000006.h5"), "configs/data/digits.h5"] {
        #expect(try sprint(["inspect", file]).code == 0)
      }
    }

    @Test("--debug prints the configuration and checks the gradients")
    func debugging() throws {
      let outcome = try train("d", ["--until", "1", "--debug"])
      #expect(outcome.code == 0 && outcome.output.contains("stages[0].batch: 64"), "\(outcome)")
      #expect(outcome.output.contains("gradients of one batch against central differences"))
    }

    @Test(
      "A mistake ends with one line on standard error and exit code 2",
      arguments: [
        ["train", "--config", "missing.yaml"],
        ["train", "--config", "configs/digits.yaml", "--set", "stages[0].stepz=3"],
        ["train", "--config", "configs/digits.yaml", "--set", "data.train=[missing.h5]"],
        ["train", "--config", "configs/digits.yaml", "--set", "model.classes=9"],
        ["train", "--config", "configs/digits.yaml", "--set", "model.side=16"],
        ["train", "--config", "configs/digits.yaml", "--set", "stages[0].batch=2000"],
        ["train", "--config", "configs/digits.yaml", "--run", "/proc/run"],
        ["train", "--config", "configs/digits.yaml", "--resume", "missing.h5"],
        ["train", "--config", "configs/digits.yaml", "--until", "0"],
        ["train", "--config", "configs/digits.yaml", "--run", ""], ["train", "--config", ""],
        ["train", "--config", "configs/digits.yaml", "--resume", ""], ["inspect", ""], ["plan", ""], ["report", ""],
        ["train", "--config", "configs/digits.yaml", "--init", ""], ["report", "missing", "--out="],
        ["report", "missing", "--csv", ""], ["sample", "--run", "missing", "--out", ""],
        ["sample", "--run", "", "--out", "/tmp/sprint-a.png"], ["export", "--run", "missing", ""],
        ["import", "configs", ""], ["import", "", "/tmp/sprint-a.h5"], ["verify", ""],
        ["bench", "checkpoint", "--folder", ""],
        ["train", "--config", "configs/digits.yaml", "--deadline", "soon"], ["bench", "checkpoint", "--size", "Q"],
        ["bench", "train", "--size", "Q"], ["bench", "train", "--ratio", "0.3"], ["bench", "train", "--steps", "1"],
        ["bench", "train", "--batch", "0"], ["bench", "sample", "--rounds", "0"],
        ["bench", "data", "--file", "none.h5"],
        ["bench", "reduce"],
        ["plan"], ["plan", "configs/digits.yaml", "--config", "configs/digits.yaml"],
        ["train"], ["nonsense"], ["train", "--nonsense"],
        ["sample", "--run", "missing", "--out", "/tmp/sprint-a.png"],
        ["sample", "--run", "missing", "--out", "/tmp/sprint-a.jpg"],
        ["sample", "--run", "missing", "--out", "/no/such/folder/a.png"],
        ["sample", "--run", "missing", "--out", "/tmp/sprint-a.png", "--interval", "1,0"],
        ["sample", "--run", "missing", "--out", "/tmp/sprint-a.png", "--steps", "0"],
        ["sample", "--run", "missing", "--out", "/tmp/sprint-a.png", "--scale", "2"],
        ["sample", "--run", "missing", "--out", "/tmp/sprint-a.png", "--guidance", "none", "--interval", "0,0.5"],
        ["sample", "--run", "missing", "--out", "/tmp/sprint-a.png", "--guidance", "cfg", "--keep-class"],
        ["sample", "--out", "/tmp/sprint-a.png"],
        ["import", "missing", "/tmp/sprint-a.h5"], ["import", "configs", "/tmp/sprint-a.h5"],
        ["import", "configs", "/tmp/sprint-a.npz"], ["import", "configs", "/tmp/sprint-a.h5", "--from", "imagenet"],
        ["import", "configs", "/tmp/sprint-a.h5", "--from", "repa", "--multiplier", "2"],
        ["export", "/tmp/sprint-a.safetensors"], ["export", "--run", "missing", "/tmp/sprint-a.safetensors"],
        ["export", "--run", "missing", "/tmp/sprint-a.pt"],
        ["train", "--config", "configs/digits.yaml", "--init", "missing.safetensors"],
        ["train", "--config", "configs/digits.yaml", "--init", "weights.pt"],
        ["train", "--config", "configs/digits.yaml", "--allow-missing", "*"],
        ["sample", "--safetensors", "missing.safetensors", "--out", "/tmp/sprint-a.png"],
        ["plan", "missing.yaml"], ["plan", "configs/digits.yaml", "--gflops", "-1"],
        ["plan", "configs/digits.yaml", "--gflops", "100", "--ranks", "65"],
        ["report", "missing"], ["report", "configs"],
        ["inspect", "Tests/Reference/cases/no-encoder.safetensors", "--preview", "/tmp/sprint-a.png"],
        ["inspect", "missing.h5"], ["inspect", "/dev/null"], ["inspect", "missing.safetensors"],
      ])
    func mistakes(arguments: [String]) throws {
      let outcome = try sprint(arguments)
      #expect(outcome.code == 2 && outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
      #expect(!FileManager.default.fileExists(atPath: "/tmp/sprint-a.png"))
    }

    @Test(
      "A misspelt command, option or key is told with what it may mean; bench names its own options",
      arguments: [
        (["trian"], "`trian` is not a command of sprint; did you mean `sprint train`?"),
        (["trian", "--config", "a.yaml", "--run", "r"], "did you mean `sprint train`?"),
        (["trian", "--help"], "did you mean `sprint train`?"), (["help", "trian"], "did you mean `sprint train`?"),
        (["bench", "trian", "--size", "B"], "not a command of sprint bench; did you mean `sprint bench train`?"),
        (["reduce"], "did you mean `sprint bench reduce`?"), (["bench", "plan"], "did you mean `sprint plan`?"),
        (["xyz"], "it has import, inspect, plan, train"),
        (["train", "--confg", "a.yaml"], "Unknown option '--confg'. Did you mean '--config'?"),
        (["plan"], "the configuration is missing; name its file"), (["train"], "the configuration is missing"),
        (["train", "configs/digits.yaml", "--set", "output_dir=a"], "name the folder of the run with --run"),
        (["train", "configs/digits.yaml", "--set", "model.widht=3"], "--set model.widht: `model.widht` is not"),
        (["bench", "train", "--ratio", "0.3"], "sprint: --ratio is 0.3, expected 0, 0.5, 0.625, 0.75 or 0.875"),
        (["bench", "train", "--batch", "0"], "sprint: --batch is 0, expected 1 to 1000000"),
        (["bench", "train", "--size", "Q"], "'--size <size>'. Please provide one of 'S', 'B', 'L' or 'XL'"),
        (["bench", "sample", "--size", "Q"], "'--size <size>'"),
        (["bench", "checkpoint", "--size", "Q"], "'--size <size>'"),
        (["bench", "train", "configs/digits.yaml", "--size", "B"], "give --set model.size=B"),
      ])
    func suggestions(arguments: [String], told: String) throws {
      let outcome = try sprint(arguments)
      #expect(outcome.code == 2 && outcome.errors.contains(told), "\(outcome)")
    }

    @Test("Where memory is too little, bench names its options, and for a configuration the keys")
    func benchMemory() throws {
      func errors(_ network: String) throws -> String {
        let script = "ulimit -v 4000000 && \"$0\" bench train --threads 1 --steps 2 \(network)"
        let outcome = try SprintCommand("/bin/sh", ["-c", script, SprintCommand.sprint], in: folder).wait(60)
        #expect(outcome.code == 1, "\(outcome)")
        return outcome.errors
      }
      #expect(try errors("--size XL").contains("use a smaller --batch, --recompute blocks, fewer --threads"))
      #expect(try errors("configs/imagenet256-XL.yaml").contains("use a smaller batch, `accumulate`"))
    }

    @Test("plan, train and bench train take a configuration as an argument and as --config")
    func configurationArgument() throws {
      let rates = ["--gflops", "100", "--memory", "10", "--threads", "1", "--json"]
      let (argument, option) = (["configs/digits.yaml"], ["--config", "configs/digits.yaml"])
      let plans = try [argument, option].map {
        // What is free of this machine's memory changes all the time.
        try sprint(["plan"] + $0 + rates).output.replacing(/"memory_available":[^,]*/, with: "")
      }
      #expect(plans[0].contains("stages") && plans[0] == plans[1], "\(plans)")
      let trained = try sprint(["train"] + argument + ["--run", folder.file("r"), "--until", "1"] + short)
      #expect(trained.code == 0, "\(trained)")
      for input in [argument, option] {
        let bench = try sprint(["bench", "train"] + input + ["--steps", "2", "--set", "stages[0].batch=2", "--json"])
        #expect(bench.code == 0 && bench.output.contains("digits.yaml"), "\(bench)")
      }
    }

    @Test("An argument that is not UTF-8 is refused, instead of naming another folder")
    func bytes() throws {
      let script = "exec \"$0\" train --config configs/digits.yaml --run \"$1/$(printf 'r\\377')\""
      let outcome = try SprintCommand("/bin/sh", ["-c", script, SprintCommand.sprint, folder.file("")], in: folder)
        .wait(60)
      #expect(outcome.code == 2 && outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
      #expect(outcome.errors.contains("argument 5, ") && outcome.errors.contains("is not UTF-8"), "\(outcome)")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(!names.contains { $0.hasPrefix("r") }, "\(names)")
    }

    @Test(
      "Images that are not finite are an error that names the image, and nothing is written", arguments: ["png", "h5"])
    func notFinite(ending: String) throws {
      // Before the first steps the network's output is zero, and so is every guidance.
      #expect(try train("r").code == 0)
      try FileManager.default.createDirectory(atPath: folder.file("out"), withIntermediateDirectories: true)
      let outcome = try sprint([
        "sample", "--run", folder.file("r"), "--count", "12", "--steps", "2", "--guidance", "cfg", "--scale", "1e308",
        "--out", folder.file("out/a.\(ending)"),
      ])
      #expect(outcome.code == 1, "\(outcome)")
      #expect(
        outcome.errors.hasSuffix(
          "sprint: image 0 holds nan; nothing was written; try a lower --scale or other weights\n"), "\(outcome)")
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.file("out")).isEmpty)
    }

    @Test("train does not overwrite a run and does not continue it with another configuration")
    func occupied() throws {
      #expect(try train("o", ["--until", "1"]).code == 0)
      let again = try train("o")
      #expect(again.code == 2 && again.errors.contains("already holds a run"))
      let other = try train("o", ["--resume", "auto", "--set", "model.width=64"])
      #expect(other.code == 2 && other.errors.contains("`model.width` was 32, now 64"), "\(other)")
    }

    /// The options that an error tells to use: each `--resume auto --set KEY=VALUE`.
    private func remedies(_ errors: String) -> [[String]] {
      errors.matches(of: /--resume auto --set ([^ =]+=[^ ,;\n]+)/).map { ["--resume", "auto", "--set", String($0.1)] }
    }

    @Test(
      "What the message about a loss that is not finite tells to do, works",
      arguments: [["early", "stop"], ["late", "stop"], ["late", "skip"]])
    func remediesOfNonFinite(kind: [String]) throws {
      let more = ["--set", "stages[0].steps=80", "--set", "checkpoint.interval=3", "--set", "threads=1"]
      if kind[0] == "late" { #expect(try train("n", more + ["--until", "4"]).code == 0) }
      let large = more + ["--set", "stages[0].learning_rate=1.0e30", "--set", "non_finite=\(kind[1])"]
      let failed = try train("n", large + ["--resume", "auto"])
      #expect(failed.code == 1 && failed.errors.split(separator: "\n").count == 1, "\(failed)")
      let remedies = remedies(failed.errors)
      #expect(remedies.count == (kind[1] == "skip" ? 1 : 2), "\(failed)")
      for (index, remedy) in remedies.enumerated() {
        try FileManager.default.copyItem(atPath: folder.file("n"), toPath: folder.file("n\(index)"))
        let isLower = remedy.contains { $0.contains("learning_rate") }
        let mended = try train("n\(index)", (isLower ? more : large) + remedy + ["--until", "20"])
        #expect(mended.code == 0 && mended.output.contains("stopped after step 20"), "\(remedy): \(mended)")
        #expect(!isLower || !mended.output.contains("update skipped"), "\(mended)")
      }
    }

    @Test("What the messages about resuming tell to do, works")
    func remediesOfResuming() throws {
      #expect(try train("o", ["--until", "2"]).code == 0)
      let occupied = try train("o")
      #expect(occupied.errors.contains("continue it with --resume auto"), "\(occupied)")
      #expect(try train("o", ["--resume", "auto", "--until", "3"]).code == 0)
      let short = try train("o", ["--resume", "auto", "--set", "stages[0].steps=2"])
      #expect(short.code == 2 && short.errors.contains("give it at least 3"), "\(short)")
      #expect(try train("o", ["--resume", "auto", "--set", "stages[0].steps=3"]).code == 0)
      let over = try train("o", ["--resume", "auto"])
      #expect(
        over.code == 2 && over.errors.contains("is over after 3 steps of 64 images; give it these again"), "\(over)")
      let longer = ["--resume", "auto", "--set", "stages[0].steps=3", "--set", "stages[1].steps=3"]
      #expect(try train("o", longer).code == 0)
      let seed = try train("o", longer + ["--set", "seed=5"])
      #expect(seed.code == 2 && seed.errors.contains("with these weights: sprint export, then --init"), "\(seed)")
      #expect(try sprint(["export", "--run", folder.file("o"), folder.file("w.safetensors")]).code == 0)
      #expect(try train("new", ["--init", folder.file("w.safetensors"), "--set", "seed=5"]).code == 0)
    }

    @Test("Weights of --init are given again where a run has to start from step 0; a step that is over is told")
    func remediesOfInit() throws {
      #expect(try train("o", ["--until", "3"]).code == 0)
      let over = try train("o", ["--resume", "auto", "--until", "2"])
      #expect(over.code == 0 && over.output.contains("at step 3 already, --until is 2; nothing was trained"), "\(over)")
      let weights = folder.file("w.safetensors")
      #expect(try sprint(["export", "--run", folder.file("o"), weights]).code == 0)
      let large = ["--set", "stages[0].learning_rate=1.0e30", "--set", "stages[0].steps=80"]
      let failed = try train("n", large + ["--init", weights])
      #expect(failed.code == 1, "\(failed)")
      #expect(failed.errors.contains(/start from step 0 [^,]*--init \S+w\.safetensors/), "\(failed)")
      let lower = try #require(remedies(failed.errors).first)
      let mended = try train("n", large + lower + ["--init", weights, "--until", "1"])
      let fresh = try train("m", large + lower + ["--init", weights, "--until", "1"])
      let random = try train("x", large + lower + ["--until", "1"])
      #expect(mended.code == 0 && fresh.code == 0 && random.code == 0, "\(mended)")
      func loss(_ run: String) throws -> String? {
        let text = try String(contentsOfFile: folder.file("\(run)/metrics.jsonl"), encoding: .utf8)
        return text.matches(of: /"loss": ?([^,}]+)/).last.map { String($0.1) }
      }
      #expect(try loss("n") == loss("m"))
      #expect(try loss("n") != loss("x"))
    }

    @Test("What the message about a newer checkpoint tells to do, works")
    func remedyOfNewerCheckpoint() throws {
      let more = ["--set", "checkpoint={interval: 1, keep: 9}"]
      #expect(try train("o", more + ["--until", "2"]).code == 0)
      let older = more + ["--resume", folder.file("o/checkpoints/step-000000001.h5")]
      let refused = try train("o", older)
      #expect(refused.code == 2 && refused.errors.contains("move the newer one and its manifest away"), "\(refused)")
      for ending in ["h5", "manifest.json"] {
        try FileManager.default.moveItem(
          atPath: folder.file("o/checkpoints/step-000000002.\(ending)"), toPath: folder.file("moved.\(ending)"))
      }
      #expect(try train("o", older).code == 0)
    }

    @Test("In a shell of a Slurm job without ranks the told line lets one process train alone")
    func slurmShell() throws {
      let shell: [String: String?] = [
        "SLURM_JOB_ID": "1", "SLURM_STEP_ID": "0", "SLURM_PROCID": "0", "SLURM_NTASKS": "4",
        "SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_TASKS_PER_NODE": "4", "PMIX_RANK": nil, "PMI_RANK": nil,
      ]
      func train(_ run: String, _ changes: [String: String?]) throws -> SprintCommand.Outcome {
        try sprint(
          ["train", "--config", "configs/digits.yaml", "--run", folder.file(run), "--until", "1"],
          environment: shell.merging(changes) { $1 })
      }
      let refused = try train("a", [:])
      #expect(refused.code == 2 && refused.errors.contains("unset SLURM_STEP_NUM_TASKS first"), "\(refused)")
      #expect(try train("b", ["SLURM_STEP_NUM_TASKS": nil]).code == 0)
      #expect(try train("c", ["SLURM_PTY_PORT": "40123"]).code == 0, "srun --pty")
    }

    @Test("What sample tells about options without effect, works; inspect shows what a run changed")
    func remediesOfSample() throws {
      #expect(try train("r", ["--until", "2"]).code == 0)
      let sample = [
        "sample", "--run", folder.file("r"), "--weights", "model", "--count", "2", "--steps", "2", "--scale", "2",
        "--out",
        folder.file("a.npz"),
      ]
      let refused = try sprint(sample)
      let told = refused.errors.matches(of: /--guidance (cfg|pdg)/).map { String($0.1) }
      #expect(refused.code == 2 && told == ["cfg", "pdg"], "\(refused)")
      for kind in told { #expect(try sprint(sample + ["--guidance", kind]).code == 0) }
      #expect(try train("r", ["--resume", "auto", "--set", "optimizer.clip=3", "--until", "3"]).code == 0)
      let line = "`optimizer.clip` was 1.0, now 3.0, from step 3 on"
      let inspected = try sprint(["inspect", folder.file("r/checkpoints/step-000000003.h5")])
      #expect(inspected.output.contains(line), "\(inspected)")
      let json = try sprint(["inspect", folder.file("r/checkpoints/step-000000003.h5"), "--json"])
      #expect(json.output.contains("\"key\":\"optimizer.clip\""), "\(json)")
    }

    @Test("verify counts the cases that agree; an unreadable case is an error")
    func verify() throws {
      let good = "Tests/Reference/cases/no-encoder.safetensors"
      let all = try sprint(["verify", good])
      #expect(all.code == 0 && all.output.hasSuffix("verified 1 of 1 cases\n"))
      let some = try sprint(["verify", good, "README.md"])
      #expect(some.code != 0 && some.output.hasSuffix("verified 1 of 2 cases\n") && some.errors.contains("README.md"))
    }

    @Test("Every command has a help text with an example; --version names the version and the architecture")
    func help() throws {
      for command in [
        [], ["import"], ["inspect"], ["plan"], ["train"], ["report"], ["sample"], ["decode"],
        ["evaluate"], ["export"], ["verify"], ["machine"],
        ["bench", "checkpoint"],
        ["bench", "train"], ["bench", "sample"], ["bench", "data"], ["bench", "reduce"],
      ] {
        let outcome = try sprint(command + ["--help"])
        #expect(outcome.code == 0 && outcome.output.contains("OVERVIEW") && outcome.errors.isEmpty)
        guard !command.isEmpty else { continue }
        let example = outcome.output.split(separator: "Example: ").dropFirst().first ?? ""
        #expect(example.contains("sprint \(command.joined(separator: " "))"), "\(command)")
      }
      let version = try sprint(["--version"])
      #expect(version.code == 0 && version.errors.isEmpty)
      #expect(
        version.output.wholeMatch(of: /sprint \d+\.\d+\.\d+ \(march [\w.-]+:( [\w.-]+)+\)\n/) != nil, "\(version)")
    }

    @Test("SIGTERM saves a checkpoint and exits with 75")
    func termination() throws {
      let command = try SprintCommand(
        SprintCommand.sprint, ["train", "--config", "configs/digits.yaml", "--run", folder.file("t")], in: folder)
      let metrics = folder.file("t/metrics.jsonl")
      let deadline = Date().addingTimeInterval(60)
      while (try? String(contentsOfFile: metrics, encoding: .utf8))?.contains("\"step\": 2") != true, Date() < deadline
      {
        usleep(20_000)
      }
      command.signal(SIGTERM)
      #expect(try command.wait(30).code == 75)
      let saved = try FileManager.default.contentsOfDirectory(atPath: folder.file("t/checkpoints"))
      #expect(saved.contains { $0.hasSuffix(".manifest.json") })
    }
  }
}
