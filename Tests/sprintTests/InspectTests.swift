import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// `sprint inspect` says what anything is, in a screen of lines.
  @Suite struct InspectTests {
    private let folder: TemporaryFolder
    private static let hasTools = Python.has("numpy", "h5py", "lmdb", "safetensors")
    private static let missing = Comment(rawValue: Python.lacks("numpy, h5py, lmdb and safetensors"))

    init() throws { folder = try TemporaryFolder() }

    private func sprint(_ arguments: [String]) throws -> SprintCommand.Outcome {
      try SprintCommand(SprintCommand.sprint, arguments, in: folder).wait(60)
    }

    /// Expects a description that holds `parts`, fits on a screen, and is one object as JSON.
    private func expect(_ path: String, _ parts: [String]) throws {
      let outcome = try sprint(["inspect", path])
      let lines = outcome.output.split(separator: "\n")
      #expect(outcome.code == 0 && outcome.errors.isEmpty && lines.count <= 40, "\(path): \(outcome)")
      for part in parts { #expect(outcome.output.contains(part), "\(path): \(part) in \(outcome.output)") }
      let json = try sprint(["inspect", path, "--json"])
      #expect(json.code == 0 && json.output.split(separator: "\n").count == 1, "\(path): \(json)")
      #expect((try? JSONSerialization.jsonObject(with: Data(json.output.utf8))) is [String: Any], "\(json.output)")
    }

    private func write(_ name: String, _ text: String) throws -> String {
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name)))
      return folder.file(name)
    }

    private func make(_ script: String) throws {
      let start = "import os, io, json, zipfile, numpy as np, h5py, lmdb; from safetensors.numpy import save_file\n"
      let made = try Python.run(["-c", "import os, sys; os.chdir('\(folder.path)')\n" + start + script])
      try #require(made.code == 0, "\(made.errors)")
    }

    @Test("Texts: pointers, pages, JSON, configurations and what is wrong with them, and any other")
    func texts() throws {
      let config = try String(contentsOfFile: SprintCommand.root + "/configs/digits.yaml", encoding: .utf8)
      for (name, text, parts) in [
        (
          "a.h5", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5230000\n",
          ["Git LFS", "5.2 MB", "pull"]
        ),
        ("a.safetensors", "<html><body>Log in", ["web page", "login"]), ("a.npz", "<?xml version='1.0'?>", ["server"]),
        (
          "a.json", #"{"labels": [["a", 1]], "b": "c", "d": null}"#, ["3 keys", "labels list of 1", "b text", "d null"]
        ),
        ("b.json", "[1, 2, 3]", ["list of 3 values"]), ("a.jsonl", "{\"a\": 1}\n{\"a\": 2}\n", ["each of 2 lines"]),
        ("any", config, ["configuration, valid", "stage `"]),
        ("a.yaml", config.replacing("heads:", with: "heds:"), ["configuration, not valid", "heads"]),
        ("b.yaml", "on: push\njobs: {}\n", ["YAML", "neither `model` nor `stages`"]),
        ("c.yaml", "a: [1", ["not valid"]),
        ("README.md", "# Title\n", ["a text of 8 bytes", "# Title"]), ("empty", "", ["an empty file"]),
        ("lock", "", ["lock of a run"]), ("step-000000001.not-finite", "", ["mark beside a checkpoint"]),
        ("colour.txt", "a\u{1B}[31mred", ["a\u{FFFD}[31mred"]),
      ] as [(String, String, [String])] {
        try expect(write(name, text), parts)
      }
    }

    @Test("Arrays and archives: types, shapes and layouts", .enabled(if: hasTools, missing))
    func arrays() throws {
      try make(
        """
        np.save('a.npy', np.zeros((3, 4), 'f2')); np.save('b.npy', np.asfortranarray(np.zeros((3, 4), '>i4')))
        np.savez('a.npz', mean=np.zeros(4), std=np.ones((1, 4, 1, 1), 'f4'))
        np.savez_compressed('b.npz', **{f'a{i}': np.zeros(i, 'u1') for i in range(99)})
        z = zipfile.ZipFile('a.zip', 'w'); z.writestr('vae-sd/00000/img-mean-std-00000000.npy', 'x'); z.close()
        z = zipfile.ZipFile('b.zip', 'w'); [z.writestr(f'{i}.jpg', 'x') for i in range(99)]; z.close()
        save_file({f'ema.b{i}': np.zeros(2, 'f4') for i in range(99)}, 'a.safetensors', metadata={'k': 'v' * 999})
        save_file({'a': np.zeros((2, 3), 'u2')}, 'm-00001-of-00002.safetensors')
        json.dump({'weight_map': {'a': 'm-00001-of-00002.safetensors', 'b': 'm-00002-of-00002.safetensors'}},
                  open('m.safetensors.index.json', 'w'))
        """)
      for (name, parts) in [
        ("a.npy", ["npy array of float16 [3, 4]"]), ("b.npy", ["int32, big-endian, [3, 4]", "Fortran order"]),
        ("a.npz", ["2 arrays", "mean float64 [4]", "std float32 [1, 4, 1, 1]"]), ("b.npz", ["99 arrays", "69 more"]),
        ("a.zip", ["1 .npy", "EDM2 or of REPA"]), ("b.zip", ["99 .jpg", "69 more"]),
        ("a.safetensors", ["99 tensors", "`ema.` (99)", "k: vvv", "more, see --json"]),
        ("m-00001-of-00002.safetensors", ["a U16 [2, 3]", "shard 1 of 2", "m.safetensors.index.json"]),
        ("m.safetensors.index.json", ["2 tensors in 2", "missing: m-00002-of-00002.safetensors"]),
      ] as [(String, [String])] {
        try expect(folder.file(name), parts)
      }
      #expect(try !sprint(["inspect", folder.file("b.zip")]).output.contains("EDM2"))
    }

    @Test(
      "HDF5 files of others are trees of what they hold, also behind a user block and with groups in themselves",
      .enabled(if: hasTools, missing))
    func trees() throws {
      try make(
        """
        with h5py.File('a.h5', 'w') as f:
            f['x/images'] = np.zeros((5, 3, 8, 8), 'u1'); f['x/loop'] = f['x']; f['names'] = ['a', 'b']
            f['far'] = h5py.ExternalLink('b.h5', '/y')
            f['link'] = h5py.SoftLink('/x/images'); f['n'] = h5py.Empty('f4')
        with h5py.File('b.h5', 'w', userblock_size=1024) as f:
            for i in range(99): f[f'g{i // 10}/d{i}'] = np.zeros((i + 1, 2))
        """)
      try expect(
        folder.file("a.h5"),
        [
          "3 data sets and 1 group", "  x/\n", "    images uint8 [5, 3, 8, 8]", "loop a group around this one",
          "names texts [2]", "link a link", "far a link into another file", "/labels",
        ])
      try expect(folder.file("b.h5"), ["99 data sets and 10 groups", "d0 float64 [1, 2]", "79 more"])
    }

    @Test(
      "Folders: sources of latents with their layout, pictures, weights and event files",
      .enabled(if: hasTools, missing))
    func folders() throws {
      try make(
        """
        e = lmdb.open('maskdit', map_size=1 << 22)
        with e.begin(write=True) as t: [t.put(k, b'2') for k in (b'length', b'z-0', b'y-0', b'z-1', b'y-1')]
        e.close()
        e = lmdb.open('other', map_size=1 << 22)
        with e.begin(write=True) as t: [t.put(f'k{i:04}'.encode(), b'v' * 50) for i in range(3000)]
        e.close()
        for f in ['repa/vae-sd/00000', 'mar/n01', 'pictures/n01', 'pictures/n02', 'pictures/.ipynb_checkpoints',
                  'pictures/none', 'weights', 'empty']: os.makedirs(f)
        np.savez('mar/n01/a.JPEG.npz', moments=np.zeros(3)); open('weights/.DS_Store', 'w')
        for i in range(5): open(f'pictures/n0{1 + i % 2}/{i}.png', 'w')
        open('pictures/n01/._0.png', 'w'); save_file({'a': np.zeros(2)}, 'weights/a.safetensors')
        """)
      for (name, parts) in [
        ("maskdit", ["5 keys", "MaskDiT", "--from maskdit"]), ("other", ["3000 keys", "k0000", "k0004"]),
        ("repa", ["--from repa"]), ("mar", ["--from mar"]), ("weights", ["a.safetensors: 1 tensor"]),
        (
          "pictures",
          ["5 pictures (5 .png)", "2 folders of classes with 2 to 3", "none/", "1 other file", ".ipynb_checkpoints"]
        ),
        ("empty", ["folder without files"]),
      ] as [(String, [String])] {
        try expect(folder.file(name), parts)
      }
    }

    @Test("Folders of sprint's own files are what they are, and no source of latents")
    func ownFolders() throws {
      for name in ["data", "configs"] {
        try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
      }
      for (from, to) in [("configs/data/digits.h5", "data/a.h5"), ("configs/digits.yaml", "configs/a.yaml")] {
        try FileManager.default.copyItem(atPath: "\(SprintCommand.root)/\(from)", toPath: folder.file(to))
      }
      try expect(folder.file("data"), ["folder of 1 data set of sprint: a.h5"])
      try expect(folder.file("configs"), ["folder with 1 configuration of sprint: a.yaml"])
      #expect(try !sprint(["inspect", folder.file("data")]).output.contains("--from"))
    }

    @Test("A run: how far it is, its files, and the process that trains in it; its log, events and checkpoints")
    func runs() throws {
      let run = ShortRun("run", in: folder)
      #expect(try run.run(ranks: nil, ["--until", "12"]).code == 0)
      try expect(
        run.path, ["run `run`, step 12 of 100", "`masked`", "2 checkpoints", "step-000000012.h5", "no process trains"])
      try expect("\(run.path)/metrics.jsonl", ["log of a run, 12 steps", "last losses"])
      let events = try FileManager.default.contentsOfDirectory(atPath: "\(run.path)/tensorboard")
      try expect("\(run.path)/tensorboard/\(events[0])", ["event file", "loss/training 12 values, steps 1 to 12"])
      try expect("\(run.path)/tensorboard", ["1 event file", "loss/training 12 values"])
      let newest = "\(run.checkpoints)/step-000000012"
      try expect("\(newest).h5", ["whole", "step 12 of 100"])

      // What the message about a checkpoint without a manifest tells works.
      try FileManager.default.copyItem(atPath: "\(newest).h5", toPath: folder.file("alone.h5"))
      try expect(folder.file("alone.h5"), ["step 12 without its manifest", "alone.manifest.json"])
      try FileManager.default.copyItem(
        atPath: "\(newest).manifest.json", toPath: folder.file("alone.manifest.json"))
      try expect(folder.file("alone.h5"), ["whole", "step 12 of 100"])
      let sampled = try sprint([
        "sample", "--checkpoint", folder.file("alone.h5"), "--count", "2", "--steps", "1", "--out",
        folder.file("a.png"),
      ])
      #expect(sampled.code == 0, "\(sampled)")
      try expect(folder.file("a.png"), ["a PNG picture of", "RGB"])

      try expect(run.checkpoints, ["2 checkpoints of a run", "newest is step-000000012.h5"])
      #expect(try sprint(["report", run.path, "--out", folder.file("r.html")]).code == 0)
      try expect(folder.file("r.html"), ["report of sprint"])
      try Data().write(to: URL(fileURLWithPath: "\(newest).not-finite"))
      try expect(run.path, ["step-000000012.h5: marked, a number of the steps after it is not finite"])
      try FileManager.default.removeItem(atPath: "\(newest).not-finite")
      try FileManager.default.copyItem(atPath: run.path, toPath: folder.file("cut"))
      #expect(truncate(folder.file("cut/checkpoints/step-000000012.h5"), 1000) == 0)
      try expect(folder.file("cut"), ["step-000000012.h5: not whole: 1000 bytes, its manifest says"])
      #expect(try !sprint(["inspect", run.path]).output.contains("not whole"))

      let command = try run.start(ranks: nil)
      try run.waitForStep(20, command)
      let busy = try sprint(["inspect", run.path])
      command.signal(SIGKILL)
      _ = try command.wait(10)
      #expect(busy.output.contains("in use by process \(command.pid) on host"), "\(busy)")
    }

    @Test(
      "What cannot be read, or is damaged, is one line and code 2",
      arguments: [
        "mkfifo F", "ln -s nothing F", "ln -s F F", "ln -s /dev/null F", "printf '\\211HDF\\r\\n\\032\\nabc' > F",
        "printf '\\223NUMPY\\001\\000v\\000{' > F", "printf 'PK\\003\\004aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' > F",
        "printf '\\211PNG\\r\\n\\032\\n\\000' > F", "printf '{\\\"a\\\": ' > F",
        "printf '\\011\\000\\000\\000\\000\\000\\000\\000{\\\"a\\\": 3}aa' > F",
      ])
    func unreadable(script: String) throws {
      let made = try SprintCommand("/bin/sh", ["-c", "cd \(folder.path); \(script)"], in: folder).wait(10)
      #expect(made.code == 0)
      let outcome = try sprint(["inspect", folder.file("F")])
      #expect(outcome.code == 2 && outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
      #expect(outcome.errors.contains(folder.file("F")) && outcome.output.isEmpty, "\(outcome)")
    }

    @Test("Samples of latents are not written as the pixels of an evaluation; as the message says, .h5 and .png work")
    func latentsAsPixels() throws {
      var random = Randomness("latents")
      try DatasetFile.write(
        folder.file("x.h5"), shape: [24, 4, 8, 8], values: random.normal(24 * 4 * 64),
        labels: (0..<24).map { Int64($0 % 10) })
      let run = ShortRun(
        "latents", in: folder,
        ["data={train: [\(folder.file("x.h5"))]}", "model.channels=4", "stages[0].batch=8", "stages[1].batch=8"])
      #expect(try run.run(ranks: nil, ["--until", "2"]).code == 0)
      func draw(_ name: String) throws -> SprintCommand.Outcome {
        try sprint(["sample", "--run", run.path, "--count", "4", "--steps", "1", "--out", folder.file(name)])
      }
      let refused = try draw("a.npz")
      #expect(refused.code == 2 && refused.errors.contains("latents") && refused.errors.contains("--out NAME.h5"))
      #expect(!FileManager.default.fileExists(atPath: folder.file("a.npz")))
      for name in ["NAME.h5", "NAME.png"] {
        let drawn = try draw(name)
        #expect(drawn.code == 0 && FileManager.default.fileExists(atPath: folder.file(name)), "\(drawn)")
      }
    }
  }
}
