import Foundation
import SprintFormats
import SprintTestSupport
import Testing

extension ProcessTests {
  /// `sprint import` of files that the tools of their users wrote.
  @Suite struct ImportTests {
    private let folder: TemporaryFolder
    private static let script = "Tests/Reference/latent_layouts.py"
    private static let hasTools = Python.has("numpy", "h5py", "safetensors", "lmdb")
    private static let missing = Comment(rawValue: Python.lacks("numpy, h5py, safetensors and lmdb"))
    private static let names = [
      "repa", "edm2", "edm2-zip", "repa-e", "speedrun-dit", "fast-dit", "lightning-dit", "mar", "maskdit",
    ]

    init() throws { folder = try TemporaryFolder() }

    private func sprint(_ arguments: [String], environment: [String: String] = [:]) throws -> SprintCommand.Outcome {
      try SprintCommand(SprintCommand.sprint, arguments, environment: environment, in: folder).wait(120)
    }

    private func json(_ arguments: [String]) throws -> Any {
      let made = try Python.run([Self.script] + arguments)
      #expect(made.code == 0, "\(made.errors)")
      return try JSONSerialization.jsonObject(with: Data(made.output.utf8))
    }

    /// Makes latents of a layout; returns the arguments of the import, except the output.
    private func make(_ layout: String, _ place: String, _ more: [String] = []) throws -> [String] {
      try #require(json(["make", layout, folder.file(place)] + more) as? [String])
    }

    @Test(
      "Every layout is imported, at 256 and 512 pixels, with all bits or rounded to float16, with labels and scale",
      .enabled(if: hasTools, missing), arguments: names, [1, 2])
    func layouts(layout: String, times: Int) throws {
      let side = (["lightning-dit", "mar"].contains(layout) ? 16 : 32) * times
      let arguments = try make(layout, "made", ["--side", "\(side)", "--count", "23"])
      for type in ["f32", "f16"] {
        let out = folder.file("\(type).h5")
        let outcome = try sprint(["import"] + arguments + [out, "--dtype", type])
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
        let check = try Python.run(
          [Self.script, "check", out, folder.file("made")] + (type == "f16" ? ["--half"] : []))
        #expect(check.code == 0, "\(check.errors)")
        #expect(try sprint(["inspect", out, "--json"]).code == 0)
      }
    }

    @Test(
      "Each mistake gives one line that names file and sample, exit code 2, and no leftovers",
      .enabled(if: hasTools, missing))
    func mistakes() throws {
      let cases = try #require(json(["bad", folder.file("bad")]) as? [[Any]])
      #expect(cases.count > 40)
      for entry in cases {
        let name = try #require(entry[0] as? String)
        let (arguments, words) = (try #require(entry[1] as? [String]), try #require(entry[2] as? [String]))
        let target = folder.file("out-\(name)")
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        let outcome = try sprint(["import"] + arguments + ["\(target)/a.h5"])
        #expect(outcome.code == 2 && outcome.errors.split(separator: "\n").count == 1, "\(name): \(outcome)")
        #expect(words.allSatisfy { outcome.errors.contains($0) }, "\(name): \(outcome.errors), expected \(words)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: target).isEmpty, "\(name) left something")
      }
    }

    @Test(
      "A teacher looks at the pictures beside latents; without them the message says where they should be",
      .enabled(if: hasTools, missing))
    func pictures() throws {
      let latents = try make("speedrun-dit", "made", ["--side", "2", "--count", "5"])
      var random = Randomness()
      try writeTensors(
        NaiveDINOv2(width: 64, depth: 2, hidden: 16, grid: 2, patch: 14, &random).written,
        to: folder.file("weights.safetensors"))
      let arguments = ["import"] + latents + [folder.file("out.h5"), "--tokens", "2", "--features"]
      let missing = try sprint(arguments + ["dino=\(folder.file("weights.safetensors"))"])
      #expect(missing.code == 2 && missing.errors.contains("made/source/images: is no folder"), "\(missing)")
      try FileManager.default.createDirectory(
        atPath: folder.file("made/source/images/00000"), withIntermediateDirectories: true)
      for index in 0..<5 {
        try Picture(width: 32, height: 32, fill: UInt8(index))
          .writePNG(to: folder.file(String(format: "made/source/images/00000/img%08d.png", index)))
      }
      let outcome = try sprint(arguments + ["dino=\(folder.file("weights.safetensors"))"])
      #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
      #expect(outcome.output.contains("/features/dino, /class_tokens/dino"), "\(outcome)")
    }

    @Test(
      "A full disk is an error; it leaves finished pieces, or nothing",
      .enabled(if: hasTools, missing),
      arguments: [(write: 2, code: 2, left: []), (write: 8, code: 75, left: ["a.h5.partial", "a.h5.progress"])])
    func fullDisk(write: Int, code: Int32, left: [String]) throws {
      let arguments = try make("repa", "made", ["--count", "1400"])
      try FileManager.default.createDirectory(atPath: folder.file("out"), withIntermediateDirectories: true)
      let outcome = try sprint(
        ["import"] + arguments + [folder.file("out/a.h5")],
        environment: injecting("fill:pwrite:a.h5.partial:\(write)", "fired"))
      #expect(FileManager.default.fileExists(atPath: folder.file("fired")))
      #expect(outcome.code == code && outcome.errors.contains("a.h5.partial: "), "\(outcome)")
      #expect(left.isEmpty || outcome.errors.contains("cannot write: No space left"), "\(outcome)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("out")).sorted() == left)
    }

    @Test("The mistake of another rank comes with its advice too", .enabled(if: hasTools, missing))
    func mistakeElsewhere() throws {
      // 1400 samples of 32 KB are three pieces; sample 600 is in the second, which rank one reads.
      let arguments = try make("repa", "made", ["--count", "1400"])
      let labels = folder.file("labels.npy")
      let script = "import numpy, sys; numpy.save(sys.argv[1], numpy.arange(1400) // 600 * 400)"
      #expect(try Python.run(["-c", script, labels]).code == 0)
      let outcome = try SprintCommand(
        "/usr/bin/env",
        ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "2", SprintCommand.sprint, "import"] + arguments
          + [folder.file("out.h5"), "--labels", labels, "--classes", "400"], in: folder
      ).wait(60)
      #expect(outcome.code == 2, "\(outcome)")
      #expect(
        outcome.errors.contains("label 400, expected 0 to 399; set the number of classes with --classes"), "\(outcome)")
    }

