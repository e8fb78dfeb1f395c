import Foundation
import SprintTestSupport
import Testing

extension ProcessTests {
  /// Files that somebody made to do harm: each is one line of error, and none shows what another file holds.
  @Suite struct CraftedFilesTests {
    private let folder: TemporaryFolder
    private static let hasTools = Python.has("numpy", "h5py")
    private static let missing = Comment(rawValue: Python.lacks("numpy and h5py"))

    init() throws { folder = try TemporaryFolder() }

    private func sprint(_ arguments: [String]) throws -> SprintCommand.Outcome {
      try SprintCommand(SprintCommand.sprint, arguments, in: folder).wait(60)
    }

    /// Runs Python with `f` as the path of a new HDF5 file.
    private func make(_ name: String, _ script: String) throws -> String {
      let path = folder.file(name)
      let made = try Python.run(["-c", "import h5py, numpy as np\nf = '\(path)'\n" + script])
      try #require(made.code == 0, "\(made.errors)")
      return path
    }

    private static let dataSet = """
      with h5py.File(f, "w") as h:
          h["latents"] = np.ones((4, 1, 8, 8), "f4"); h["labels"] = np.arange(4)

      """

    @Test(
      "A data set whose attribute or labels are not what they should be is one line of error, not a signal",
      .enabled(if: hasTools, missing),
      arguments: [
        "h.attrs['vae'] = np.array([b'A' * 16] * 400000)", "h.attrs['kind'] = np.array(['x'] * 500, dtype=object)",
        "h.attrs['scale'] = np.array([b'1'] * 3)", "h.attrs.create('shift', np.zeros(5000))",
        "h.attrs['kind'] = 3.5", "del h['labels']; h.create_dataset('labels', (1 << 40,), 'i8', chunks=(1024,))",
        "del h['labels']; h.create_dataset('labels', (1 << 33,), 'i8')",
        "del h['labels']; h['labels'] = h5py.ExternalLink('none.h5', '/labels')",
        "del h['labels']; h.create_dataset('labels', (1 << 33,), 'i8', external=[(f, 0, h5py.h5f.UNLIMITED)])",
        "del h['latents']; "
          + "h.create_dataset('latents', (4, 1 << 40, 1, 1), 'f4', external=[(f, 0, h5py.h5f.UNLIMITED)])",
      ])
    func dataSets(change: String) throws {
      let path = try make(
        "bad.h5",
        Self.dataSet + "with h5py.File(f, 'a') as h:\n  try:\n    \(change)\n  except (OSError, ValueError): "
          + "h.attrs.create('scale', [0.0])\n")
      let outcome = try sprint(["inspect", path])
      #expect(outcome.code == 2 && outcome.errors.split(separator: "\n").count == 1, "\(change): \(outcome)")
    }

    @Test(
      "A packed piece that unpacks to another size than the data set says is one line of error",
      .enabled(if: hasTools, missing),
      arguments: ["len(good) // 2", "0", "3 * len(good)"])
    func packedPieces(length: String) throws {
      let path = try make(
        "packed.h5",
        """
        import zlib
        good = np.ones((2, 1, 8, 8), "f4").tobytes()
        with h5py.File(f, "w") as h:
            d = h.create_dataset("latents", (4, 1, 8, 8), "f4", chunks=(2, 1, 8, 8), compression="gzip")
            d.id.write_direct_chunk((0, 0, 0, 0), zlib.compress(good))
            d.id.write_direct_chunk((2, 0, 0, 0), zlib.compress((good * 3)[:\(length)]))
            h["labels"] = np.arange(4)
        """)
      let run = folder.file("run")
      let settings = [
        "data={train: [\"\(path)\"]}", "stages[0].batch=4", "stages[1].batch=4", "samples.interval=100000",
      ]
      let outcome = try sprint(
        ["train", "--config", "configs/digits.yaml", "--run", run] + settings.flatMap { ["--set", $0] })
      #expect((1...2).contains(outcome.code) && outcome.errors.contains("a piece does not unpack"), "\(outcome)")
    }

