import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// `sprint import` of sources as people have them: with junk, other tables, other zips, broken samples.
  @Suite(
    .enabled(if: Python.has("numpy", "h5py", "safetensors", "lmdb"), Comment(rawValue: Python.lacks("numpy, ..."))))
  struct OddSourcesTests {
    private let folder: TemporaryFolder
    private static let script = "Tests/Reference/odd_sources.py"

    init() throws { folder = try TemporaryFolder() }

    private struct Case: Codable {
      struct Wanted: Codable {
        let samples: [Int?]
        let labels: [Int]
        let flip: Bool
        let scale, shift: [Double]?
        let channels: Int?
      }
      let name: String
      let arguments, told: [String]
      let code: Int32
      let wanted: Wanted?
    }

    private struct Made: Codable {
      let name, file: String
      let wanted: Case.Wanted
    }

    private func sprint(_ arguments: [String], _ environment: [String: String] = [:]) throws -> SprintCommand.Outcome {
      try SprintCommand(SprintCommand.sprint, arguments, environment: environment, in: folder).wait(60)
    }

    private func python(_ program: String, _ arguments: String...) throws {
      let done = try Python.run(["-c", program] + arguments)
      try #require(done.code == 0, "\(program): \(done.errors)")
    }

    private func makeCases() throws -> [Case] {
      let made = try Python.run([Self.script, "make", folder.file("src")])
      try #require(made.code == 0, "\(made.errors)")
      return try JSONDecoder().decode([Case].self, from: Data(made.output.utf8))
    }

    /// Expects that each file holds what its case wants.
    private func check(_ made: [Made]) throws {
      let list = folder.file("made.json")
      try JSONEncoder().encode(made).write(to: URL(fileURLWithPath: list))
      let checked = try Python.run([Self.script, "check", list])
      #expect(checked.code == 0 && checked.output == "{}\n", "\(checked)")
    }

    @Test("Odd sources are imported with the right samples, classes and scale, or refused with what to do")
    func cases() throws {
      var made: [Made] = []
      for (index, one) in try makeCases().enumerated() {
        let target = folder.file("out-\(index)")
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        let outcome = try sprint(["import"] + one.arguments + ["\(target)/a.h5", "--dtype", "f32"])
        #expect(outcome.code == one.code, "\(one.name): \(outcome)")
        let lacking = one.told.filter { !outcome.errors.contains($0) }
        #expect(lacking.isEmpty, "\(one.name) does not say \(lacking): \(outcome.errors)")
        if let wanted = one.wanted {
          #expect(!one.told.isEmpty || outcome.errors.isEmpty, "\(one.name): \(outcome.errors)")
          made.append(Made(name: one.name, file: "\(target)/a.h5", wanted: wanted))
        } else {
          #expect(try FileManager.default.contentsOfDirectory(atPath: target).isEmpty, "\(one.name) left something")
        }
      }
      #expect(made.count > 100)
      try check(made)
    }

    /// Returns the lines of Python in a message, with the names of files in place of those of the message.
    private func instruction(in message: String, _ names: [String: String]) throws -> String {
      let start = try #require(message.range(of: "with Python: ")).upperBound
      let end = message[start...].firstIndex(of: "\n") ?? message.endIndex
      return names.reduce(String(message[start..<end])) { $0.replacing("'\($1.key)'", with: "'\($1.value)'") }
    }

    @Test(
      "The program that is told for bfloat16 in .npy makes float32 of the same numbers", arguments: ["|V2", "<V2"])
    func bfloat16(type: String) throws {
      let array = "source/vae-sd/00000/img-mean-std-00000000.npy"
      try python(
        """
        import numpy as np, os, sys
        f = sys.argv[1]; os.makedirs(os.path.dirname(f))
        x = np.random.default_rng(0).standard_normal((8, 8, 8)).astype('f4'); x[4:] = abs(x[4:])
        x = (x.view('<u4') >> 16 << 16).view('<f4'); np.save(f + '.right.npy', x)
        np.save(f, (x.view('<u4') >> 16).astype('<u2').view('V2'))
        d = open(f, 'rb').read().replace(b"'|V2'", b"'\(type)'"); open(f, 'wb').write(d)
        os.rename(f + '.right.npy', sys.argv[2])
        """, folder.file(array), folder.file("right.npy"))
      let arguments = ["import", folder.file("source"), folder.file("a.h5"), "--dtype", "f32", "--labels", "none"]
      let refused = try sprint(arguments)
      #expect(refused.code == 2 && refused.errors.contains("bfloat16"), "\(refused)")
      try python(
        try instruction(in: refused.errors, ["IN.npy": folder.file(array), "OUT.npy": folder.file(array)]))
      #expect(try sprint(arguments).code == 0)
      try python(
        "import h5py, numpy as np, sys; assert (h5py.File(sys.argv[1])['moments'][0] == np.load(sys.argv[2])).all()",
        folder.file("a.h5"), folder.file("right.npy"))
    }

    @Test("The program that is told for a batch in one .npy splits it, with its classes in the same way")
    func batches() throws {
      try python(
        """
        import numpy as np, os, sys
        d = sys.argv[1]
        os.makedirs(d + '/vae-sd'); os.makedirs(d + '/fast/x_features'); os.makedirs(d + '/fast/x_labels')
        x = np.stack([np.full((8, 4, 4), i + 1, 'f4') for i in range(6)])
        np.save(d + '/vae-sd/img-mean-std-0.npy', x); np.save(d + '/labels.npy', np.arange(6))
        np.save(d + '/fast/x_features/0.npy', x); np.save(d + '/fast/x_labels/0.npy', np.arange(6))
        """, folder.path)
      let numbered = ["import", "--from", "repa", folder.file("vae-sd"), "--labels", folder.file("labels.npy")]
      var outcome = try sprint(numbered + ["--labels", "none", folder.file("a.h5")])
      #expect(outcome.code == 2 && outcome.errors.contains("a batch of 6 samples of shape [8, 4, 4]"), "\(outcome)")
      let names = ["FILE.npy": folder.file("vae-sd/img-mean-std-0.npy")]
      try python(try instruction(in: outcome.errors, names))
      #expect(try sprint(numbered + [folder.file("a.h5"), "--dtype", "f32"]).code == 0)
      outcome = try sprint(["import", folder.file("fast"), folder.file("b.h5")])
      #expect(outcome.code == 2 && outcome.errors.contains("a batch of 6 samples"), "\(outcome)")
      for part in ["features", "labels"] {
        try python(try instruction(in: outcome.errors, ["FILE.npy": folder.file("fast/x_\(part)/0.npy")]))
      }
      #expect(try sprint(["import", folder.file("fast"), folder.file("b.h5"), "--dtype", "f32"]).code == 0)
      let right = Case.Wanted(
        samples: Array(0..<6), labels: Array(0..<6), flip: false, scale: nil, shift: nil, channels: 8)
      try check(["a.h5", "b.h5"].map { Made(name: $0, file: folder.file($0), wanted: right) })
    }

    @Test("The program that is told for classes that numpy pickled makes whole numbers of them")
    func pickledClasses() throws {
      try python(
        """
        import numpy as np, os, sys
        d = sys.argv[1]; os.makedirs(d + '/vae-sd')
        for i in range(6): np.save(f'{d}/vae-sd/img-mean-std-{i:08d}.npy', np.full((8, 4, 4), i + 1, 'f4'))
        np.save(d + '/y.npy', np.array([5 - i for i in range(6)], object))
        """, folder.path)
      let arguments = ["import", "--from", "repa", folder.file("vae-sd"), folder.file("a.h5"), "--dtype", "f32"]
      let refused = try sprint(arguments + ["--labels", folder.file("y.npy")])
      #expect(refused.code == 2 && refused.errors.contains("Python's objects"), "\(refused)")
      try python(try instruction(in: refused.errors, ["IN.npy": "y.npy", "OUT.npy": "z.npy"].mapValues(folder.file)))
      #expect(try sprint(arguments + ["--labels", folder.file("z.npy")]).code == 0)
      let right = Case.Wanted(
        samples: Array(0..<6), labels: Array((0..<6).reversed()), flip: false, scale: nil, shift: nil, channels: 8)
      try check([Made(name: "classes", file: folder.file("a.h5"), wanted: right)])
    }

    @Test("The program that is told for statistics in two .npy files puts them together")
    func separateStatistics() throws {
      try python(
        """
        import numpy as np, sys; sys.path.insert(0, 'Tests/Reference'); import odd_sources as o
        d = sys.argv[1]; o.shard(d + '/source', np.arange(6))
        np.save(d + '/m.npy', np.full((1, 4, 1, 1), 0.5)); np.save(d + '/s.npy', np.full((1, 4, 1, 1), 2.0))
        """, folder.path)
      let arguments = ["import", folder.file("source"), folder.file("a.h5"), "--dtype", "f32", "--statistics"]
      let refused = try sprint(arguments + [folder.file("m.npy")])
      #expect(refused.code == 2, "\(refused)")
      let names = ["MEAN.npy": "m.npy", "STD.npy": "s.npy", "OUT.npz": "both.npz"].mapValues(folder.file)
      try python(try instruction(in: refused.errors, names))
      #expect(try sprint(arguments + [folder.file("both.npz")]).code == 0)
      let right = Case.Wanted(
        samples: Array(0..<6), labels: Array(0..<6), flip: false, scale: [0.5, 0.5, 0.5, 0.5],
        shift: [-0.25, -0.25, -0.25, -0.25], channels: 4)
      try check([Made(name: "both", file: folder.file("a.h5"), wanted: right)])
    }

    /// Makes 140 samples of 128 KB, of which 100, 120 and 135 are empty: the first piece of 128 is not whole.
    private func makeBroken(_ broken: [Int] = [100, 131, 135], count: Int = 140) throws {
      try python(
        """
        import json, numpy as np, os, sys
        d = sys.argv[1] + '/vae-sd'; os.makedirs(d); n = []
        for i in range(\(count)):
            n.append(f'img-mean-std-{i:08d}.npy'); np.save(f'{d}/{n[-1]}', np.full((2, 256, 256), i + 1, 'f4'))
        json.dump({'labels': [[m, i % 1000] for i, m in enumerate(n)]}, open(d + '/dataset.json', 'w'))
        for i in \(broken): os.truncate(f'{d}/{n[i]}', 0)
        """, folder.file("source"))
    }

    private func mend(_ index: Int) throws {
      try python(
        "import numpy as np, sys; np.save(sys.argv[1], np.full((2, 256, 256), \(index + 1), 'f4'))", sample(index))
    }

    private func sample(_ index: Int) -> String {
      folder.file("source/vae-sd/" + String(format: "img-mean-std-%08d.npy", index))
    }

    private func right(without broken: Set<Int>, of count: Int = 140) -> Case.Wanted {
      let good = (0..<count).filter { !broken.contains($0) }
      return Case.Wanted(samples: good, labels: good, flip: false, scale: nil, shift: nil, channels: 2)
    }

    @Test("All broken samples are named in one pass; after mending, the same command reads only what is missing")
    func mending() throws {
      // 32 samples of 512 KB make a piece of 16 MiB: the first and the third one are whole.
      try makeBroken([40, 41, 100, 135])
      let arguments = ["import", folder.file("source"), folder.file("a.h5"), "--dtype", "f32"]
      let failed = try sprint(arguments)
      #expect(failed.code == 2 && failed.errors.contains("4 of 140 samples cannot be used"), "\(failed)")
      for index in [40, 41, 100, 135] {
        #expect(failed.errors.contains((sample(index) as NSString).lastPathComponent), "\(failed)")
      }
      #expect(failed.errors.contains("the same command continues the import"), "\(failed)")
      for index in [40, 41, 100, 135] { try mend(index) }
      let plan = [
        "LD_PRELOAD": SprintCommand.build + "/libFaultInjector.so",
        "SPRINT_FAULT": "fail:pread:img-mean-std-00000070.npy:1", "SPRINT_FAULT_FIRED": folder.file("read"),
      ]
      let again = try sprint(arguments, plan)
      #expect(again.code == 0 && !FileManager.default.fileExists(atPath: folder.file("read")), "\(again)")
      try check([Made(name: "mended", file: folder.file("a.h5"), wanted: right(without: []))])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.hasPrefix("a.h5.") })
    }

    @Test("Broken samples are left out by any number of ranks, after a failed import and after a kill")
    func leavingOut() throws {
      let broken = [0, 40, 41, 100, 139]
      try makeBroken(broken)
      let arguments = ["import", "--from", "repa", folder.file("source"), "--dtype", "f32"]
      let one = folder.file("one.h5")
      let first = try sprint(arguments + [one, "--skip-broken", "--json"])
      #expect(first.code == 0 && first.errors.contains("left out 5 of 140 samples"), "\(first)")
      #expect(first.output.contains("\"left_out\":5") && first.output.contains("\"samples\":135"), "\(first)")
      let two = folder.file("two.h5")
      let ranks = try SprintCommand(
        "/usr/bin/env",
        ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "2", SprintCommand.sprint] + arguments
          + [two, "--skip-broken"], in: folder
      ).wait(60)
      #expect(ranks.code == 0 && ranks.errors.contains("left out 5 of 140 samples"), "\(ranks)")
      let three = folder.file("three.h5")
      #expect(try sprint(arguments + [three]).code == 2)
      #expect(try sprint(arguments + [three, "--skip-broken"]).code == 0)
      let four = folder.file("four.h5")
      let plan = [
        "LD_PRELOAD": SprintCommand.build + "/libFaultInjector.so",
        "SPRINT_FAULT": "kill:pwrite:four.h5.progress:4", "SPRINT_FAULT_FIRED": folder.file("killed"),
      ]
      #expect(try sprint(arguments + [four, "--skip-broken"], plan).code == SIGKILL)
      let resumed = try sprint(arguments + [four, "--skip-broken"])
      #expect(resumed.code == 0 && resumed.errors.contains("left out 5 of 140 samples"), "\(resumed)")
      try check(
        [one, two, three, four].map { Made(name: $0, file: $0, wanted: right(without: Set(broken))) })
      let expected = try Data(contentsOf: URL(fileURLWithPath: one))
      for other in [two, three, four] { #expect(try Data(contentsOf: URL(fileURLWithPath: other)) == expected) }
    }

    @Test("An import that may not leave out samples goes on from one that might, and reads the gaps again")
    func strictAgain() throws {
      try makeBroken([40, 100])
      let arguments = ["import", "--from", "repa", folder.file("source"), folder.file("a.h5"), "--dtype", "f32"]
      let plan = [
        "LD_PRELOAD": SprintCommand.build + "/libFaultInjector.so",
        "SPRINT_FAULT": "kill:pwrite:a.h5.progress:4", "SPRINT_FAULT_FIRED": folder.file("killed"),
      ]
      #expect(try sprint(arguments + ["--skip-broken"], plan).code == SIGKILL)
      let strict = try sprint(arguments)
      #expect(strict.code == 2 && strict.errors.contains("2 of "), "\(strict)")
      for index in [40, 100] { try mend(index) }
      #expect(try sprint(arguments).code == 0)
      try check([Made(name: "strict", file: folder.file("a.h5"), wanted: right(without: []))])
    }

    @Test("Only the first 1,000 of many broken samples are named, with the number of all")
    func manyBroken() throws {
      try makeBroken(Array(30..<1040), count: 1044)
      let outcome = try sprint(["import", "--from", "repa", folder.file("source"), folder.file("a.h5")])
      #expect(outcome.code == 2 && outcome.errors.contains("1010 of 1044 samples cannot be used"), "\(outcome)")
      let lines = outcome.errors.split(separator: "\n").filter { $0.contains("sample img-mean-std-") }
      #expect(lines.count == 1000 && lines.last?.contains("00001029") == true, "\(outcome)")
    }
  }
}