    @Test(
      "After a kill the same command continues and makes the same bytes, on two ranks too",
      .enabled(if: hasTools, missing))
    func resuming() throws {
      // 1400 samples of 32 KB are three pieces.
      let arguments = try make("repa", "made", ["--count", "1400"])
      let whole = folder.file("whole.h5")
      #expect(try sprint(["import"] + arguments + [whole]).code == 0)
      let expected = try Data(contentsOf: URL(fileURLWithPath: whole))
      let out = folder.file("out.h5")
      // The first write makes the file, each further one marks a piece: the kill comes with the second piece's mark.
      let killed = try SprintCommand(
        SprintCommand.sprint, ["import"] + arguments + [out],
        environment: injecting("kill:pwrite:out.h5.progress:3", "fired"), in: folder)
      #expect(try killed.wait(60).code == SIGKILL)
      let marks = try Data(contentsOf: URL(fileURLWithPath: "\(out).progress")).suffix(3 * 32)
      #expect(marks.prefix(32).contains { $0 != 0 } && marks.dropFirst(32).allSatisfy { $0 == 0 })
      let again = try SprintCommand(
        "/usr/bin/env",
        ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "2", SprintCommand.sprint, "import"] + arguments + [
          out
        ],
        in: folder
      ).wait(60)
      #expect(again.code == 0, "\(again)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: out)) == expected)
      #expect(!FileManager.default.fileExists(atPath: "\(out).progress"))
    }

    private func injecting(_ plan: String, _ mark: String) -> [String: String] {
      [
        "LD_PRELOAD": SprintCommand.build + "/libFaultInjector.so", "SPRINT_FAULT": plan,
        "SPRINT_FAULT_FIRED": folder.file(mark),
      ]
    }

    /// If this fails, one bad moment of a file server costs hours of work.
    @Test(
      "After a failed read or sync the same command goes on from the finished pieces",
      .enabled(if: hasTools, missing),
      arguments: ["fdatasync:out.h5.partial:2", "pread:img-mean-std-00001300.npy:1"])
    func failingDisk(plan: String) throws {
      let arguments = try make("repa", "made", ["--count", "1400"])
      let (whole, out) = (folder.file("whole.h5"), folder.file("out.h5"))
      #expect(try sprint(["import"] + arguments + [whole]).code == 0)
      let failed = try sprint(["import"] + arguments + [out], environment: injecting("fail:\(plan)", "fired"))
      #expect(failed.code != 0 && failed.errors.contains("Input/output error"), "\(failed)")
      #expect(failed.errors.contains("the same command continues"), "\(failed)")
      // Sample 100 is in a finished piece, and behind those that are looked at first.
      let again = try sprint(
        ["import"] + arguments + [out], environment: injecting("fail:pread:img-mean-std-00000100.npy:1", "read"))
      #expect(again.code == 0 && !FileManager.default.fileExists(atPath: folder.file("read")), "\(again)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: out)) == Data(contentsOf: URL(fileURLWithPath: whole)))
    }

    /// If this fails, a data set mixes the numbers of two sources.
    @Test(
      "An interrupted import of files that have changed since takes nothing from the old ones",
      .enabled(if: hasTools, missing), arguments: names)
    func changedFiles(layout: String) throws {
      let isWide = ["lightning-dit", "mar"].contains(layout)
      // A sample takes 256 KB with its mirror image, 64 KB as a drawn latent, otherwise 128 KB: two pieces of 16 MiB.
      // The kill comes with the mark of the second one.
      let counts = ["lightning-dit": 70, "mar": 70, "maskdit": 70, "speedrun-dit": 280, "fast-dit": 280]
      let extents = ["--side", isWide ? "32" : "64", "--count", "\(counts[layout] ?? 140)"]
      let arguments = try make(layout, "made", extents)
      let out = folder.file("out.h5")
      let killed = try sprint(
        ["import"] + arguments + [out], environment: injecting("kill:pwrite:out.h5.progress:3", "fired"))
      #expect(killed.code == SIGKILL, "\(killed)")
      // Other numbers under the same names and classes.
      let other = try make(layout, "other", extents + ["--times", "2"])
      try FileManager.default.removeItem(atPath: arguments[0])
      try FileManager.default.moveItem(atPath: other[0], toPath: arguments[0])
      let fresh = folder.file("fresh.h5")
      let outcome = try sprint(["import"] + arguments + [out])
      #expect(outcome.code == 0 && outcome.errors.contains("imported again"), "\(outcome)")
      #expect(try sprint(["import"] + arguments + [fresh]).code == 0)
      #expect(try Data(contentsOf: URL(fileURLWithPath: out)) == Data(contentsOf: URL(fileURLWithPath: fresh)))
    }

    @Test("Names in HDF5 that are not UTF-8 are an error, not left out", .enabled(if: hasTools, missing))
    func strangeNames() throws {
      let arguments = try make("repa-e", "made", ["--count", "9"])
      let change =
        "import h5py, sys; f = h5py.File(sys.argv[1], 'a'); "
        + "f.move('00000/img-mean-std-00000003.npy', b'00000/caf\\xe9')"
      #expect(try Python.run(["-c", change, arguments[0]]).code == 0)
      let outcome = try sprint(["import"] + arguments + ["--labels", "none", folder.file("out.h5")])
      #expect(outcome.code == 2 && outcome.errors.contains("`caf\\xE9` is no UTF-8"), "\(outcome)")
    }

    @Test(
      "An interrupted import whose classes have changed begins anew, and mixes nothing", .enabled(if: hasTools, missing)
    )
    func changedClasses() throws {
      let arguments = try make("repa", "made", ["--count", "1400"])
      let out = folder.file("out.h5")
      let killed = try sprint(
        ["import"] + arguments + [out],
        environment: injecting("kill:pwrite:out.h5.progress:3", "fired"))
      #expect(killed.code == SIGKILL)
      let json = folder.file("made/source/vae-sd/dataset.json")
      let labels = try String(contentsOfFile: json, encoding: .utf8)
      let changed = try Python.run([
        "-c",
        "import json,sys; d = json.load(open(sys.argv[1])); "
          + "d['labels'] = [[n, (c + 1) % 1000] for n, c in d['labels']]; json.dump(d, open(sys.argv[1], 'w'))", json,
      ])
      #expect(try changed.code == 0 && String(contentsOfFile: json, encoding: .utf8) != labels)
      let fresh = folder.file("fresh.h5")
      for path in [out, fresh] { #expect(try sprint(["import"] + arguments + [path]).code == 0) }
      #expect(try Data(contentsOf: URL(fileURLWithPath: out)) == Data(contentsOf: URL(fileURLWithPath: fresh)))
    }
  }
}