    @Test(
      "A data set packed with shuffle and checksum is read; a filter that sprint cannot check is named",
      .enabled(if: hasTools, missing))
    func packings() throws {
      for (name, options, isGood) in [
        ("gzip", "compression='gzip', shuffle=True, fletcher32=True", true), ("sum", "fletcher32=True", true),
        ("lzf", "compression='lzf'", false), ("offset", "scaleoffset=3", false),
      ] {
        let path = try make(
          "\(name).h5",
          """
          with h5py.File(f, "w") as h:
              h.create_dataset("latents", data=np.random.rand(5, 1, 8, 8).astype("f4"), chunks=(2, 1, 8, 8), \(options))
              h["labels"] = np.arange(5)
          """)
        let outcome = try sprint(["bench", "data", "--file", path, "--rounds", "1"])
        #expect(outcome.code == (isGood ? 0 : 2), "\(name): \(outcome)")
        #expect(isGood || outcome.errors.contains("packed with HDF5's filter"), "\(name): \(outcome)")
      }
    }

    @Test(
      "A piece without filters is read as what it holds, whatever size its index claims",
      .enabled(if: hasTools, missing),
      arguments: [4, 400_000])
    func pieceSizes(size: Int) throws {
      let path = try make(
        "sizes.h5",
        """
        import struct
        with h5py.File(f, "w", libver="earliest") as h:
            h.create_dataset("latents", data=np.full((4, 1, 8, 8), 7, "f4"), chunks=(1, 1, 8, 8))
            h["labels"] = np.arange(4); h["noise"] = np.random.rand(200000)
        data = bytearray(open(f, "rb").read())
        tree = data.find(b"TREE\\x01")
        assert tree > 0
        for i in range(4): struct.pack_into("<I", data, tree + 24 + 56 * i, \(size))
        open(f, "wb").write(data)
        """)
      let outcome = try sprint(["inspect", path, "--json"])
      #expect(outcome.code == 0 && outcome.output.contains("\"deviation\":0,\"mean\":7"), "\(outcome)")
    }

    @Test("A zip entry that claims impossible sizes is one line of error", .enabled(if: hasTools, missing))
    func zipSizes() throws {
      for field in ["comp", "size", "both"] {
        let path = folder.file("\(field).npz")
        let made = try Python.run([
          "-c",
          """
          import numpy as np, struct
          np.savez("\(path)", latents=np.ones((4, 4, 8, 8), "f4"), labels=np.arange(4))
          data = bytearray(open("\(path)", "rb").read())
          for sign, at in [(b"PK\\1\\2", 20), (b"PK\\3\\4", 18)]:
              i = data.find(sign)
              while i >= 0:
                  if "\(field)" != "size": data[i + at:i + at + 4] = struct.pack("<I", 0xfffffffe)
                  if "\(field)" != "comp": data[i + at + 4:i + at + 8] = struct.pack("<I", 0xfffffffe)
                  i = data.find(sign, i + 4)
          open("\(path)", "wb").write(data)
          """,
        ])
        try #require(made.code == 0, "\(made.errors)")
        let outcome = try sprint(["import", path, "--out", folder.file("out.h5")])
        #expect(outcome.code == 2 && outcome.errors.split(separator: "\n").count == 1, "\(field): \(outcome)")
      }
    }

    @Test("Samples behind an external link are those of the linked file", .enabled(if: hasTools, missing))
    func externalLink() throws {
      let script = """
        o = f.replace('linking', 'linked')
        with h5py.File(o, "w") as h:
            h["padding"] = np.zeros(12345, "f4"); h["x"] = np.full((4, 1, 8, 8), 7, "f4")
        with h5py.File(f, "w") as h:
            h["latents"] = h5py.ExternalLink(o, "/x"); h["labels"] = np.arange(4)
            h["noise"] = np.random.rand(40000).astype("f4")

        """
      let outcome = try sprint(["inspect", try make("linking.h5", script), "--json"])
      let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
      let channel = (object?["seen_by_model"] as? [[String: Any]])?.first
      #expect(channel?["mean"] as? Double == 7 && channel?["deviation"] as? Double == 0, "\(outcome)")
    }

    @Test("A checkpoint whose numbers lie in another file exports nothing of it", .enabled(if: hasTools, missing))
    func checkpoint() throws {
      let run = ShortRun("run", in: folder)
      #expect(try run.run(ranks: nil, ["--until", "1"]).code == 0)
      let secret = folder.file("secret")
      try Data(repeating: 0x53, count: 1 << 20).write(to: URL(fileURLWithPath: secret))
      let file = "\(run.checkpoints)/step-000000001.h5"
      let other = try make(
        "other.h5",
        """
        with h5py.File('\(file)') as c, h5py.File(f, 'w') as h:
            h['x'] = np.full(c['/ema/mask_token'].shape, 7, 'f4')

        """)
      for (name, change) in [
        ("storage", "h.create_dataset(n, s, 'f4', external=[('\(secret)', 0, 1 << 20)])"),
        ("link", "h[n] = h5py.ExternalLink('\(other)', '/x')"),
        ("detour", "h['o'] = h5py.ExternalLink('\(other)', '/'); h[n] = h5py.SoftLink('/o/x')"),
        (
          "virtual",
          "v = h5py.VirtualLayout(s, 'f4'); v[...] = h5py.VirtualSource('\(other)', 'x', s); "
            + "h.create_virtual_dataset(n, v)"
        ),
      ] {
        let script = """
          import hashlib, shutil
          shutil.copy('\(file)', f)
          with h5py.File(f, "a") as h:
              n = "/ema/mask_token"; s = h[n].shape; del h[n]
              \(change)
          d = open(f, 'rb').read()
          t = '{\\n  "file" : "%s",\\n  "fingerprint" : {\\n    "sha256" : "%s",\\n    "size" : %d\\n  }\\n}'
          open(f[:-3] + '.manifest.json', 'w').write(t % (f.split('/')[-1], hashlib.sha256(d).hexdigest(), len(d)))

          """
        let path = try make("\(name).h5", script)
        let out = folder.file("\(name).safetensors")
        let outcome = try sprint(["export", "--checkpoint", path, out])
        let problem = name == "virtual" ? "a view of data sets in" : "in another file"
        #expect(outcome.code == 2 && outcome.errors.contains(problem), "\(outcome)")
        #expect(!FileManager.default.fileExists(atPath: out))
      }
    }

    @Test("An import takes nothing from other files that its source leads to", .enabled(if: hasTools, missing))
    func source() throws {
      let script = """
        o = f.replace('source', 'other'); n = "00000/img-mean-std-00000000.npy"; s = (8, 8, 8)
        with h5py.File(o, "w") as h: h["x"] = np.full(s, 7, "f4")
        with h5py.File(f, "w") as h:
            v = h5py.VirtualLayout(s, "f4"); v[...] = h5py.VirtualSource(o, "x", s); h.create_virtual_dataset(n, v)
            h["dataset.json"] = '{"labels": [["%s", 1]]}' % n
        np.savez(f.replace('source.h5', 'statistics.npz'), mean=np.zeros(4, "f4"), std=np.ones(4, "f4"))

        """
      let out = folder.file("out.h5")
      let outcome = try sprint([
        "import", "--from", "repa-e", "--statistics", folder.file("statistics.npz"), make("source.h5", script), out,
      ])
      #expect(outcome.code == 2 && outcome.errors.contains("a view of data sets in"), "\(outcome)")
      #expect(!FileManager.default.fileExists(atPath: out))
    }

    @Test(
      "An array that is far larger than its archive is an error before it takes memory", .enabled(if: hasTools, missing)
    )
    func archive() throws {
      let script = """
        import os, zipfile
        d = f[:-4] + '/n01'; os.makedirs(d)
        with zipfile.ZipFile(d + '/0.npz', 'w', zipfile.ZIP_DEFLATED) as z: z.writestr('moments.npy', bytes(200 << 20))

        """
      let path = try make("mar.npz", script).dropLast(4)
      let outcome = try sprint(["import", "--from", "mar", String(path), folder.file("out.h5")])
      #expect(outcome.code == 2 && outcome.errors.contains("209715200 bytes"), "\(outcome)")
    }
  }
}
